/** The forms that signed statements come in: bytes, base64 in its one spelling, JSON that only has one reading. */

import type { Bytes } from "../sealed-template.ts";

/** It is not what it says it is, or was changed, or signed by somebody else. Which of these is not told apart. */
export class StatementInvalid extends Error {
  override readonly name = "StatementInvalid";
}

/** What a statement may hold. Fractions have more than one spelling, so there are none. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json };

const MAX_DEPTH = 64;
const SPACE = /[ \t\n\r]*/y;
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WHOLE = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;

export function utf8(text: string): Bytes {
  return Uint8Array.from(new TextEncoder().encode(text));
}

export function joined(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function areSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** @throws {StatementInvalid} If it is not UTF-8. A byte order mark is not taken away. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new StatementInvalid("it is not UTF-8", { cause: error });
  }
}

/** @throws {StatementInvalid} If it is padded, of another alphabet, or has stray bits in its last letter. */
export function fromBase64Url(text: string): Bytes {
  return decoded(text, /^[A-Za-z0-9_-]*$/, text.replaceAll("-", "+").replaceAll("_", "/"));
}

/** @throws {StatementInvalid} If it is not padded, of another alphabet, or has stray bits in its last letter. */
export function fromBase64(text: string): Bytes {
  return decoded(text, /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, text);
}

function decoded(text: string, alphabet: RegExp, standard: string): Bytes {
  if (!alphabet.test(text) || text.length % 4 === 1) {
    throw new StatementInvalid("it is not base64");
  }
  const binary = atob(standard);
  const again = btoa(binary).replaceAll("=", "");
  if (again !== standard.replaceAll("=", "")) {
    throw new StatementInvalid("it is not canonical base64");
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/**
 * Read one JSON object. A member that is there twice is refused, because readers differ in which they take; so is a
 * number that is not whole, or not exact as a double.
 *
 * @throws {StatementInvalid} If it is anything else.
 */
export function objectOf(bytes: Uint8Array): JsonObject {
  const reader = new Reader(textOf(bytes));
  const found = reader.whole();
  if (!isObject(found)) {
    throw new StatementInvalid("it is not an object");
  }
  return found;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws {StatementInvalid} If these are not exactly its members. */
export function requireMembers(value: JsonObject, names: ReadonlySet<string>): void {
  const found = Object.keys(value);
  if (found.length !== names.size || !found.every((name) => names.has(name))) {
    throw new StatementInvalid("it has members too many or too few");
  }
}

class Reader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Json {
    const found = this.#value(0);
    this.#take(SPACE);
    if (this.#at !== this.#text.length) {
      throw new StatementInvalid("something follows its end");
    }
    return found;
  }

  #value(depth: number): Json {
    if (depth > MAX_DEPTH) {
      throw new StatementInvalid("it is too deep");
    }
    this.#take(SPACE);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#list(depth);
      case '"':
        return this.#string();
      default:
        return this.#plain();
    }
  }

  #object(depth: number): Json {
    // No prototype: `__proto__` is a member like any other.
    const found: { [name: string]: Json } = Object.create(null);
    this.#each("}", () => {
      this.#take(SPACE);
      const name = this.#string();
      if (Object.hasOwn(found, name)) {
        throw new StatementInvalid("a member is there twice");
      }
      this.#take(SPACE);
      this.#expect(":");
      found[name] = this.#value(depth + 1);
    });
    return found;
  }

  #list(depth: number): Json {
    const found: Json[] = [];
    this.#each("]", () => found.push(this.#value(depth + 1)));
    return found;
  }

  #each(end: string, read: () => void): void {
    this.#at += 1;
    this.#take(SPACE);
    if (this.#text[this.#at] === end) {
      this.#at += 1;
      return;
    }
    for (;;) {
      read();
      this.#take(SPACE);
      if (this.#text[this.#at] !== ",") {
        break;
      }
      this.#at += 1;
    }
    this.#expect(end);
  }

  #string(): string {
    return JSON.parse(this.#take(TEXT)) as string;
  }

  #plain(): Json {
    for (const [word, value] of [["null", null], ["true", true], ["false", false]] as const) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    const number = Number(this.#take(WHOLE));
    if (!Number.isSafeInteger(number) || Object.is(number, -0)) {
      throw new StatementInvalid("a number is not exact");
    }
    return number;
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) {
      throw new StatementInvalid("it is not JSON");
    }
    this.#at += 1;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) {
      throw new StatementInvalid("it is not JSON");
    }
    this.#at = pattern.lastIndex;
    return found[0];
  }
}
