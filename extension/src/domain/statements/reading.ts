/**
 * Whatever somebody was given as a proof, read: which kind of statement it is, and whether it holds under the keys that she
 * believes.
 *
 *     text --given-->  statement, proof, entries  --read, with keys-->  what it says | StatementInvalid
 *
 * What a statement says of itself decides only how it is read. Whose it is, the keys decide.
 */

import { type TokenClaims, TOKEN_TYPE, readToken } from "./consent-token.ts";
import { type ErasedEntry, type ErasureClaims, ERASURE_TYPE, requireAbout, verifyErasure } from "./erasure.ts";
import { fromBase64Url, isObject, type Json, type JsonObject, objectOf, StatementInvalid } from "./forms.ts";
import { keysOf, type PublicKeys } from "./keys.ts";
import { type Trust, verifyLogged } from "./log.ts";
import { RECEIPT_TYPE, type ReceiptClaims, verifyReceipt } from "./receipt.ts";

/** It has not the form of anything that could be read: which of the fields it is. */
export class NotReadable extends Error {
  override readonly name = "NotReadable";
  readonly field: "statement" | "keys" | "log";

  constructor(field: NotReadable["field"]) {
    super(`that is no ${field}`);
    this.field = field;
  }
}

/** What was pasted: a statement, and what came with it. */
export interface Given {
  readonly type: typeof RECEIPT_TYPE | typeof ERASURE_TYPE | typeof TOKEN_TYPE;
  readonly jws: string;
  /** Of its key: a thumbprint. */
  readonly key: string;
  /** In the form of C2SP tlog-proof. */
  readonly proof: string | null;
  readonly entries: readonly ErasedEntry[] | null;
}

/** Whether its place in the log holds; `no_proof` and `no_key`: that was not looked at, because one of them is missing. */
export type InLog =
  | { readonly state: "holds"; readonly size: number; readonly witnesses: number }
  | { readonly state: "broken" | "no_proof" | "no_key" | "unnamed" };

export type Reading =
  | { readonly kind: "receipt"; readonly claims: ReceiptClaims; readonly log: InLog }
  | { readonly kind: "erasure"; readonly claims: ErasureClaims; readonly subjects: readonly string[] | null }
  | { readonly kind: "token"; readonly claims: TokenClaims; readonly issuer: string };

const TYPES = [RECEIPT_TYPE, ERASURE_TYPE, TOKEN_TYPE] as const;
/** Members under which statements are handed out, in the answers of docs/api.md. */
const MEMBERS = ["receipt", "jws", "token"];
const MAX_DEPTH = 4;

/**
 * Find the statement in a text: as it is, or in the JSON that it was handed out in.
 *
 * @throws {NotReadable} If there is none.
 */
export function given(text: string): Given {
  const json = text.trimStart().startsWith("{") ? envelopeIn(jsonFrom(text, "statement"), 0) : {};
  if (json === null) {
    throw new NotReadable("statement");
  }
  // Mail and terminals break long lines.
  const jws = (memberOf(json) ?? text).replace(/\s+/g, "");
  try {
    const header = objectOf(fromBase64Url(jws.split(".")[0] ?? ""));
    const type = TYPES.find((each) => each === header["typ"]);
    if (type === undefined || typeof header["kid"] !== "string") {
      throw new NotReadable("statement");
    }
    const proof = typeof json["proof"] === "string" ? json["proof"] : null;
    return { type, jws, key: header["kid"], proof, entries: type === ERASURE_TYPE ? entriesOf(json["entries"]) : null };
  } catch (error) {
    throw error instanceof StatementInvalid ? new NotReadable("statement") : error;
  }
}

/** A key set, or a single key (RFC 7517). @throws {NotReadable} If it is none, or there is no key in it that could have signed. */
export async function believedKeys(text: string): Promise<PublicKeys> {
  const json = jsonFrom(text, "keys");
  const keys = await keysOf("keys" in json ? json : { keys: [json] }).catch(() => new Map<string, never>());
  if (keys.size === 0) {
    throw new NotReadable("keys");
  }
  return keys;
}

/**
 * Whom to believe about the log: its verifier key alone, or a policy (C2SP tlog-policy) of one log, witnesses, and at most one
 * group of them. Null for nothing.
 *
 * @throws {NotReadable} If it is anything else.
 */
export function believedLog(text: string): Trust | null {
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim().split(/\s+/)).filter(([first]) => first !== "");
  if (lines.length === 0) {
    return null;
  }
  const [only] = lines;
  if (lines.length === 1 && only?.length === 1) {
    return { log: vkeyFrom(only[0]), witnesses: [], quorum: 0 };
  }
  const named = (kind: string): string[][] => lines.filter(([first]) => first === kind).map(([, ...rest]) => rest);
  const [logs, witnesses, groups, quorums] = [named("log"), named("witness"), named("group"), named("quorum")];
  const [log, quorum, group] = [logs[0]?.[0], quorums[0]?.[0], groups[0]];
  if (logs.length !== 1 || quorums.length !== 1 || groups.length > 1 || logs.length + witnesses.length + groups.length + 1 !== lines.length) {
    throw new NotReadable("log");
  }
  const keyOf = (name: string | undefined): string => vkeyFrom(witnesses.find(([each]) => each === name)?.[1]);
  if (quorum === "none") {
    return { log: vkeyFrom(log), witnesses: [], quorum: 0 };
  }
  if (group === undefined || quorum !== group[0]) {
    return { log: vkeyFrom(log), witnesses: [keyOf(quorum)], quorum: 1 };
  }
  const [, threshold = "", ...members] = group;
  const wanted = threshold === "all" ? members.length : threshold === "any" ? 1 : Number(threshold);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > members.length) {
    throw new NotReadable("log");
  }
  return { log: vkeyFrom(log), witnesses: members.map(keyOf), quorum: wanted };
}

/**
 * Read a statement under the keys that somebody believes.
 *
 * @throws {StatementInvalid} If it does not hold.
 */
export async function read(statement: Given, keys: PublicKeys, trust: Trust | null): Promise<Reading> {
  const { type, jws, entries } = statement;
  switch (type) {
    case RECEIPT_TYPE: {
      const claims = await verifyReceipt(jws, keys);
      return { kind: "receipt", claims, log: await placeOf(statement, claims, keys, trust) };
    }
    case ERASURE_TYPE: {
      const claims = await verifyErasure(jws, keys);
      if (entries !== null) {
        await requireAbout(claims, entries);
      }
      return { kind: "erasure", claims, subjects: entries?.map(({ subject }) => subject) ?? null };
    }
    case TOKEN_TYPE: {
      // Whom it names as its issuer it may name: the keys are that issuer's, or they are not.
      const issuer = objectOf(fromBase64Url(jws.split(".")[1] ?? ""))["iss"];
      const claims = typeof issuer === "string" ? await readToken(jws, issuer, keys) : null;
      if (typeof issuer !== "string" || claims === null) {
        throw new StatementInvalid("it is no token of these keys");
      }
      return { kind: "token", claims, issuer };
    }
  }
}

async function placeOf({ jws, proof }: Given, { log }: ReceiptClaims, keys: PublicKeys, trust: Trust | null): Promise<InLog> {
  if (log === null || proof === null || trust === null) {
    return { state: log === null ? "unnamed" : proof === null ? "no_proof" : "no_key" };
  }
  try {
    const { size } = await verifyLogged(jws, proof, keys, trust);
    return { state: "holds", size, witnesses: trust.quorum };
  } catch (error) {
    if (error instanceof StatementInvalid) {
      return { state: "broken" };
    }
    throw error;
  }
}

/** The object, of these and all within, that holds a statement. */
function envelopeIn(value: Json | undefined, depth: number): JsonObject | null {
  if (isObject(value) && memberOf(value) !== null) {
    return value;
  }
  const inner = typeof value === "object" && value !== null && depth < MAX_DEPTH ? Object.values(value) : [];
  for (const each of inner as readonly Json[]) {
    const found = envelopeIn(each, depth + 1);
    if (found !== null) {
      return found;
    }
  }
  return null;
}

function memberOf(json: JsonObject): string | null {
  const found = MEMBERS.map((name) => json[name]).find((value) => typeof value === "string" && value.includes("."));
  return typeof found === "string" ? found : null;
}

function entriesOf(value: Json | undefined): readonly ErasedEntry[] | null {
  if (!Array.isArray(value)) {
    return null;
  }
  return (value as readonly Json[]).map((each) => {
    const { subject, entry, salt } = isObject(each) ? each : {};
    if (typeof subject !== "string" || typeof entry !== "string" || typeof salt !== "string") {
      throw new NotReadable("statement");
    }
    return { subject, entry: fromBase64Url(entry), salt: fromBase64Url(salt) };
  });
}

/** What statements travel in is signed by nobody: it is read as JSON is read everywhere. */
function jsonFrom(text: string, field: NotReadable["field"]): JsonObject {
  try {
    const found = JSON.parse(text) as Json;
    if (isObject(found)) {
      return found;
    }
  } catch {
    // Said below: there is nothing else to say about it.
  }
  throw new NotReadable(field);
}

function vkeyFrom(text: string | undefined): string {
  if (text === undefined || !/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/.test(text)) {
    throw new NotReadable("log");
  }
  return text;
}
