/** What a request body in text form carries: pictures in base64 or as lists of numbers, pictures by address, and words. */

import { fromBase64 } from "../base64.ts";
import type { Bytes } from "../sealed-template.ts";
import { isPicture } from "./sniff.ts";

export interface Contents {
  readonly pictures: readonly Bytes[];
  /** Addresses that the text offers as pictures. */
  readonly addresses: readonly string[];
  /** What somebody may have written as a prompt, in the order of the text. */
  readonly words: readonly string[];
}

/** Shorter than this is no picture. Long enough that an ordinary word is never taken for one. */
const MIN_BASE64 = 80;
const BASE64 = new RegExp(`[A-Za-z0-9+/_-]{${MIN_BASE64},}={0,2}`, "g");
/** Base64 in lines, as in mail; in JSON the line break is two characters. */
const WRAPPED = /(?<=[A-Za-z0-9+/]{60})(?:\\r|\\n|\r|\n)+(?=[A-Za-z0-9+/])/g;
const NUMBERS = /\[\s*\d{1,3}(?:\s*,\s*\d{1,3}){40,}\s*\]/g;
/** Field names that carry a prompt, in the APIs of generators. */
const PROMPT_FIELD = /prompt|message|text|content|query|question|instruction|input|parts|description|caption|^q$|^p$/i;
/** ... and such as only sound like it: `content_type`, `message_id`. */
const LABEL_FIELD = /type|mime|format|role|status|version|lang|(?:^|_|[a-z])(?:id|ID|Id)s?$/;
const PICTURE_FIELD = /image|img|picture|photo|media|file|attachment|url|uri|src|source/i;
const PICTURE_ADDRESS = /\.(?:jpe?g|png|webp|gif|avif|heic|bmp)(?:[?#]|$)|[?&](?:format|fm)=(?:jpe?g|png|webp)/i;
const MAX_WORDS = 8000;
const MAX_DEPTH = 12;

/** Read a body of text: JSON, several JSON values in lines, a form, or words. */
export function contentsOf(text: string): Contents {
  const words: string[] = [];
  const addresses: string[] = [];
  for (const value of values(text)) {
    visit(value, "", 0, words, addresses);
  }
  return { pictures: picturesIn(text), addresses: [...new Set(addresses)], words: bounded(words) };
}

/** Whether there is nothing in a body of text to ask about: no picture, and nothing that a person may ask for. */
export function isPlain(text: string): boolean {
  const { pictures, words } = contentsOf(text);
  return pictures.length === 0 && words.length === 0;
}

/** Pictures that are spelled out in a text. */
export function picturesIn(text: string): Bytes[] {
  const plain = text.includes("%2") ? unescaped(text) : text;
  const found: Bytes[] = [];
  for (const [run] of plain.replaceAll("\\/", "/").replace(WRAPPED, "").matchAll(BASE64)) {
    const bytes = decoded(run);
    if (bytes !== null && isPicture(bytes)) {
      found.push(bytes);
    }
  }
  for (const [run] of plain.matchAll(NUMBERS)) {
    const bytes = Uint8Array.from(run.slice(1, -1).split(","), Number);
    if (isPicture(bytes)) {
      found.push(bytes);
    }
  }
  return found;
}

/** Whether a text offers an address as a picture's. */
export function isPictureAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && PICTURE_ADDRESS.test(text);
}

/** Whether a text can be something that a person asks for, and not a token, a number or an address. */
export function isWording(text: string): boolean {
  return /\p{L}{2}/u.test(text) && !/^\s*(?:https?:|data:|blob:)/i.test(text) && !/^[\w+/=.:-]{25,}$/.test(text.trim());
}

function values(text: string): unknown[] {
  const whole = json(text);
  if (whole !== undefined) {
    return [whole];
  }
  // A line that is no JSON is what it says: nobody can hide words behind a line that is.
  const lines = text.split("\n").map((line) => {
    const value = json(line);
    return value === undefined ? line : value;
  });
  if (lines.some((line) => typeof line === "object" && line !== null)) {
    return lines;
  }
  if (/^[^\s=&]+=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*$/.test(text)) {
    // A form's field may itself hold JSON, as in the batched calls of some sites.
    return [Object.fromEntries([...new URLSearchParams(text)].map(([name, value]) => [name, json(value) ?? value]))];
  }
  return [text];
}

function visit(value: unknown, field: string, depth: number, words: string[], addresses: string[]): void {
  if (depth > MAX_DEPTH) {
    return;
  }
  if (typeof value === "string") {
    const inner = /^\s*[[{]/.test(value) ? json(value) : undefined;
    if (inner !== undefined) {
      visit(inner, field, depth + 1, words, addresses);
    } else if (isPictureAddress(value) || (/^https?:\/\//i.test(value) && /image|img|picture|photo/i.test(field))) {
      addresses.push(value);
    } else if ((field === "" || (PROMPT_FIELD.test(field) && !LABEL_FIELD.test(field))) && isWording(value)) {
      words.push(value);
    }
  } else if (Array.isArray(value)) {
    for (const item of value) {
      visit(item, field, depth + 1, words, addresses);
    }
  } else if (typeof value === "object" && value !== null && !isFromMachine(value)) {
    for (const [name, item] of Object.entries(value)) {
      // `{"image_url": {"url": …}}`, `{"prompt": {"value": …}}`: the outer name says what the inner one is.
      const isInner = name === "value" || (PICTURE_FIELD.test(name) && PICTURE_FIELD.test(field));
      visit(item, isInner ? field : name, depth + 1, words, addresses);
    }
  }
}

/** A turn of the machine in a conversation: what it answered is not what is asked. */
function isFromMachine(value: object): boolean {
  const { role, author } = value as { readonly role?: unknown; readonly author?: unknown };
  const who = typeof author === "object" && author !== null && "role" in author ? author.role : (role ?? author);
  return typeof who === "string" && /^(?:assistant|system|model|tool|bot)$/i.test(who);
}

function bounded(words: readonly string[]): string[] {
  let left = MAX_WORDS;
  const kept: string[] = [];
  // The end of a conversation is what is being asked now.
  for (const each of [...new Set(words)].reverse()) {
    if (left <= 0) {
      break;
    }
    kept.unshift(each.slice(0, left));
    left -= each.length;
  }
  return kept;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", "%2B"));
  } catch {
    return text;
  }
}

function decoded(run: string): Bytes | null {
  const standard = run.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  // A run may begin inside the base64 of something else; then its first bytes are no signature and it is dropped.
  try {
    const head = fromBase64(standard.slice(0, 48));
    return isPicture(head) ? fromBase64(standard.slice(0, standard.length - (standard.length % 4 === 1 ? 1 : 0))) : null;
  } catch {
    return null;
  }
}
