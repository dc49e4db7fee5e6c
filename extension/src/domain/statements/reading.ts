/**
 * Whatever somebody was given as a proof, read: which kind of statement it is, and whether it holds under the keys that she
 * believes.
 *
 *     text --given-->  statement, proofs, entries  --read, with keys-->  what it says | StatementInvalid
 *
 * What a statement says of itself decides only how it is read. Whose it is, the keys decide.
 */

import { type TokenClaims, TOKEN_TYPE, readToken } from "./consent-token.ts";
import { type ErasedEntry, type ErasureClaims, ERASURE_TYPE, requireAbout, requireLogged, verifyErasure } from "./erasure.ts";
import { fromBase64Url, isObject, type Json, type JsonObject, objectOf, StatementInvalid } from "./forms.ts";
import { keysOf, type PublicKeys } from "./keys.ts";
import { COSIGNATURE, type Proved, TEXT_SIGNATURE, type Trust, verifierKeyOf, verifyLogged } from "./log.ts";
import { RECEIPT_TYPE, type ReceiptClaims, verifyReceipt } from "./receipt.ts";

/** It has not the form of anything that could be read: which of the fields it is. */
export class NotReadable extends Error {
  override readonly name = "NotReadable";
  readonly field: "statement" | "keys" | "log";
  /** There is more than one of it, and which of them was meant is not guessed. */
  readonly isSeveral: boolean;

  constructor(field: NotReadable["field"], isSeveral = false) {
    super(isSeveral ? `that is more than one ${field}` : `that is no ${field}`);
    this.field = field;
    this.isSeveral = isSeveral;
  }
}

/** What was pasted: a statement, and what came with it. */
export interface Given {
  readonly type: typeof RECEIPT_TYPE | typeof ERASURE_TYPE | typeof TOKEN_TYPE;
  readonly jws: string;
  /** Of its key: a thumbprint. */
  readonly key: string;
  /** In the form of C2SP tlog-proof: one of a check, one of each person erased. Null for none. */
  readonly proofs: readonly string[] | null;
  readonly entries: readonly ErasedEntry[] | null;
}

/** Whether its place in the log holds; `no_proof` and `no_key`: that was not looked at, because one of them is missing. */
export type InLog =
  | { readonly state: "holds"; readonly origin: string; readonly size: number; readonly witnesses: number }
  | { readonly state: "broken" | "no_proof" | "no_key" | "unnamed" };

export type Reading =
  | { readonly kind: "receipt"; readonly claims: ReceiptClaims; readonly log: InLog }
  | { readonly kind: "erasure"; readonly claims: ErasureClaims; readonly subjects: readonly string[] | null; readonly log: InLog }
  | { readonly kind: "token"; readonly claims: TokenClaims; readonly issuer: string };

const TYPES = [RECEIPT_TYPE, ERASURE_TYPE, TOKEN_TYPE] as const;
/** Members under which statements are handed out, in the answers of docs/api.md. */
const MEMBERS = ["receipt", "jws", "token"];

/**
 * Find the statement in a text: as it is, or in the JSON that it was handed out in.
 *
 * @throws {NotReadable} If there is none, or more than one.
 */
export function given(text: string): Given {
  const { json, jws: found } = text.trimStart().startsWith("{") ? enveloped(jsonFrom(text, "statement")) : { json: {}, jws: text };
  // Mail and terminals break long lines.
  const jws = found.replace(/\s+/g, "");
  try {
    const header = objectOf(fromBase64Url(jws.split(".")[0] ?? ""));
    const type = TYPES.find((each) => each === header["typ"]);
    if (type === undefined || typeof header["kid"] !== "string") {
      throw new NotReadable("statement");
    }
    const isErasure = type === ERASURE_TYPE;
    const proofs = isErasure ? proofsOf(json["proofs"]) : typeof json["proof"] === "string" ? [json["proof"]] : null;
    return { type, jws, key: header["kid"], proofs, entries: isErasure ? entriesOf(json["entries"]) : null };
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
 * @throws {NotReadable} If it is anything else, or a key in it is of another kind or was mistyped.
 */
export async function believedLog(text: string): Promise<Trust | null> {
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim().split(/\s+/)).filter(([first]) => first !== "");
  if (lines.length === 0) {
    return null;
  }
  const [only] = lines;
  if (lines.length === 1 && only?.length === 1) {
    return { log: await vkeyFrom(only[0], TEXT_SIGNATURE), witnesses: [], quorum: 0 };
  }
  const named = (kind: string): string[][] => lines.filter(([first]) => first === kind).map(([, ...rest]) => rest);
  const [logs, witnesses, groups, quorums] = [named("log"), named("witness"), named("group"), named("quorum")];
  const [quorum, group] = [quorums[0]?.[0], groups[0]];
  if (logs.length !== 1 || quorums.length !== 1 || groups.length > 1 || logs.length + witnesses.length + groups.length + 1 !== lines.length) {
    throw new NotReadable("log");
  }
  const log = await vkeyFrom(logs[0]?.[0], TEXT_SIGNATURE);
  const keyOf = (name: string | undefined): Promise<string> =>
    vkeyFrom(witnesses.find(([each]) => each === name)?.[1], COSIGNATURE);
  if (quorum === "none") {
    return { log, witnesses: [], quorum: 0 };
  }
  if (group === undefined || quorum !== group[0]) {
    return { log, witnesses: [await keyOf(quorum)], quorum: 1 };
  }
  const [, threshold = "", ...members] = group;
  const wanted = threshold === "all" ? members.length : threshold === "any" ? 1 : Number(threshold);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > members.length) {
    throw new NotReadable("log");
  }
  return { log, witnesses: await Promise.all(members.map(keyOf)), quorum: wanted };
}

/**
 * Read a statement under the keys that somebody believes.
 *
 * @throws {StatementInvalid} If it does not hold.
 */
export async function read(statement: Given, keys: PublicKeys, trust: Trust | null): Promise<Reading> {
  const { type, jws, proofs, entries } = statement;
  switch (type) {
    case RECEIPT_TYPE: {
      const claims = await verifyReceipt(jws, keys);
      if (claims.log === null) {
        return { kind: "receipt", claims, log: { state: "unnamed" } };
      }
      const log = await placeOf(proofs, trust, async ([proof = ""], believed) => [await verifyLogged(jws, proof, keys, believed)]);
      return { kind: "receipt", claims, log };
    }
    case ERASURE_TYPE: {
      const claims = await verifyErasure(jws, keys);
      if (entries !== null) {
        await requireAbout(claims, entries);
      }
      const log = await placeOf(proofs, trust, (each, believed) => requireLogged(claims, each, believed));
      const isUnnamed = claims.log === null && (log.state === "no_proof" || log.state === "no_key");
      const subjects = entries?.map(({ subject }) => subject) ?? null;
      return { kind: "erasure", claims, subjects, log: isUnnamed ? { state: "unnamed" } : log };
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

type Verifying = (proofs: readonly string[], trust: Trust) => Promise<readonly Pick<Proved, "origin" | "size">[]>;

async function placeOf(proofs: Given["proofs"], trust: Trust | null, verified: Verifying): Promise<InLog> {
  if (proofs === null || trust === null) {
    return { state: proofs === null ? "no_proof" : "no_key" };
  }
  try {
    const [first, ...others] = await verified(proofs, trust);
    if (first === undefined) {
      return { state: "no_proof" };
    }
    // Each proof has a head of its own: the log is at least as large as the largest says.
    const size = Math.max(first.size, ...others.map((each) => each.size));
    return { state: "holds", origin: first.origin, size, witnesses: trust.quorum };
  } catch (error) {
    if (error instanceof StatementInvalid) {
      return { state: "broken" };
    }
    throw error;
  }
}

/** The statement in this object and all within, and the object that it came in. @throws {NotReadable} If that is not one. */
function enveloped(whole: JsonObject): { json: JsonObject; jws: string } {
  const found: { json: JsonObject; jws: string }[] = [];
  const open: Json[] = [whole];
  // It grows while it is walked: no depth at which a second one would go unseen, and no stack that a deep text exhausts.
  for (const each of open) {
    if (isObject(each)) {
      found.push(...membersOf(each).map((jws) => ({ json: each, jws })));
    }
    if (typeof each === "object" && each !== null) {
      for (const inner of Object.values(each) as readonly Json[]) {
        open.push(inner);
      }
    }
  }
  const [only, ...others] = found;
  if (only === undefined || others.length > 0) {
    throw new NotReadable("statement", only !== undefined);
  }
  return only;
}

function membersOf(json: JsonObject): readonly string[] {
  return MEMBERS.map((name) => json[name]).filter((value): value is string => typeof value === "string" && value.includes("."));
}

function proofsOf(value: Json | undefined): readonly string[] | null {
  if (!Array.isArray(value) || value.length === 0) {
    return null;
  }
  if (!value.every((each): each is string => typeof each === "string")) {
    throw new NotReadable("statement");
  }
  return value;
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

/** A key that was mistyped would make every proof look false: its own ID says so before. */
async function vkeyFrom(text: string | undefined, kind: number): Promise<string> {
  try {
    await verifierKeyOf(text ?? "", kind);
    return text ?? "";
  } catch (error) {
    throw error instanceof StatementInvalid ? new NotReadable("log") : error;
  }
}
