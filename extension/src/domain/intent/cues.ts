/**
 * Signs beside the request itself: does the text speak of a minor, or of a specific person?
 * The same as server/consentry/intent/cues.py.
 */

import { LETTERS, WORDS, isLetter, isShouted, isUpper, splitWords } from "./characters.ts";
import type { Mark } from "./grammar.ts";
import type { Words } from "./marking.ts";
import type { Normaliser } from "./normalise.ts";
import { NO_SENSES, type Senses } from "./vocabulary.ts";

const HANDLE = new RegExp(`(?<![${WORDS}.])@[${WORDS}]{2,30}`, "gu");
const NAME_WORD = new RegExp(`[${LETTERS}]+(?:[\\-'\\u2019][${LETTERS}]+)*`, "gu");
const SHORTEST_NAME = 3;
const NEAR_NUMBER = 2;
const NEAR_THIS = 3;

export interface NamesFile {
  readonly given_names: string;
  /** Handles of assistants, which are asked, not shown. */
  readonly assistants: string;
}

/** Tells signs of minors and of specific people. */
export class Cues {
  readonly #givenNames: ReadonlySet<string>;
  readonly #assistants: ReadonlySet<string>;
  readonly #normaliser: Normaliser;

  constructor(file: NamesFile, normaliser: Normaliser) {
    this.#givenNames = new Set(splitWords(file.given_names));
    this.#assistants = new Set(splitWords(file.assistants));
    this.#normaliser = normaliser;
  }

  /** Whether a word for a minor, or a child's age, stands in a text. */
  speaksOfMinor(marks: readonly Mark[]): boolean {
    return marks.some(
      (mark, i) => mark.has("minor") || (mark.has("child_number") && isNear(marks, i, "years", NEAR_NUMBER)),
    );
  }

  /** Whether a text speaks of somebody in particular: a handle, a name, "this girl", "her". */
  refersToPerson(words: Words, marks: readonly Mark[], sent: string): boolean {
    return (
      marks.some(
        (mark, i) =>
          mark.has("pronoun", "relation", "office") ||
          (mark.has("person") && isNear(marks, i, "this", NEAR_THIS)),
      ) ||
      this.#hasHandle(sent) ||
      this.#hasName(words, sent)
    );
  }

  /** Whether an @handle stands in a text that is not an assistant's. */
  #hasHandle(sent: string): boolean {
    return (sent.match(HANDLE) ?? []).some(
      (handle) => !this.#assistants.has(this.#normaliser.fold(handle.slice(1))),
    );
  }

  /**
   * Whether a word stands in a text that may be a name, since nobody knows it. Asked of revealing requests only.
   */
  hasStranger(words: Words, sent: string): boolean {
    const senses = sensesByText(words);
    const nounsAreCapital = words.primary.includes("de");
    return (sent.match(NAME_WORD) ?? []).some((word) => {
      const found = senses.get(this.#normaliser.fold(word)) ?? NO_SENSES;
      return (
        word.length >= SHORTEST_NAME &&
        (isStrange(found, words) || (isUpper(word.charAt(0)) && !nounsAreCapital && !found.has("en")))
      );
    });
  }

  /** Whether a personal name seems to stand in a text: a known one, or two capitalised strangers. */
  #hasName(words: Words, sent: string): boolean {
    const senses = sensesByText(words);
    const letters = Array.from(sent).filter(isLetter);
    const allShouted = letters.filter(isUpper).length > letters.length / 2;
    const isGerman = words.primary.includes("de");
    let endOfLast = -2;
    let before = "";
    for (const match of sent.matchAll(NAME_WORD)) {
      const word = match[0];
      const lower = this.#normaliser.fold(word);
      const found = senses.get(lower) ?? NO_SENSES;
      const isCapital = isUpper(word.charAt(0)) && !allShouted;
      const isPlace = [...(senses.get(before) ?? NO_SENSES).values()].some((sense) => sense.slots.has("link"));
      before = lower;
      if (this.#givenNames.has(lower) && !isPlace && (isCapital || isStrange(found, words))) {
        return true;
      }
      const isStranger = isCapital && !isShouted(word) && isStrange(found, words);
      if (isStranger && match.index - endOfLast === 1) {
        return true;
      }
      endOfLast = isStranger && !isGerman && !isPlace ? match.index + word.length : -2;
    }
    return false;
  }
}

/** Whether none of a text's languages knows a word. */
function isStrange(found: Senses, words: Words): boolean {
  return !words.primary.some((language) => found.has(language));
}

function sensesByText(words: Words): ReadonlyMap<string, Senses> {
  return new Map(words.tokens.map((token, i) => [token.text, words.senses[i] ?? NO_SENSES]));
}

function isNear(marks: readonly Mark[], place: number, slot: string, reach: number): boolean {
  const mark = marks[place];
  return (
    mark !== undefined &&
    marks
      .slice(Math.max(0, place - reach), place + reach + 1)
      .some(
        (other) =>
          other !== mark &&
          other.has(slot) &&
          Math.max(other.first - mark.last, mark.first - other.last) <= reach,
      )
  );
}
