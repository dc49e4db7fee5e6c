/** A JWS in compact form (RFC 7515) of one type, signed with Ed25519 (RFC 8037): nothing in it chooses how it is verified. */

import { fromBase64Url, type JsonObject, objectOf, requireMembers, StatementInvalid, utf8 } from "./forms.ts";
import { type PublicKeys, requireSigned } from "./keys.ts";

const HEADER = new Set(["alg", "kid", "typ"]);

/**
 * Verify a JWS, and return what it says.
 *
 * @param type What `typ` must be: it keeps statements of one kind apart from those of another.
 * @throws {StatementInvalid} If its form, type, key or signature is another.
 */
export async function claimsOf(jws: string, type: string, keys: PublicKeys, maxChars: number): Promise<JsonObject> {
  const [head, payload, signature, ...more] = jws.split(".");
  if (jws.length > maxChars || head === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw new StatementInvalid("it is not a JWS in compact form");
  }
  const header = objectOf(fromBase64Url(head));
  requireMembers(header, HEADER);
  const key = typeof header["kid"] === "string" ? keys.get(header["kid"]) : undefined;
  if (header["alg"] !== "EdDSA" || header["typ"] !== type || key === undefined) {
    throw new StatementInvalid("its header is another, or its key is not known");
  }
  await requireSigned(key, fromBase64Url(signature), utf8(`${head}.${payload}`));
  return objectOf(fromBase64Url(payload));
}
