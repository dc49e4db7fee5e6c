/** The inbox's rows in IndexedDB: a database of its own, one object store, sealed bytes by name. */

import type { Bytes } from "../domain/sealed-template.ts";
import { Failure } from "../failure.ts";
import { ObjectStore } from "../object-store.ts";
import type { Rows } from "./inbox.ts";

export class BrowserRows implements Rows {
  readonly #store = new ObjectStore("consentry-inbox", "rows");

  async all(): Promise<ReadonlyMap<string, Bytes>> {
    const [names, values] = await Promise.all([
      this.#store.run("readonly", (rows) => rows.getAllKeys()),
      this.#store.run("readonly", (rows) => rows.getAll()),
    ]);
    return new Map(names.map((name, i) => [String(name), bytes(values[i])]));
  }

  async get(name: string): Promise<Bytes | null> {
    const value: unknown = await this.#store.run("readonly", (rows) => rows.get(name));
    return value === undefined ? null : bytes(value);
  }

  async put(name: string, sealed: Bytes): Promise<void> {
    await this.#store.run("readwrite", (rows) => rows.put(sealed, name));
  }

  async remove(name: string): Promise<void> {
    await this.#store.run("readwrite", (rows) => rows.delete(name));
  }

  async clear(): Promise<void> {
    await this.#store.run("readwrite", (rows) => rows.clear());
  }
}

function bytes(value: unknown): Bytes {
  if (!(value instanceof Uint8Array)) {
    throw new Failure("storage_damaged");
  }
  return value as Bytes;
}
