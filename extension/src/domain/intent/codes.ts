/** Stretches of a text that were written in a code: the second half of server/consentry/intent/normalise.py. */

import { SPACES, Sent, WORDS, hasLetter, isSpace } from "./characters.ts";

const MIN_CODE_LETTERS = 8;
const MIN_HEX_LETTERS = 8;
const MIN_TEXT = 4;
const READABLE_SHARE = 0.85;
const LONG_CODE = 20;
const KINDS_OF_A_CODE = 3;

const HEX = new RegExp(`(?:(?:0x|\\\\x)?[0-9a-fA-F]{2}[${SPACES},:]?){4,}`, "gu");
const BINARY = new RegExp(
  `(?<![${WORDS}])[01]{8}(?:[${SPACES}][01]{8}){2,}(?![${WORDS}])`,
  "gu",
);
const BASE64 = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{8,}={0,2}(?![A-Za-z0-9+/_=-])/g;
const ESCAPE = /\\u\{?([0-9a-fA-F]{4,6})\}?|\\x([0-9a-fA-F]{2})/g;
const ENTITY = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu;
const PRINTABLE = /^(?:[^\p{C}\p{Z}]| )*$/u;

/** HTML's named characters, and what numbers that are none stand for. */
export interface EntityTables {
  readonly named: Readonly<Record<string, string>>;
  readonly numbered: Readonly<Record<string, string>>;
  readonly invalid: readonly number[];
}

/** A stretch of a text that was written in a code. `decoded` is null when it cannot be undone. */
export interface Chunk {
  /** In code points. */
  readonly start: number;
  readonly end: number;
  readonly decoded: string | null;
}

/**
 * Find HTML entities, URL escapes, base64, hexadecimal, and letters as numbers.
 *
 * @param entities Asked for only when a text has an ampersand.
 */
export function* codedChunks(sent: Sent, entities: () => EntityTables): Generator<Chunk> {
  const { text, flat } = sent;
  const whole = { start: 0, end: sent.points.length };
  for (const [sign, decode] of [
    ["&", (coded: string) => unescaped(coded, entities())],
    ["%", unquoted],
    ["\\", (coded: string) => coded.replace(ESCAPE, characterOf)],
  ] as const) {
    if (text.includes(sign)) {
      const decoded = decode(text);
      if (decoded !== text) {
        yield { ...whole, decoded };
      }
    }
  }
  for (const match of flat.matchAll(HEX)) {
    const digits = match[0].replace(/0x|\\x/g, "").replace(/[^0-9a-fA-F]/g, "");
    if (digits.length >= MIN_HEX_LETTERS && digits.length % 2 === 0) {
      yield* decodedChunk(match, bytesOf(digits.match(/../g) ?? [], 16));
    }
  }
  for (const match of flat.matchAll(BINARY)) {
    yield* decodedChunk(match, bytesOf(match[0].match(/[01]{8}/g) ?? [], 2));
  }
  yield* base64Chunks(flat);
}

function* decodedChunk(match: RegExpExecArray, bytes: Uint8Array): Generator<Chunk> {
  const decoded = asText(bytes);
  if (decoded !== null) {
    yield { start: match.index, end: match.index + match[0].length, decoded };
  }
}

function* base64Chunks(text: string): Generator<Chunk> {
  for (const match of text.matchAll(BASE64)) {
    const code = match[0];
    if (code.length < MIN_CODE_LETTERS || isAddress(text, match.index)) {
      continue;
    }
    const decoded = asText(base64Bytes(code));
    if (decoded !== null || looksCoded(code)) {
      yield { start: match.index, end: match.index + code.length, decoded };
    }
  }
}

function base64Bytes(code: string): Uint8Array {
  const core = code.replace(/=+$/, "").replaceAll("-", "+").replaceAll("_", "/");
  if (core.length % 4 === 1) {
    return new Uint8Array();
  }
  return Uint8Array.from(atob(core), (char) => char.charCodeAt(0));
}

/** Whether the word that a match stands in is a web address: its parts are not sentences. */
function isAddress(text: string, start: number): boolean {
  let from = start;
  while (from > 0 && !isSpace(text.charAt(from - 1))) {
    from -= 1;
  }
  const word = text.slice(from, start);
  return word.includes("://") || word.startsWith("www.");
}

/** Whether a word is too long and too mixed to be one, and not a file name or a number. */
function looksCoded(code: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[+/=]/].filter((kind) => kind.test(code)).length;
  return code.length >= LONG_CODE && kinds >= KINDS_OF_A_CODE && !code.includes("-");
}

/** Return bytes as text if that is what they are: mostly letters and spaces, no controls. */
function asText(bytes: Uint8Array): string | null {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null; // not text: that is the question here
  }
  const points = Array.from(text);
  const letters = points.filter((char) => hasLetter(char) || isSpace(char) || "'.,!?-".includes(char)).length;
  if (points.length < MIN_TEXT || letters < READABLE_SHARE * points.length) {
    return null;
  }
  return PRINTABLE.test(text) || !new RegExp(`[^\\x20-\\x7e${SPACES}]`, "u").test(text) ? text : null;
}

function bytesOf(codes: readonly string[], base: number): Uint8Array {
  return Uint8Array.from(codes, (code) => Number.parseInt(code, base));
}

function characterOf(match: string, wide: string | undefined, narrow: string | undefined): string {
  const value = Number.parseInt(wide ?? narrow ?? "", 16);
  const isCharacter = value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff);
  return isCharacter ? String.fromCodePoint(value) : match;
}

/** Undo URL escapes; what is not UTF-8 becomes U+FFFD. */
function unquoted(text: string): string {
  return text.replace(/[\x00-\x7f]+/g, (run) => {
    const bytes: number[] = [];
    for (let i = 0; i < run.length; i += 1) {
      const code = /^%([0-9a-fA-F]{2})/.exec(run.slice(i, i + 3))?.[1];
      bytes.push(code === undefined ? run.charCodeAt(i) : Number.parseInt(code, 16));
      i += code === undefined ? 0 : 2;
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  });
}

/** Undo HTML entities as browsers do, also where the semicolon is missing. */
function unescaped(text: string, tables: EntityTables): string {
  return text.replace(ENTITY, (_match, name: string) => {
    if (name.startsWith("#")) {
      return numbered(name, tables);
    }
    const known = own(tables.named, name);
    if (known !== undefined) {
      return known;
    }
    for (let end = name.length - 1; end > 1; end -= 1) {
      const begun = own(tables.named, name.slice(0, end));
      if (begun !== undefined) {
        return begun + name.slice(end);
      }
    }
    return `&${name}`;
  });
}

function numbered(name: string, tables: EntityTables): string {
  const digits = name.slice(1).replace(/;$/, "");
  const value = /^[xX]/.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 10);
  const other = own(tables.numbered, String(value));
  if (other !== undefined) {
    return other;
  }
  if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) {
    return "\ufffd";
  }
  return tables.invalid.includes(value) ? "" : String.fromCodePoint(value);
}

/** A table's own entry: a text may well say "constructor". */
function own(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
