/**
 * Erasure receipts: what was destroyed, said under a signature. The extension's half of docs/specs/erasure-receipt.md.
 * Server: transparency/erasure.py; both run tests/vectors/erasure_v1.json.
 */

import type { Bytes } from "../sealed-template.ts";
import { areSame, fromBase64Url, isObject, joined, type Json, requireMembers, StatementInvalid } from "./forms.ts";
import { claimsOf } from "./jws.ts";
import { type PublicKeys, sha256 } from "./keys.ts";
import { commitmentTo, leafHash, type Proved, readEntry, type Trust, verifyProof } from "./log.ts";
import { MAX_SECONDS, oneOf, textFrom } from "./receipt.ts";

export const ERASURE_TYPE = "consentry-erasure+jwt";
const MAX_CHARS = 65_536;
const DIGEST_BYTES = 32;
const CLAIMS = new Set(["iss", "jti", "iat", "scope", "people", "destroyed", "entries", "log"]);
const SCOPES = new Set(["person", "home"]);

export interface ErasureClaims {
  readonly issuer: string;
  readonly erasure: string;
  /** Seconds since 1970. */
  readonly erasedAt: number;
  readonly scope: string;
  readonly people: number;
  /** How many of what, by the names of the issuer's tables. */
  readonly destroyed: ReadonlyMap<string, number>;
  /** The digest of the entries that record it. */
  readonly entries: Bytes;
  /** Origin of the log that they come into; null where none had begun. */
  readonly log: string | null;
}

/** What travels beside the receipt, for each person. */
export interface ErasedEntry {
  readonly subject: string;
  readonly entry: Bytes;
  readonly salt: Bytes;
}

/**
 * Verify signature and form. Needs no network and no clock.
 *
 * @throws {StatementInvalid} If anything does not hold.
 */
export async function verifyErasure(jws: string, keys: PublicKeys): Promise<ErasureClaims> {
  const claims = await claimsOf(jws, ERASURE_TYPE, keys, MAX_CHARS);
  requireMembers(claims, CLAIMS);
  const destroyed = claims["destroyed"];
  const entries = fromBase64Url(textFrom(claims["entries"]));
  const erasedAt = count(claims["iat"]);
  if (!isObject(destroyed) || entries.length !== DIGEST_BYTES || erasedAt > MAX_SECONDS) {
    throw new StatementInvalid("a claim is of another type");
  }
  return {
    issuer: textFrom(claims["iss"]),
    erasure: textFrom(claims["jti"]),
    erasedAt,
    scope: oneOf(SCOPES, textFrom(claims["scope"])),
    people: count(claims["people"]),
    destroyed: new Map(Object.entries(destroyed).map(([name, each]) => [textFrom(name), count(each)])),
    entries,
    log: claims["log"] === null ? null : textFrom(claims["log"]),
  };
}

/**
 * Verify that these entries, and no others, record the erasure, each of the subject that it names.
 *
 * @throws {StatementInvalid} If an entry, salt or subject differs, is missing or too much (not told apart).
 */
export async function requireAbout(claims: ErasureClaims, entries: readonly ErasedEntry[]): Promise<void> {
  await requireRecord(claims, entries);
  for (const { subject, entry, salt } of entries) {
    const read = readEntry(entry);
    const change = JSON.stringify({ change: "revoked", subject });
    if (read["kind"] !== "subject" || read["change"] !== (await commitmentTo("change", change, salt))) {
      throw new StatementInvalid("an entry is not of its subject, or that is not its salt");
    }
  }
}

/**
 * Verify that the entries which record the erasure, each with its proof, stand in the log that the receipt names. They need not
 * be shown beside it: the receipt has their digest, and the proofs carry them.
 *
 * @param proofs In the form of C2SP tlog-proof.
 * @throws {StatementInvalid} If a proof is missing, too much, of another entry or another log, or does not hold.
 */
export async function requireLogged(claims: ErasureClaims, proofs: readonly string[], trust: Trust): Promise<readonly Proved[]> {
  const proved = await Promise.all(proofs.map((proof) => verifyProof(proof, trust)));
  await requireRecord(claims, proved);
  if (proved.some(({ origin }) => claims.log !== null && claims.log !== origin)) {
    throw new StatementInvalid("a proof is of another log than the receipt names");
  }
  return proved;
}

async function requireRecord(claims: ErasureClaims, entries: readonly { readonly entry: Bytes }[]): Promise<void> {
  const leaves = await Promise.all(entries.map(({ entry }) => leafHash(entry)));
  const digest = await sha256(joined(...leaves.toSorted(inOrder)));
  if (!areSame(digest, claims.entries) || entries.length !== claims.people) {
    throw new StatementInvalid("these entries do not record it");
  }
}

function inOrder(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}

function count(value: Json | undefined): number {
  if (typeof value !== "number" || value < 0) {
    throw new StatementInvalid("a number is missing or of another type");
  }
  return value;
}
