/** Ed25519 keys of whoever signs, known by their RFC 7638 thumbprint and never by the name that somebody gives them. */

import { toBase64Url } from "../pairing.ts";
import type { Bytes } from "../sealed-template.ts";
import { fromBase64Url, isObject, type Json, StatementInvalid, utf8 } from "./forms.ts";

export const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** By thumbprint. */
export type PublicKeys = ReadonlyMap<string, Bytes>;

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

export async function hmac(key: Bytes, data: Bytes): Promise<Bytes> {
  const made = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", made, data));
}

export async function thumbprint(key: Bytes): Promise<string> {
  const members = `{"crv":"Ed25519","kty":"OKP","x":"${toBase64Url(key)}"}`;
  return toBase64Url(await sha256(utf8(members)));
}

/**
 * Read a key set (RFC 7517). Keys that are not Ed25519 keys are left out, as its section 5 asks.
 *
 * @throws {StatementInvalid} If it is no key set.
 */
export async function keysOf(jwks: Json): Promise<PublicKeys> {
  const keys = isObject(jwks) ? jwks["keys"] : undefined;
  if (!Array.isArray(keys)) {
    throw new StatementInvalid("it is no key set");
  }
  const found = new Map<string, Bytes>();
  for (const jwk of keys as readonly Json[]) {
    if (!isObject(jwk) || jwk["kty"] !== "OKP" || jwk["crv"] !== "Ed25519" || typeof jwk["x"] !== "string") {
      continue;
    }
    const key = fromBase64Url(jwk["x"]);
    if (key.length === KEY_BYTES) {
      found.set(await thumbprint(key), key);
    }
  }
  return found;
}

/** @throws {StatementInvalid} If the signature does not hold, or what should verify it is no key. */
export async function requireSigned(key: Bytes, signature: Bytes, message: Bytes): Promise<void> {
  if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) {
    throw new StatementInvalid("it is no Ed25519 signature");
  }
  let holds = false;
  try {
    const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    holds = await crypto.subtle.verify("Ed25519", imported, signature, message);
  } catch (error) {
    throw new StatementInvalid("that is no key", { cause: error });
  }
  if (!holds) {
    throw new StatementInvalid("its signature does not hold");
  }
}
