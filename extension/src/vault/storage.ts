/** The vault on the disk (IndexedDB), and the session that keeps it open (`storage.session`, in memory only). */

import { fromBase64, toBase64 } from "../domain/base64.ts";
import type { Bytes } from "../domain/sealed-template.ts";
import { Failure } from "../failure.ts";
import { ObjectStore } from "../object-store.ts";
import type { Session, VaultRecord, VaultStore } from "./ports.ts";

const VAULT = "vault";
const SESSION_KEY = "session-key";
const SESSION = "vault-session";
const NONCE_BYTES = 12;
const NUMBER_BYTES = 4;
const SECRET_BYTES = 32;

/** One object store, two records: the vault, and the session's half. */
class Records {
  readonly #store = new ObjectStore("consentry-vault", "records");

  async get(key: string): Promise<unknown> {
    return this.#store.run("readonly", (records) => records.get(key));
  }

  async put(key: string, value: unknown): Promise<void> {
    await this.#store.run("readwrite", (records) => records.put(value, key));
  }

  async remove(key: string): Promise<void> {
    await this.#store.run("readwrite", (records) => records.delete(key));
  }
}

const records = new Records();

export class BrowserVaultStore implements VaultStore {
  async read(): Promise<VaultRecord | null> {
    const found = await records.get(VAULT);
    if (found === undefined) {
      return null;
    }
    if (!isRecord(found)) {
      throw new Failure("storage_damaged");
    }
    return found;
  }

  async write(record: VaultRecord | null): Promise<void> {
    await (record === null ? records.remove(VAULT) : records.put(VAULT, record));
  }
}

function isRecord(found: unknown): found is VaultRecord {
  return (
    typeof found === "object" &&
    found !== null &&
    "header" in found &&
    found.header instanceof Uint8Array &&
    "subjects" in found &&
    Array.isArray(found.subjects) &&
    "templates" in found &&
    Array.isArray(found.templates) &&
    "passkeySalt" in found &&
    found.passkeySalt instanceof Uint8Array &&
    "autoLockMinutes" in found &&
    typeof found.autoLockMinutes === "number"
  );
}

export class BrowserSession implements Session {
  async recall(): Promise<ReadonlyMap<number, Bytes> | null> {
    const held: unknown = (await chrome.storage.session.get(SESSION))[SESSION];
    const key = await records.get(SESSION_KEY);
    if (typeof held !== "string" || !(key instanceof CryptoKey)) {
      return null;
    }
    const box = fromBase64(held);
    let plain: Bytes;
    try {
      const algorithm = { name: "AES-GCM", iv: box.subarray(0, NONCE_BYTES) };
      plain = new Uint8Array(await crypto.subtle.decrypt(algorithm, key, box.subarray(NONCE_BYTES)));
    } catch {
      // The halves are of two sessions: as good as locked.
      return null;
    }
    const view = new DataView(plain.buffer);
    const epochs = new Map<number, Bytes>();
    for (let at = 0; at < plain.length; at += NUMBER_BYTES + SECRET_BYTES) {
      epochs.set(view.getUint32(at), plain.slice(at + NUMBER_BYTES, at + NUMBER_BYTES + SECRET_BYTES));
    }
    plain.fill(0);
    return epochs;
  }

  async keep(epochs: ReadonlyMap<number, Bytes>): Promise<void> {
    const plain = new Uint8Array(epochs.size * (NUMBER_BYTES + SECRET_BYTES));
    const view = new DataView(plain.buffer);
    let at = 0;
    for (const [number, secret] of epochs) {
      view.setUint32(at, number);
      plain.set(secret, at + NUMBER_BYTES);
      at += NUMBER_BYTES + SECRET_BYTES;
    }
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const body = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain));
    plain.fill(0);
    await records.put(SESSION_KEY, key);
    await chrome.storage.session.set({ [SESSION]: toBase64(Uint8Array.from([...iv, ...body])) });
  }

  async forget(): Promise<void> {
    await chrome.storage.session.remove(SESSION);
    await records.remove(SESSION_KEY);
  }
}
