/**
 * The vault header, version 1: what lies between a passphrase and the epoch keys (docs/specs/vault-header.md).
 * Server: vault/header.py; both run tests/vectors/vault_header_v1.json.
 */

import { type Bytes, SealBroken } from "../sealed-template.ts";
import { WRAPPED_BYTES, derived, importSecret, unwrapSecret, wrapSecret, wrappingKey } from "./keys.ts";
import { type Cost, SALT_BYTES, WrongPassphrase, isWithinBounds, rootKey } from "./passphrases.ts";

const MAGIC = 0x43535648;
const VERSION = 1;
const ARGON2ID = 1;
const MAX_EPOCHS = 1024;
const FIXED_BYTES = 33;
const ENTRY_BYTES = 4 + WRAPPED_BYTES;
const MAC_BYTES = 32;
const INFO_WRAP = "consentry/v1/header/wrap";
const INFO_MAC = "consentry/v1/header/mac";

interface RootKeys {
  readonly wrapping: CryptoKey;
  readonly mac: CryptoKey;
}

async function rootKeys(passphrase: string, cost: Cost, salt: Bytes): Promise<RootKeys> {
  const root = await rootKey(passphrase, cost, salt);
  const secret = await importSecret(root);
  root.fill(0);
  const mac = await derived(secret, INFO_MAC);
  return {
    wrapping: await wrappingKey(secret, INFO_WRAP),
    mac: await crypto.subtle.importKey("raw", mac, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]),
  };
}

/** The header that holds `epochs` (number to 32 secret bytes) under a passphrase. */
export async function buildHeader(
  epochs: ReadonlyMap<number, Bytes>,
  passphrase: string,
  cost: Cost,
  salt: Bytes,
): Promise<Bytes> {
  const { wrapping, mac } = await rootKeys(passphrase, cost, salt);
  const header = new Uint8Array(FIXED_BYTES + epochs.size * ENTRY_BYTES + MAC_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, MAGIC);
  view.setUint8(4, VERSION);
  view.setUint8(5, ARGON2ID);
  view.setUint32(6, cost.memoryKib);
  view.setUint32(10, cost.passes);
  view.setUint8(14, cost.lanes);
  header.set(salt, 15);
  view.setUint16(31, epochs.size);
  let at = FIXED_BYTES;
  for (const [number, secret] of [...epochs].sort(([a], [b]) => a - b)) {
    view.setUint32(at, number);
    header.set(await wrapSecret(wrapping, secret), at + 4);
    at += ENTRY_BYTES;
  }
  header.set(new Uint8Array(await crypto.subtle.sign("HMAC", mac, header.subarray(0, at))), at);
  return header;
}

/**
 * The epoch secrets, by number.
 *
 * @throws {WrongPassphrase} If the passphrase is wrong, any byte was changed, added or removed, or the stored cost is out
 *   of bounds (then nothing is derived). The cases are not told apart, on purpose.
 */
export async function openHeader(header: Bytes, passphrase: string): Promise<ReadonlyMap<number, Bytes>> {
  const { cost, salt, entries } = parse(header);
  const { wrapping, mac } = await rootKeys(passphrase, cost, salt);
  const end = header.length - MAC_BYTES;
  if (!(await crypto.subtle.verify("HMAC", mac, header.subarray(end), header.subarray(0, end)))) {
    throw new WrongPassphrase();
  }
  const epochs = new Map<number, Bytes>();
  for (const [number, wrapped] of entries) {
    try {
      epochs.set(number, await unwrapSecret(wrapping, wrapped));
    } catch (error) {
      throw error instanceof SealBroken ? new WrongPassphrase() : error;
    }
  }
  return epochs;
}

function parse(header: Bytes): { cost: Cost; salt: Bytes; entries: readonly (readonly [number, Bytes])[] } {
  if (header.length < FIXED_BYTES + ENTRY_BYTES + MAC_BYTES) {
    throw new WrongPassphrase();
  }
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const count = view.getUint16(31);
  const isKnown = view.getUint32(0) === MAGIC && view.getUint8(4) === VERSION && view.getUint8(5) === ARGON2ID;
  const isWhole = header.length === FIXED_BYTES + count * ENTRY_BYTES + MAC_BYTES;
  const cost = { memoryKib: view.getUint32(6), passes: view.getUint32(10), lanes: view.getUint8(14) };
  if (!isKnown || !isWhole || count > MAX_EPOCHS || !isWithinBounds(cost)) {
    throw new WrongPassphrase();
  }
  const entries = Array.from({ length: count }, (_, i) => {
    const at = FIXED_BYTES + i * ENTRY_BYTES;
    return [view.getUint32(at), header.slice(at + 4, at + ENTRY_BYTES)] as const;
  });
  const ascends = entries.every(([number], i) => number > (entries[i - 1]?.[0] ?? 0));
  if (!ascends) {
    throw new WrongPassphrase();
  }
  return { cost, salt: header.slice(15, 15 + SALT_BYTES), entries };
}
