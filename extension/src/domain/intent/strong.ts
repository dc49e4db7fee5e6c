/**
 * Words worth looking for in disguise: misspelt, taken apart, run together, written backwards.
 * The same as server/consentry/intent/strong.py.
 */

import { LETTERS, isLetter } from "./characters.ts";
import type { Lexicon } from "./lexicon.ts";
import { type View, type WordsInPieces, reversed } from "./normalise.ts";
import { type Token, UNSPACED } from "./tokens.ts";

const SLOTS = [
  "nude",
  "undress",
  "underwear",
  "swimwear",
  "sexual",
  "garment",
  "remove",
  "without",
  "transparent",
  "minor",
] as const;
const SHORTEST = 4;
const SHORTEST_MISSPELT = 6;
const LONGEST_SLIP = 1;
const LONGEST_MISSPELT = 16;
const SHORTEST_BACKWARDS = 3;
/** Words of one text that are mended: a bound on hostile ones. */
const MOST_MENDED = 100;
const MASKED = new RegExp(
  `(?<![\\p{L}\\p{N}])[${LETTERS}]+(?:[*#][${LETTERS}]*){1,4}(?![\\p{L}\\p{N}])`,
  "gu",
);

/** The strong words of some languages. */
export class StrongWords implements WordsInPieces {
  /** As they are written. */
  readonly words: ReadonlySet<string>;
  /** Backwards, those of scripts without spaces, where they stand anywhere. */
  readonly backwardsUnspaced: ReadonlySet<string>;
  readonly #starts: ReadonlySet<string>;
  readonly #stems: ReadonlySet<string>;
  readonly #byShape: ReadonlyMap<string, readonly string[]>;
  readonly #byLanguage: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #slips = new Map<string, ReadonlyMap<string, readonly string[]>>();
  readonly #longest: number;

  constructor(lexicons: readonly Lexicon[]) {
    const byLanguage = new Map<string, ReadonlySet<string>>();
    const stems = new Set<string>();
    const backwards = new Set<string>();
    for (const lexicon of lexicons) {
      const forms = SLOTS.flatMap((slot) => lexicon.words.get(slot) ?? []);
      const texts = new Set(
        forms
          .filter(
            (form) => !form.isOpenBefore && (form.text.length >= SHORTEST || UNSPACED.has(lexicon.script)),
          )
          .map((form) => form.text),
      );
      byLanguage.set(lexicon.language, texts);
      for (const form of forms) {
        if (form.isOpenAfter && !form.isOpenBefore && form.text.length > SHORTEST) {
          stems.add(form.text);
        }
      }
      if (!lexicon.hasSpaces) {
        // The word for "very" is another one backwards.
        const known = new Set([...lexicon.words.values()].flat().map((form) => form.text));
        for (const text of texts) {
          const turned = reversed(text);
          if (text.length >= SHORTEST_BACKWARDS && !known.has(turned)) {
            backwards.add(turned);
          }
        }
      }
    }
    this.#byLanguage = byLanguage;
    this.#stems = stems;
    this.backwardsUnspaced = backwards;
    this.words = new Set([...byLanguage.values()].flatMap((texts) => [...texts]));
    const starts = new Set<string>();
    let longest = 0;
    for (const word of this.words) {
      longest = Math.max(longest, word.length);
      for (let end = 1; end <= word.length; end += 1) {
        starts.add(word.slice(0, end));
      }
    }
    this.#starts = starts;
    this.#longest = longest;
    this.#byShape = Map.groupBy([...this.words].sort(), shapeOf);
  }

  /** Whether letters spell a word, or begin with the stem of one and little more. */
  isWord(spelt: string): boolean {
    if (this.words.has(spelt)) {
      return true;
    }
    for (let end = Math.max(spelt.length - 3, 5); end <= spelt.length; end += 1) {
      if (this.#stems.has(spelt.slice(0, end))) {
        return true;
      }
    }
    return false;
  }

  /** Whether a word may begin with some letters. */
  mayBegin(spelt: string): boolean {
    return this.#starts.has(spelt) || this.isWord(spelt);
  }

  /** Fill in letters that signs stand for (`b*k*n*`), where one strong word fits. */
  unmasked(view: View): View | null {
    let { text } = view;
    let count = 0;
    for (const match of view.text.matchAll(MASKED)) {
      count += 1;
      const meant = count > MOST_MENDED ? undefined : this.#hiddenIn(match[0]);
      if (meant !== undefined) {
        text = text.slice(0, match.index) + meant + text.slice(match.index + meant.length);
      }
    }
    return text === view.text ? null : { text, starts: view.starts, ends: view.ends };
  }

  /** Return the strong word that fits, if letters are most of it. */
  #hiddenIn(masked: string): string | undefined {
    const letters = Array.from(masked).filter(isLetter).length;
    if (letters * 2 < masked.length) {
      return undefined;
    }
    return this.#byShape
      .get(shapeOf(masked))
      ?.find((word) => Array.from(masked).every((char, i) => char === "*" || char === "#" || char === word[i]));
  }

  /** Set spaces around strong words that single letters were run together with. */
  parted(view: View): View {
    let { text } = view;
    const starts = [...view.starts];
    const ends = [...view.ends];
    for (const [first, last] of this.#anywhere(view.text).toReversed()) {
      for (const place of [last, first]) {
        text = `${text.slice(0, place)} ${text.slice(place)}`;
        const here = starts[Math.min(place, starts.length - 1)] ?? 0;
        starts.splice(place, 0, here);
        ends.splice(place, 0, here);
      }
    }
    return { text, starts, ends };
  }

  /** Where strong words of five letters and more stand, the longest first. */
  #anywhere(text: string): [number, number][] {
    const found: [number, number][] = [];
    let at = 0;
    while (at < text.length && found.length < MOST_MENDED) {
      let length = Math.min(this.#longest, text.length - at);
      while (length > SHORTEST && !this.words.has(text.slice(at, at + length))) {
        length -= 1;
      }
      if (length > SHORTEST) {
        found.push([at, at + length]);
      }
      at += length > SHORTEST ? length : 1;
    }
    return found;
  }

  /** Correct one slip in each word that no language knows, if a strong word may be meant. */
  mended(view: View, strangers: readonly Token[], languages: readonly string[]): View | null {
    const slips = strangers.flatMap((token) => {
      const meant = this.#meant(token.text, [...languages, "en"]);
      return meant === undefined ? [] : [{ token, meant }];
    });
    if (slips.length === 0) {
      return null;
    }
    let { text } = view;
    let starts = [...view.starts];
    let ends = [...view.ends];
    for (const { token, meant } of slips.slice(0, MOST_MENDED).reverse()) {
      const first = starts[token.start] ?? 0;
      const last = ends[token.end - 1] ?? first;
      text = text.slice(0, token.start) + meant + text.slice(token.end);
      starts = starts.toSpliced(token.start, token.end - token.start, ...Array.from(meant, () => first));
      ends = ends.toSpliced(token.start, token.end - token.start, ...Array.from(meant, () => last));
    }
    return { text, starts, ends };
  }

  #meant(word: string, languages: readonly string[]): string | undefined {
    if (word.length < SHORTEST_MISSPELT - 1 || word.length > LONGEST_MISSPELT) {
      return undefined;
    }
    for (const language of languages) {
      const slips = this.#slipsOf(language);
      for (const key of [word, ...deletions(word)]) {
        const meant = slips.get(key)?.find((each) => each[0] === word[0] && isOneSlip(word, each));
        if (meant !== undefined) {
          return meant;
        }
      }
    }
    return undefined;
  }

  /** Made for a language when it is first asked for: they are many. */
  #slipsOf(language: string): ReadonlyMap<string, readonly string[]> {
    let slips = this.#slips.get(language);
    if (slips === undefined) {
      const found = new Map<string, string[]>();
      for (const word of [...(this.#byLanguage.get(language) ?? [])].sort()) {
        for (const key of word.length >= SHORTEST_MISSPELT ? [word, ...deletions(word)] : []) {
          const words = found.get(key);
          if (words === undefined) {
            found.set(key, [word]);
          } else {
            words.push(word);
          }
        }
      }
      slips = found;
      this.#slips.set(language, slips);
    }
    return slips;
  }
}

function shapeOf(word: string): string {
  return `${word.charAt(0)}${word.length}`;
}

function* deletions(word: string): Generator<string> {
  for (let i = 0; i < word.length; i += 1) {
    yield word.slice(0, i) + word.slice(i + 1);
  }
}

/** Whether two words differ by one letter added, lost, changed, or two swapped. */
function isOneSlip(word: string, meant: string): boolean {
  if (Math.abs(word.length - meant.length) > LONGEST_SLIP || word === meant) {
    return false;
  }
  const [short, long] = word.length <= meant.length ? [word, meant] : [meant, word];
  let i = 0;
  while (i < short.length && short[i] === long[i]) {
    i += 1;
  }
  if (short.length < long.length) {
    return short.slice(i) === long.slice(i + 1);
  }
  const isSwap =
    word.slice(i, i + 2) === reversed(meant.slice(i, i + 2)) && word.slice(i + 2) === meant.slice(i + 2);
  return short.slice(i + 1) === long.slice(i + 1) || isSwap;
}
