/** The inbox's rows in IndexedDB: a database of its own, one object store, sealed bytes by name. */

import type { Bytes } from "../domain/sealed-template.ts";
import { Failure } from "../failure.ts";
import type { Rows } from "./inbox.ts";

const DATABASE = "consentry-inbox";
const STORE = "rows";

export class BrowserRows implements Rows {
  #database: Promise<IDBDatabase> | undefined;

  async all(): Promise<ReadonlyMap<string, Bytes>> {
    const [names, values] = await Promise.all([
      this.#run("readonly", (rows) => rows.getAllKeys()),
      this.#run("readonly", (rows) => rows.getAll()),
    ]);
    return new Map(names.map((name, i) => [String(name), bytes(values[i])]));
  }

  async get(name: string): Promise<Bytes | null> {
    const value: unknown = await this.#run("readonly", (rows) => rows.get(name));
    return value === undefined ? null : bytes(value);
  }

  async put(name: string, sealed: Bytes): Promise<void> {
    await this.#run("readwrite", (rows) => rows.put(sealed, name));
  }

  async remove(name: string): Promise<void> {
    await this.#run("readwrite", (rows) => rows.delete(name));
  }

  async clear(): Promise<void> {
    await this.#run("readwrite", (rows) => rows.clear());
  }

  async #run<T>(mode: IDBTransactionMode, work: (rows: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    try {
      this.#database ??= open();
      // On the disk before it is told: evidence may be gone from the site a minute later.
      const transaction = (await this.#database).transaction(STORE, mode, { durability: "strict" });
      const request = work(transaction.objectStore(STORE));
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

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function bytes(value: unknown): Bytes {
  if (!(value instanceof Uint8Array)) {
    throw new Failure("storage_damaged");
  }
  return value as Bytes;
}
