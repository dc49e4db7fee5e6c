/**
 * Data keys, and the key ring that opens them while the vault is unlocked. Server: vault/keys.py.
 *
 *     epoch secret (32 random bytes, numbered) --HKDF "wrap"--> AES-KW key of the subjects' data keys
 *                                              --HKDF "home"--> AES-GCM key of one kind of home-level value
 *
 * Construction: RFC 3394 (AES-KW), RFC 5869 (HKDF-SHA-256, no salt). Formats: docs/specs/sealed-template.md.
 */

import { type Bytes, SealBroken } from "../sealed-template.ts";

export const KEY_BYTES = 32;
export const WRAPPED_BYTES = KEY_BYTES + 8;
const EPOCH_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const WRAPPED_KEY_V1 = 0x01;
const HOME_VALUE_V1 = 0x41;
const INFO_WRAP = "consentry/v1/epoch/wrap";
const INFO_HOME = "consentry/v1/epoch/home/";

const encode = (text: string): Bytes => Uint8Array.from(new TextEncoder().encode(text));
const hkdf = (info: string): HkdfParams => ({
  name: "HKDF",
  hash: "SHA-256",
  salt: new Uint8Array(KEY_BYTES),
  info: encode(info),
});

export const randomBytes = (count: number): Bytes => crypto.getRandomValues(new Uint8Array(count));

/** A secret as a key that other keys are derived from, and that nobody can read back. */
export const importSecret = (secret: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey", "deriveBits"]);

/** 32 bytes for the one use that `info` names. */
export async function derived(secret: CryptoKey, info: string): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.deriveBits(hkdf(info), secret, 8 * KEY_BYTES));
}

/** An AES-KW key for the one use that `info` names. */
export const wrappingKey = (secret: CryptoKey, info: string): Promise<CryptoKey> =>
  crypto.subtle.deriveKey(hkdf(info), secret, { name: "AES-KW", length: 8 * KEY_BYTES }, false, ["wrapKey", "unwrapKey"]);

/** 32 secret bytes under AES-KW: 40 bytes. */
export async function wrapSecret(wrapping: CryptoKey, secret: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", true, ["encrypt"]);
  return new Uint8Array(await crypto.subtle.wrapKey("raw", key, wrapping, "AES-KW"));
}

/** The secret that `wrapSecret` took. @throws {SealBroken} */
export async function unwrapSecret(wrapping: CryptoKey, wrapped: Bytes): Promise<Bytes> {
  const key = await unwrapped(wrapping, wrapped, true);
  return new Uint8Array(await crypto.subtle.exportKey("raw", key));
}

async function unwrapped(wrapping: CryptoKey, wrapped: Bytes, isExtractable: boolean): Promise<CryptoKey> {
  if (wrapped.length !== WRAPPED_BYTES) {
    throw new SealBroken();
  }
  try {
    return await crypto.subtle.unwrapKey("raw", wrapped, wrapping, "AES-KW", "AES-GCM", isExtractable, [
      "encrypt",
      "decrypt",
    ]);
  } catch {
    // WebCrypto gives one OperationError for every cause.
    throw new SealBroken();
  }
}

const numberAt = (bytes: Bytes, at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);

/** The epoch keys while the vault is open. None of them can be read back out of it. */
export class KeyRing {
  readonly #epochs: ReadonlyMap<number, CryptoKey>;
  readonly #current: number;

  private constructor(epochs: ReadonlyMap<number, CryptoKey>) {
    this.#epochs = epochs;
    this.#current = Math.max(...epochs.keys());
  }

  /** @param epochs Number to 32 secret bytes; the highest is the current one. At least one. */
  static async of(epochs: ReadonlyMap<number, Bytes>): Promise<KeyRing> {
    const keys = new Map<number, CryptoKey>();
    for (const [number, secret] of epochs) {
      keys.set(number, await importSecret(secret));
    }
    return new KeyRing(keys);
  }

  /** A fresh data key, open and wrapped under the current epoch. */
  async newSubjectKey(): Promise<{ readonly key: CryptoKey; readonly wrapped: Bytes }> {
    const secret = randomBytes(KEY_BYTES);
    const wrapped = await this.#wrap(secret);
    secret.fill(0);
    return { key: await this.openSubjectKey(wrapped), wrapped };
  }

  /** The data key; it cannot be exported. @throws {SealBroken} */
  async openSubjectKey(wrapped: Bytes): Promise<CryptoKey> {
    const { wrapping, body } = await this.#opener(wrapped);
    return unwrapped(wrapping, body, false);
  }

  /** A data key of another ring, under the current epoch of this one. What it seals is untouched. @throws {SealBroken} */
  async adopt(wrapped: Bytes, from: KeyRing): Promise<Bytes> {
    const { wrapping, body } = await from.#opener(wrapped);
    const secret = await unwrapSecret(wrapping, body);
    const adopted = await this.#wrap(secret);
    secret.fill(0);
    return adopted;
  }

  /** Seal a value of the home (not of one subject). It does not open under another label. */
  async sealHome(value: Bytes, label: string): Promise<Bytes> {
    const head = new Uint8Array(1 + EPOCH_BYTES);
    head[0] = HOME_VALUE_V1;
    new DataView(head.buffer).setUint32(1, this.#current);
    const iv = randomBytes(NONCE_BYTES);
    const key = await this.#homeKey(this.#current, label);
    const body = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: head }, key, value);
    return Uint8Array.from([...head, ...iv, ...new Uint8Array(body)]);
  }

  /** @throws {SealBroken} If the label or any byte differs, or its epoch is gone (not told apart). */
  async unsealHome(sealed: Bytes, label: string): Promise<Bytes> {
    const start = 1 + EPOCH_BYTES;
    if (sealed.length < start + NONCE_BYTES + TAG_BYTES || sealed[0] !== HOME_VALUE_V1) {
      throw new SealBroken();
    }
    const key = await this.#homeKey(numberAt(sealed, 1), label);
    const iv = sealed.subarray(start, start + NONCE_BYTES);
    const additionalData = sealed.subarray(0, start);
    try {
      const body = sealed.subarray(start + NONCE_BYTES);
      return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, body));
    } catch {
      throw new SealBroken();
    }
  }

  #epoch(number: number): CryptoKey {
    const secret = this.#epochs.get(number);
    if (secret === undefined) {
      throw new SealBroken();
    }
    return secret;
  }

  async #homeKey(number: number, label: string): Promise<CryptoKey> {
    const info = hkdf(INFO_HOME + label);
    const kind = { name: "AES-GCM", length: 8 * KEY_BYTES };
    return crypto.subtle.deriveKey(info, this.#epoch(number), kind, false, ["encrypt", "decrypt"]);
  }

  async #wrap(secret: Bytes): Promise<Bytes> {
    const body = await wrapSecret(await wrappingKey(this.#epoch(this.#current), INFO_WRAP), secret);
    const wrapped = new Uint8Array(1 + EPOCH_BYTES + WRAPPED_BYTES);
    wrapped[0] = WRAPPED_KEY_V1;
    new DataView(wrapped.buffer).setUint32(1, this.#current);
    wrapped.set(body, 1 + EPOCH_BYTES);
    return wrapped;
  }

  async #opener(wrapped: Bytes): Promise<{ readonly wrapping: CryptoKey; readonly body: Bytes }> {
    if (wrapped.length !== 1 + EPOCH_BYTES + WRAPPED_BYTES || wrapped[0] !== WRAPPED_KEY_V1) {
      throw new SealBroken();
    }
    const wrapping = await wrappingKey(this.#epoch(numberAt(wrapped, 1)), INFO_WRAP);
    return { wrapping, body: wrapped.subarray(1 + EPOCH_BYTES) };
  }
}
