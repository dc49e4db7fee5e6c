/** A reading of a text as words, and what each word is: server/consentry/intent/tokens.py. */

import { OF_A_WORD, hasDigit, isAscii } from "./characters.ts";
import { type View, WORD, sourceOf } from "./normalise.ts";

const SENTENCE_END = /(?<!\.)\.(?!\.)|[!?;\u0964\u0965\u3002\uff01\uff1f\uff1b\u061f\u061b\u06d4]/u;
const COMMA = /[,:\u060c\u3001\uff0c()"\u201c\u201d\u00ab\u00bb/|\u2014\u2013]| -+ /u;
/** People list what they want in lines, with dashes, bars, arrows and pictures. */
export const CLAUSE_END = new RegExp(`(?:[^${OF_A_WORD}\\- \\u00a0]|_| -+ |[ \\u00a0]{2})+`, "u");

/** Scripts in which words are found wherever they stand. */
export const UNSPACED: ReadonlySet<string> = new Set(["CJK", "THAI", "HANGUL"]);

/** Where scripts end: every code below the number, from the one before, is of that script. */
export type ScriptTable = readonly (readonly [end: number, script: string])[];

/** Finds one word of unspaced text. */
export interface LongestWord {
  /** The length of the longest word that begins at a place; 0 if none. */
  longestAt(text: string, start: number, stop: number): number;
}

export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Of its first letter. */
  readonly script: string;
  /** Whether a sentence ends before it. */
  readonly endsSentence: boolean;
  /** Whether a comma or a bracket stands before it. */
  readonly afterComma: boolean;
}

/** Tells scripts apart and cuts text into words. */
export class Tokeniser {
  readonly #scripts: ScriptTable;

  constructor(scripts: ScriptTable) {
    this.#scripts = scripts;
  }

  /** The script of a letter as lexicons name it; OTHER for those of no lexicon. */
  scriptOf(char: string): string {
    if (isAscii(char)) {
      return "LATIN";
    }
    const code = char.charCodeAt(0);
    return this.#scripts.find(([end]) => code < end)?.[1] ?? "OTHER";
  }

  /** The scripts of all characters of a text. */
  scriptsOf(text: string): Set<string> {
    return new Set(Array.from(new Set(text), (char) => this.scriptOf(char)));
  }

  /** Cut a reading into words; text without spaces is cut where its vocabulary knows a word. */
  tokens(view: View, vocabularies: ReadonlyMap<string, LongestWord>): Token[] {
    const { text } = view;
    const found: Token[] = [];
    let last = 0;
    for (const [start, end, script] of this.#runs(text)) {
      const between = text.slice(last, start);
      let endsSentence = SENTENCE_END.test(between);
      let afterComma = COMMA.test(between);
      last = end;
      const vocabulary = UNSPACED.has(script) ? vocabularies.get(script) : undefined;
      const pieces = vocabulary === undefined ? [[start, end] as const] : cut(text, start, end, vocabulary);
      for (const [first, stop] of pieces) {
        found.push({ text: text.slice(first, stop), start: first, end: stop, script, endsSentence, afterComma });
        endsSentence = false;
        afterComma = false;
      }
    }
    return found;
  }

  /** Give the words, and the runs of one unspaced script within them. */
  *#runs(text: string): Generator<readonly [number, number, string]> {
    const allAscii = isAscii(text);
    for (const match of text.matchAll(WORD)) {
      const start = match.index;
      const word = match[0];
      if (allAscii) {
        yield [start, start + word.length, "LATIN"];
        continue;
      }
      const scripts = Array.from(word, (char) => this.scriptOf(char));
      if (!scripts.some((script) => UNSPACED.has(script))) {
        yield [start, start + word.length, scripts[0] ?? "OTHER"];
        continue;
      }
      let at = 0;
      for (let i = 1; i <= scripts.length; i += 1) {
        if (i === scripts.length || isBorder(word, scripts, at, i)) {
          yield [start + at, start + i, scripts[at] ?? "OTHER"];
          at = i;
        }
      }
    }
  }
}

/** Before which words a clause may begin, by the signs and gaps in the text as it was sent. */
export function breaksOf(view: View, tokens: readonly Token[], sent: string): ReadonlySet<number> {
  const found = new Set<number>();
  if (!CLAUSE_END.test(sent)) {
    return found;
  }
  const sources = tokens.map(({ start, end }) => sourceOf(view, start, end));
  for (const [i, [start, end]] of sources.entries()) {
    const [before, until] = sources[i - 1] ?? [start, end];
    if (i > 0 && CLAUSE_END.test(sent.slice(Math.min(until, end), Math.max(before, start)))) {
      found.add(i);
    }
  }
  return found;
}

function isBorder(word: string, scripts: readonly string[], at: number, i: number): boolean {
  const here = scripts[i] ?? "";
  const run = scripts[at] ?? "";
  const differs = here !== run || hasDigit(word.charAt(i)) !== hasDigit(word.charAt(at));
  return differs && (UNSPACED.has(here) || UNSPACED.has(run));
}

function* cut(
  text: string,
  start: number,
  end: number,
  vocabulary: LongestWord,
): Generator<readonly [number, number]> {
  let at = start;
  let unknown = start;
  while (at < end) {
    const length = vocabulary.longestAt(text, at, end);
    if (length === 0) {
      at += 1;
      continue;
    }
    if (unknown < at) {
      yield [unknown, at];
    }
    yield [at, at + length];
    at += length;
    unknown = at;
  }
  if (unknown < end) {
    yield [unknown, end];
  }
}
