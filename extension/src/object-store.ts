/** One IndexedDB database with one object store: whatever goes wrong with it is `storage_damaged`. */

import { Failure } from "./failure.ts";

export class ObjectStore {
  readonly #name: string;
  readonly #store: string;
  #database: Promise<IDBDatabase> | undefined;

  constructor(name: string, store: string) {
    this.#name = name;
    this.#store = store;
  }

  async run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    try {
      this.#database ??= open(this.#name, this.#store);
      // On the disk before it is told: a vault must not be lost with the power, and evidence may be gone from the
      // site a minute later.
      const transaction = (await this.#database).transaction(this.#store, mode, { durability: "strict" });
      const request = work(transaction.objectStore(this.#store));
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
      return request.result;
    } catch (error) {
      this.#database = undefined;
      throw new Failure("storage_damaged", { cause: error });
    }
  }
}

function open(name: string, store: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
