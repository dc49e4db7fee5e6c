/**
 * Consent tokens: what a token that she gave away allows. The extension's half of docs/specs/consent-token.md; only the
 * server can say whether it was used up or taken back. Server: grants/format.py; both run
 * tests/vectors/consent_token_v1.json.
 */

import type { Bytes } from "../sealed-template.ts";
import { fromBase64Url, joined, type Json, requireMembers, StatementInvalid, utf8 } from "./forms.ts";
import { claimsOf } from "./jws.ts";
import { hmac, type PublicKeys, sha256 } from "./keys.ts";

export const TOKEN_TYPE = "consentry-consent+jwt";
const MAX_CHARS = 32_768;
/** From the first to the last second of the calendar. */
const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;
const CLAIMS = new Set(["iss", "jti", "aud", "iat", "exp", "purpose", "region", "prompt", "images"]);
const PURPOSES = new Set(["edit", "face_swap", "impersonation", "intimate", "video", "training"]);
/** What the server takes for white space: `str.split()` of Python. */
const SPACE = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;

/** What a token says. The digests are salted; the salt never leaves the server. */
export interface TokenClaims {
  readonly token: string;
  readonly platform: string;
  readonly purpose: string;
  readonly region: string | null;
  /** Null: any words will do (a session). */
  readonly words: Bytes | null;
  readonly images: readonly Bytes[];
  /** Seconds since 1970; the end is excluded. */
  readonly issuedAt: number;
  readonly validUntil: number;
}

/** What a token says; null when `issuer` has not signed exactly this. Whether it has lapsed is not looked at. */
export async function readToken(jws: string, issuer: string, keys: PublicKeys): Promise<TokenClaims | null> {
  try {
    const claims = await claimsOf(jws, TOKEN_TYPE, keys, MAX_CHARS);
    requireMembers(claims, CLAIMS);
    const { iss, jti, aud, iat, exp, purpose, region, prompt, images } = claims;
    if (iss !== issuer || !Array.isArray(images) || !PURPOSES.has(text(purpose))) {
      return null;
    }
    return {
      token: text(jti),
      platform: text(aud),
      purpose: text(purpose),
      region: region === null ? null : text(region),
      words: prompt === null ? null : fromBase64Url(text(prompt)),
      images: (images as readonly Json[]).map((each) => fromBase64Url(text(each))),
      issuedAt: moment(iat),
      validUntil: moment(exp),
    };
  } catch (error) {
    if (error instanceof StatementInvalid) {
      return null;
    }
    throw error;
  }
}

/** The salted digest of a picture, given its bytes as they are sent. */
export async function pictureDigest(salt: Bytes, image: Bytes): Promise<Bytes> {
  return hmac(salt, joined(utf8("consentry consent v1 image\0"), await sha256(image)));
}

/** The salted digest of a conversation: of the newest turn, and then of the earlier ones, oldest first. */
export async function wordsDigest(salt: Bytes, prompt: string | null, context: readonly string[]): Promise<Bytes> {
  const turns = JSON.stringify([prompt === null ? null : normalised(prompt), ...context.map(normalised)]);
  return hmac(salt, joined(utf8("consentry consent v1 words\0"), await sha256(utf8(turns))));
}

const normalised = (words: string): string =>
  words.normalize("NFC").split(SPACE).filter((word) => word !== "").join(" ");

function text(value: Json | undefined): string {
  if (typeof value !== "string") {
    throw new StatementInvalid("a text is a text");
  }
  return value;
}

function moment(value: Json | undefined): number {
  if (typeof value !== "number" || value < MIN_SECONDS || value > MAX_SECONDS) {
    throw new StatementInvalid("a time is a whole number of seconds within the calendar");
  }
  return value;
}
