/**
 * A sealed backup file, version 1: any bytes under a passphrase of their own (docs/specs/sealed-backup.md).
 * Server: vault/backup.py; both run tests/vectors/backup_v1.json.
 */

import type { Bytes } from "../sealed-template.ts";
import { derived, importSecret } from "./keys.ts";
import { type Cost, SALT_BYTES, WrongPassphrase, isWithinBounds, rootKey } from "./passphrases.ts";

const MAGIC = "CSNTRYBK";
const VERSION = 1;
const ARGON2ID = 1;
const HEADER_BYTES = 35;
const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const INFO = "consentry/v1/backup";

async function fileKey(passphrase: string, cost: Cost, salt: Bytes): Promise<CryptoKey> {
  const secret = await derived(await importSecret(await rootKey(passphrase, cost, salt)), INFO);
  return crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** Counter of 88 bits, then whether it is the last: a chunk that is missing, moved or doubled fails. */
function nonce(counter: number, isLast: boolean): Bytes {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(7, counter);
  bytes[11] = isLast ? 1 : 0;
  return bytes;
}

/** Seal a payload under a passphrase. What the payload means is the caller's business. */
export async function sealBackup(payload: Bytes, passphrase: string, cost: Cost, salt: Bytes): Promise<Bytes> {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(new TextEncoder().encode(MAGIC));
  view.setUint8(8, VERSION);
  view.setUint8(9, ARGON2ID);
  view.setUint32(10, cost.memoryKib);
  view.setUint32(14, cost.passes);
  view.setUint8(18, cost.lanes);
  header.set(salt, 19);
  const key = await fileKey(passphrase, cost, salt);
  const count = Math.max(1, Math.ceil(payload.length / CHUNK_BYTES));
  const parts: Bytes[] = [header];
  for (let i = 0; i < count; i++) {
    const chunk = payload.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES);
    const algorithm = { name: "AES-GCM", iv: nonce(i, i === count - 1), additionalData: header };
    parts.push(new Uint8Array(await crypto.subtle.encrypt(algorithm, key, chunk)));
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * The payload, whole or not at all.
 *
 * @throws {WrongPassphrase} If the passphrase is wrong, or any byte was changed, added or removed (not told apart).
 */
export async function openBackup(file: Bytes, passphrase: string): Promise<Bytes> {
  const header = file.slice(0, HEADER_BYTES);
  const view = new DataView(header.buffer);
  if (
    header.length !== HEADER_BYTES ||
    new TextDecoder().decode(header.subarray(0, 8)) !== MAGIC ||
    view.getUint8(8) !== VERSION ||
    view.getUint8(9) !== ARGON2ID
  ) {
    throw new WrongPassphrase();
  }
  const cost = { memoryKib: view.getUint32(10), passes: view.getUint32(14), lanes: view.getUint8(18) };
  if (!isWithinBounds(cost)) {
    throw new WrongPassphrase();
  }
  const key = await fileKey(passphrase, cost, header.slice(19, 19 + SALT_BYTES));
  const body = file.subarray(HEADER_BYTES);
  const sealedBytes = CHUNK_BYTES + TAG_BYTES;
  const count = Math.max(1, Math.ceil(body.length / sealedBytes));
  const parts: Bytes[] = [];
  for (let i = 0; i < count; i++) {
    const algorithm = { name: "AES-GCM", iv: nonce(i, i === count - 1), additionalData: header };
    const sealed = body.subarray(i * sealedBytes, (i + 1) * sealedBytes);
    try {
      parts.push(new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed)));
    } catch {
      throw new WrongPassphrase();
    }
  }
  if (parts.length > 1 && parts.at(-1)?.length === 0) {
    // One payload has one file: an empty chunk may only stand for an empty payload.
    throw new WrongPassphrase();
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
