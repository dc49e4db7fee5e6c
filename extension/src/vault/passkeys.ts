/** A passkey beside the passphrase: the 32 bytes of its PRF extension wrap the epoch secrets once more. */

import { type Bytes, SealBroken } from "../domain/sealed-template.ts";
import { KEY_BYTES, importSecret, unwrapSecret, wrapSecret, wrappingKey } from "../domain/vault/keys.ts";
import type { StoredPasskey } from "./ports.ts";

const INFO = "consentry/v1/passkey/wrap";

type Epochs = ReadonlyMap<number, Bytes>;

/** @throws {SealBroken} If the passkey gave no 32 bytes. */
export async function wrappedByPasskey(epochs: Epochs, credential: Bytes, prf: Bytes): Promise<StoredPasskey> {
  const wrapping = await wrappingOf(prf);
  const wrapped: (readonly [number, Bytes])[] = [];
  for (const [number, secret] of epochs) {
    wrapped.push([number, await wrapSecret(wrapping, secret)]);
  }
  return { credential, wrapped };
}

/** The epoch secrets. @throws {SealBroken} If there is no passkey, or it is another one. */
export async function openByPasskey(passkey: StoredPasskey | null, prf: Bytes): Promise<Epochs> {
  const wrapping = await wrappingOf(prf);
  const epochs = new Map<number, Bytes>();
  for (const [number, wrapped] of passkey?.wrapped ?? []) {
    epochs.set(number, await unwrapSecret(wrapping, wrapped));
  }
  if (epochs.size === 0) {
    throw new SealBroken();
  }
  return epochs;
}

async function wrappingOf(prf: Bytes): Promise<CryptoKey> {
  if (prf.length !== KEY_BYTES) {
    throw new SealBroken();
  }
  return wrappingKey(await importSecret(prf), INFO);
}
