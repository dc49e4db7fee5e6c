/**
 * A receipt's place in the log, verified without asking anybody: docs/specs/log.md and log-entry.md, RFC 6962, C2SP
 * tlog-proof, tlog-checkpoint, signed-note and tlog-cosignature. Server: transparency/; both run tests/vectors/log_v1.json.
 */

import { toHex } from "../hex.ts";
import { toBase64Url } from "../pairing.ts";
import type { Bytes } from "../sealed-template.ts";
import {
  areSame,
  fromBase64,
  fromBase64Url,
  isObject,
  joined,
  type Json,
  type JsonObject,
  objectOf,
  requireMembers,
  StatementInvalid,
  textOf,
  utf8,
} from "./forms.ts";
import { hmac, KEY_BYTES, type PublicKeys, requireSigned, sha256 } from "./keys.ts";
import { isReason, isVerdict, type ReceiptClaims, textFrom, textsByName, textsFrom, verifyReceipt } from "./receipt.ts";

const HASH_BYTES = 32;
const ID_BYTES = 4;
const STAMP_BYTES = 8;
const MAX_HASHES = 63;
const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** Kinds of verifier keys (C2SP signed-note): a witness's, a log's. */
export const COSIGNATURE = 4;
export const TEXT_SIGNATURE = 1;
const COMMON = ["v", "day", "kind"];
const MEMBERS: ReadonlyMap<Json | undefined, ReadonlySet<string>> = new Map([
  ["verdict", [...COMMON, "verdict", "reasons", "policy", "engines", "receipt", "platform", "purpose", "region"]],
  ["subject", [...COMMON, "change"]],
  ["versions", [...COMMON, "program", "policy", "engines", "models"]],
  ["renewed", [...COMMON, "origin", "size", "root"]],
].map(([kind, names]) => [kind as string, new Set(names)]));

/** Whom to believe: decided by whoever verifies, never by what is verified. */
export interface Trust {
  /** The log's verifier key, of its `/log/key`. */
  readonly log: string;
  /** Verifier keys of witnesses. */
  readonly witnesses: readonly string[];
  /** How many of them must have cosigned. */
  readonly quorum: number;
}

export interface Logged {
  readonly claims: ReceiptClaims;
  readonly origin: string;
  readonly size: number;
}

/** An entry, and the log that it stands in. */
export interface Proved {
  readonly entry: Bytes;
  readonly index: number;
  readonly origin: string;
  readonly size: number;
}

/**
 * Verify a receipt, and that its verdict stands in the log at the place that it names.
 *
 * @param proof In the form of C2SP tlog-proof.
 * @throws {StatementInvalid} If anything does not hold.
 */
export async function verifyLogged(receipt: string, proof: string, keys: PublicKeys, trust: Trust): Promise<Logged> {
  const claims = await verifyReceipt(receipt, keys);
  const { entry, index, origin, size } = await verifyProof(proof, trust);
  if (claims.log === null || claims.log.origin !== origin || claims.log.index !== index) {
    throw new StatementInvalid("the proof is of another place than the receipt names");
  }
  await requireSameVerdict(readEntry(entry), receipt, claims);
  return { claims, origin, size };
}

/**
 * Verify that an entry stands in the log that is trusted. What it says is not looked at.
 *
 * @param proof In the form of C2SP tlog-proof.
 * @throws {StatementInvalid} If anything does not hold.
 */
export async function verifyProof(proof: string, trust: Trust): Promise<Proved> {
  const { entry, index, path, note } = proofOf(proof);
  const { origin, size, root } = headOf(note.text);
  if (trust.log.split("+", 1)[0] !== origin || !(await isSignedBy(note, trust.log, TEXT_SIGNATURE))) {
    throw new StatementInvalid("the head is not signed by the log that is trusted");
  }
  let cosigned = 0;
  for (const witness of new Set(trust.witnesses)) {
    cosigned += (await isSignedBy(note, witness, COSIGNATURE)) ? 1 : 0;
  }
  if (cosigned < trust.quorum) {
    throw new StatementInvalid("too few of the witnesses that are trusted cosigned the head");
  }
  if (!areSame(await rootFrom(await leafHash(entry), index, size, path), root)) {
    throw new StatementInvalid("the entry is not in the log");
  }
  return { entry, index, origin, size };
}

/**
 * Read an entry of version 1: its kind decides its members.
 *
 * @throws {StatementInvalid} If it is not in its canonical spelling (RFC 8785), or not such an entry.
 */
export function readEntry(bytes: Uint8Array): JsonObject {
  const entry = objectOf(bytes);
  if (spelled(entry) !== textOf(bytes) || entry["v"] !== 1) {
    throw new StatementInvalid("it is no entry of version 1 in canonical form");
  }
  const members = MEMBERS.get(entry["kind"]);
  if (members === undefined) {
    throw new StatementInvalid("it is an entry of an unknown kind");
  }
  requireMembers(entry, members);
  requireDay(textFrom(entry["day"]));
  for (const name of ["receipt", "platform", "purpose", "region", "change", "root"]) {
    if (members.has(name) && fromBase64Url(textFrom(entry[name])).length !== HASH_BYTES) {
      throw new StatementInvalid("a commitment is 32 bytes long");
    }
  }
  switch (entry["kind"]) {
    case "verdict":
      isVerdict(textFrom(entry["verdict"]));
      textsFrom(entry["reasons"]).forEach(isReason);
      break;
    case "versions":
      textFrom(entry["program"]);
      textsByName(entry["models"]);
      break;
    case "renewed":
      textFrom(entry["origin"]);
      if (typeof entry["size"] !== "number" || entry["size"] < 0) {
        throw new StatementInvalid("the size of a tree is a whole number");
      }
      break;
  }
  if (members.has("policy")) {
    textFrom(entry["policy"]);
    textsByName(entry["engines"]);
  }
  return entry;
}

/** What an entry commits to under its salt. */
export async function commitmentTo(name: string, value: string, salt: Bytes): Promise<string> {
  const own = await hmac(salt, utf8(`consentry log v1 salt ${name}`));
  return toBase64Url(await hmac(own, joined(utf8(`consentry log v1 ${name}\0`), await sha256(utf8(value)))));
}

export const leafHash = (entry: Bytes): Promise<Bytes> => sha256(joined(Uint8Array.of(0), entry));
export const nodeHash = (left: Bytes, right: Bytes): Promise<Bytes> => sha256(joined(Uint8Array.of(1), left, right));

/** The root that a proof of inclusion leads to (RFC 9162, 2.1.3.2). */
async function rootFrom(leaf: Bytes, index: number, size: number, path: readonly Bytes[]): Promise<Bytes> {
  if (index >= size) {
    throw new StatementInvalid("the entry is beyond the log");
  }
  // Not `>>` and `&`: those know 32 bits, and a log has more entries one day.
  const half = (place: number): number => Math.floor(place / 2);
  let place = index;
  let last = size - 1;
  let node = leaf;
  for (const sibling of path) {
    if (last === 0) {
      throw new StatementInvalid("the proof is too long");
    }
    if (place % 2 === 1 || place === last) {
      node = await nodeHash(sibling, node);
      while (place % 2 === 0 && place > 0) {
        [place, last] = [half(place), half(last)];
      }
    } else {
      node = await nodeHash(node, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  if (last !== 0) {
    throw new StatementInvalid("the proof is too short");
  }
  return node;
}

interface Note {
  readonly text: string;
  readonly lines: readonly string[];
}

function proofOf(proof: string): { entry: Bytes; index: number; path: readonly Bytes[]; note: Note } {
  const gap = proof.indexOf("\n\n");
  const [header, extra, index, ...path] = proof.slice(0, Math.max(gap, 0)).split("\n");
  if (header !== "c2sp.org/tlog-proof@v1" || !extra?.startsWith("extra ") || !index?.startsWith("index ")) {
    throw new StatementInvalid("it is not a proof that carries its entry");
  }
  const hashes = path.map(fromBase64);
  if (hashes.length > MAX_HASHES || hashes.some((hash) => hash.length !== HASH_BYTES)) {
    throw new StatementInvalid("a proof has hashes of 32 bytes");
  }
  return { entry: fromBase64(extra.slice(6)), index: sizeOf(index.slice(6)), path: hashes, note: noteOf(proof.slice(gap + 2)) };
}

function noteOf(whole: string): Note {
  const gap = whole.lastIndexOf("\n\n");
  if (gap < 0 || !whole.endsWith("\n")) {
    throw new StatementInvalid("a note has an empty line before its signatures");
  }
  return { text: whole.slice(0, gap + 1), lines: whole.slice(gap + 2, -1).split("\n") };
}

function headOf(text: string): { origin: string; size: number; root: Bytes } {
  const [origin, size, hash] = text.split("\n");
  if (!origin || size === undefined || hash === undefined) {
    throw new StatementInvalid("a head has an origin, a size and a root hash");
  }
  const root = fromBase64(hash);
  if (root.length !== HASH_BYTES) {
    throw new StatementInvalid("a root hash has 32 bytes");
  }
  return { origin, size: sizeOf(size), root };
}

function sizeOf(text: string): number {
  const size = Number(text);
  if (!SIZE.test(text) || !Number.isSafeInteger(size)) {
    throw new StatementInvalid("that is no size of a tree");
  }
  return size;
}

/**
 * Read a verifier key (C2SP signed-note), and verify it against its own ID.
 *
 * @throws {StatementInvalid} If it is of another kind, or was mistyped.
 */
export async function verifierKeyOf(vkey: string, kind: number): Promise<{ name: string; hash: Bytes; key: Bytes }> {
  const [name, id, ...material] = vkey.split("+");
  const raw = fromBase64(material.join("+"));
  const hash = (await sha256(joined(utf8(`${name}\n`), raw))).slice(0, ID_BYTES);
  if (!name || raw.length !== 1 + KEY_BYTES || raw[0] !== kind || toHex(hash) !== id) {
    throw new StatementInvalid("that verifier key is of another kind, or was mistyped");
  }
  return { name, hash, key: raw.slice(1) };
}

/** Whether a note has a signature of a key; one that is there and does not hold is an error. */
async function isSignedBy(note: Note, vkey: string, kind: number): Promise<boolean> {
  const { name, hash, key } = await verifierKeyOf(vkey, kind);
  let isSigned = false;
  for (const line of note.lines) {
    const [dash, who, blob, ...more] = line.split(" ");
    if (dash !== "\u2014" || blob === undefined || more.length > 0) {
      throw new StatementInvalid("that is no signature line");
    }
    const data = fromBase64(blob);
    if (who !== name || !areSame(data.slice(0, ID_BYTES), hash)) {
      continue;
    }
    if (kind === COSIGNATURE) {
      const stamp = data.slice(ID_BYTES, ID_BYTES + STAMP_BYTES);
      const seconds = stamp.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      const message = utf8(`cosignature/v1\ntime ${seconds}\n${note.text}`);
      await requireSigned(key, data.slice(ID_BYTES + STAMP_BYTES), message);
    } else {
      await requireSigned(key, data.slice(ID_BYTES), utf8(note.text));
    }
    isSigned = true;
  }
  return isSigned;
}

async function requireSameVerdict(entry: JsonObject, receipt: string, claims: ReceiptClaims): Promise<void> {
  const engines = Object.fromEntries([...claims.engines].sort(([one], [other]) => (one < other ? -1 : 1)));
  const isSame =
    entry["kind"] === "verdict" &&
    entry["receipt"] === toBase64Url(await sha256(utf8(receipt))) &&
    entry["verdict"] === claims.verdict &&
    spelled(entry["reasons"] ?? null) === JSON.stringify(claims.reasons) &&
    entry["policy"] === claims.policy &&
    spelled(entry["engines"] ?? null) === JSON.stringify(engines);
  if (!isSame) {
    throw new StatementInvalid("the log says otherwise than the receipt, or of another receipt");
  }
}

function requireDay(text: string): void {
  const moment = new Date(`${text}T00:00:00Z`);
  if (!DAY.test(text) || Number.isNaN(moment.getTime()) || moment.toISOString().slice(0, 10) !== text) {
    throw new StatementInvalid("that is no day");
  }
}

/** The one spelling of a value (RFC 8785): members by UTF-16 code units, numbers and texts as ECMAScript writes them. */
function spelled(value: Json): string {
  if (typeof value === "string" && !value.isWellFormed()) {
    throw new StatementInvalid("a text is not Unicode");
  }
  if (Array.isArray(value)) {
    return `[${(value as readonly Json[]).map(spelled).join(",")}]`;
  }
  if (isObject(value)) {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${spelled(name)}:${spelled(value[name] ?? null)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
