/**
 * Receipts: verdicts that anybody can verify, offline, for ever. The extension's half of docs/specs/receipt.md.
 * Server: transparency/receipts.py; both run tests/vectors/receipt_v1.json.
 */

import type { Bytes } from "../sealed-template.ts";
import {
  areSame,
  fromBase64Url,
  isObject,
  joined,
  type Json,
  type JsonObject,
  requireMembers,
  StatementInvalid,
  utf8,
} from "./forms.ts";
import { claimsOf } from "./jws.ts";
import { hmac, type PublicKeys, sha256 } from "./keys.ts";

export const RECEIPT_TYPE = "consentry-receipt+jwt";
const MAX_CHARS = 65_536;
const COMMITMENT_BYTES = 32;
/** The last second of the year 9999: beyond it readers differ. */
export const MAX_SECONDS = 253_402_300_799;
const CLAIMS = new Set([
  "iss", "jti", "iat", "mode", "verdict", "reasons", "obligations", "policy", "engines", "images", "prompt", "context",
  "circumstances",
]);
const PLACE = new Set(["origin", "index"]);
const VERDICTS = new Set(["allow", "needs_consent", "refuse"]);
const REASONS = new Set(["revealing_real_person", "minor", "consent_required", "unreadable", "error"]);
const OBLIGATIONS = new Set(["check_output"]);

/** Where the entry of a receipt stands. */
export interface LogPlace {
  readonly origin: string;
  readonly index: number;
}

/** What a verified receipt says. The commitments are 32 bytes each. */
export interface ReceiptClaims {
  readonly issuer: string;
  readonly check: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly obligations: readonly string[];
  readonly policy: string;
  readonly engines: ReadonlyMap<string, string>;
  readonly images: readonly Bytes[];
  readonly prompt: Bytes | null;
  readonly context: readonly Bytes[];
  readonly circumstances: Bytes;
  /** Null in a receipt of version 1, which names no log. */
  readonly log: LogPlace | null;
}

/** What a check was about. */
export interface ReceiptInputs {
  readonly images: readonly Bytes[];
  readonly prompt: string | null;
  readonly context: readonly string[];
  readonly purpose: string;
  readonly region: string | null;
  readonly platform: string | null;
}

/** The salts that travel beside a receipt, in the order of its inputs. */
export interface ReceiptSalts {
  readonly images: readonly Bytes[];
  readonly prompt: Bytes | null;
  readonly context: readonly Bytes[];
  readonly circumstances: Bytes;
}

/**
 * Verify signature and form of a receipt. Needs no network and no clock.
 *
 * @param keys Of the issuer. The caller answers for where they came from.
 * @throws {StatementInvalid} If anything does not hold.
 */
export async function verifyReceipt(jws: string, keys: PublicKeys): Promise<ReceiptClaims> {
  const { log, ...claims } = await claimsOf(jws, RECEIPT_TYPE, keys, MAX_CHARS);
  requireMembers(claims, CLAIMS);
  if (claims["mode"] !== "act") {
    throw new StatementInvalid("only an act leaves a receipt");
  }
  return {
    issuer: textFrom(claims["iss"]),
    check: textFrom(claims["jti"]),
    issuedAt: seconds(claims["iat"]),
    verdict: oneOf(VERDICTS, textFrom(claims["verdict"])),
    reasons: textsFrom(claims["reasons"]).map((each) => oneOf(REASONS, each)),
    obligations: textsFrom(claims["obligations"]).map((each) => oneOf(OBLIGATIONS, each)),
    policy: textFrom(claims["policy"]),
    engines: textsByName(claims["engines"]),
    images: textsFrom(claims["images"]).map(commitmentFrom),
    prompt: claims["prompt"] === null ? null : commitmentFrom(textFrom(claims["prompt"])),
    context: textsFrom(claims["context"]).map(commitmentFrom),
    circumstances: commitmentFrom(textFrom(claims["circumstances"])),
    log: log === undefined ? null : placeFrom(log),
  };
}

/**
 * Verify that a receipt is about these inputs: all of them, in this order, and no others.
 *
 * @throws {StatementInvalid} If an input or a salt differs, is missing or is too much (not told apart).
 */
export async function verifyInputs(claims: ReceiptClaims, salts: ReceiptSalts, inputs: ReceiptInputs): Promise<void> {
  const { platform, purpose, region } = inputs;
  const circumstances = utf8(JSON.stringify({ platform, purpose, region }));
  const pairs: [Bytes | null | undefined, Bytes | null | undefined, string, Bytes | null | undefined][] = [
    [claims.circumstances, salts.circumstances, "circumstances", circumstances],
    [claims.prompt, salts.prompt, "prompt", inputs.prompt === null ? null : words(inputs.prompt)],
    ...range(claims.images, salts.images, inputs.images).map(
      (at): (typeof pairs)[number] => [claims.images[at], salts.images[at], "image", inputs.images[at]],
    ),
    ...range(claims.context, salts.context, inputs.context).map((at): (typeof pairs)[number] => {
      const turn = inputs.context[at];
      return [claims.context[at], salts.context[at], "turn", turn === undefined ? turn : words(turn)];
    }),
  ];
  for (const [committed, salt, kind, data] of pairs) {
    if (!committed && !salt && !data) {
      continue;
    }
    if (!committed || !salt || !data || !areSame(committed, await commitment(salt, kind, data))) {
      throw new StatementInvalid("it is not about these inputs, or these are not its salts");
    }
  }
}

async function commitment(salt: Bytes, kind: string, data: Bytes): Promise<Bytes> {
  return hmac(salt, joined(utf8(`consentry receipt v1 ${kind}\0`), await sha256(data)));
}

const words = (text: string): Bytes => utf8(text.normalize("NFC"));

const range = (...lists: readonly (readonly unknown[])[]): number[] =>
  Array.from({ length: Math.max(...lists.map((list) => list.length)) }, (_, at) => at);

function placeFrom(value: Json): LogPlace {
  if (!isObject(value)) {
    throw new StatementInvalid("the place in the log is of another type");
  }
  requireMembers(value, PLACE);
  const index = value["index"];
  if (typeof index !== "number" || index < 0) {
    throw new StatementInvalid("the index in the log is no whole number");
  }
  return { origin: textFrom(value["origin"]), index };
}

/** Any spelling of a whole number that is not plain digits was refused while it was read. */
function seconds(value: Json | undefined): number {
  if (typeof value !== "number" || value < 0 || value > MAX_SECONDS) {
    throw new StatementInvalid("the time is not a whole number of seconds");
  }
  return value;
}

export function textFrom(value: Json | undefined): string {
  if (typeof value !== "string" || value === "") {
    throw new StatementInvalid("a text is missing or of another type");
  }
  return value;
}

export function textsFrom(value: Json | undefined): string[] {
  if (!Array.isArray(value)) {
    throw new StatementInvalid("a list is of another type");
  }
  return (value as readonly Json[]).map(textFrom);
}

export function textsByName(value: Json | undefined): ReadonlyMap<string, string> {
  if (!isObject(value)) {
    throw new StatementInvalid("an object is of another type");
  }
  const named = Object.entries(value as JsonObject);
  return new Map(named.map(([name, each]) => [textFrom(name), textFrom(each)]));
}

export function oneOf(words: ReadonlySet<string>, word: string): string {
  if (!words.has(word)) {
    throw new StatementInvalid("a word is not in the vocabulary");
  }
  return word;
}

export const isVerdict = (word: string): string => oneOf(VERDICTS, word);
export const isReason = (word: string): string => oneOf(REASONS, word);

function commitmentFrom(text: string): Bytes {
  const data = fromBase64Url(text);
  if (data.length !== COMMITMENT_BYTES) {
    throw new StatementInvalid("a commitment is 32 bytes long");
  }
  return data;
}
