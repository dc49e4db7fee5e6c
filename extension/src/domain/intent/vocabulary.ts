/** The words of every language that shares a script, looked up a word at a time: server/consentry/intent/vocabulary.py. */

import type { Lexicon, Phrase, WordForm } from "./lexicon.ts";

const LONGEST_WORD = 48;
const SHORTEST_STEM_AFTER_CLITIC = 2;
const CLITICS_IN_A_ROW = 3;
const MOST_REMEMBERED = 20_000;
const LONGEST_RUN = 240;
const LONGEST_ENDING = 3;
const SHORTEST_STEM = 4;
const FEWEST_WORDS_OF_A_RUN = 3;
const SHORTEST_OF_A_RUN = 2;
const LANGUAGES_OF_A_RUN = 3;
const LETTERS_A_WORD = 3.25;
const COST = 2;

/** What a word is in one language: its slots, and the literal pieces of phrases that it is. */
export interface Sense {
  readonly slots: ReadonlySet<string>;
  readonly pieces: ReadonlySet<string>;
  readonly isExact: boolean;
  readonly length: number;
}

/** By language. */
export type Senses = ReadonlyMap<string, Sense>;

export const NO_SENSES: Senses = new Map();

interface Row {
  readonly language: string;
  readonly slot: string;
  readonly length: number;
  readonly isExact: boolean;
}

type Table = Map<string, Row[]>;

/** Slots that a word fills beside its others: "undress-her" is an act and a person. */
const ADDED: ReadonlySet<string> = new Set(["pronoun", "not", "person", "dressed", "function", "common"]);

class Tables {
  readonly exact: Table = new Map();
  readonly beginnings: Table = new Map();
  readonly endings: Table = new Map();
  readonly parts: Table = new Map();

  add(form: WordForm, text: string, language: string, slot: string): void {
    const isExact = !form.isOpenBefore && !form.isOpenAfter;
    const table = isExact
      ? this.exact
      : form.isOpenBefore && form.isOpenAfter
        ? this.parts
        : form.isOpenAfter
          ? this.beginnings
          : this.endings;
    const row = { language, slot, length: text.length, isExact };
    const rows = table.get(text);
    if (rows === undefined) {
      table.set(text, [row]);
    } else {
      rows.push(row);
    }
  }
}

/** The words of several lexicons. */
export class Vocabulary {
  readonly lexicons: ReadonlyMap<string, Lexicon>;
  /** By the key of the first element, then by that of the second. */
  readonly phrases = new Map<string, Map<string, Phrase[]>>();
  /** Languages in which accents tell words apart. */
  readonly accented: ReadonlySet<string>;
  readonly #plain = new Tables();
  readonly #accentedWords = new Tables();
  readonly #longest: number;
  readonly #clitics: readonly (readonly [language: string, prefixes: readonly string[]])[];
  readonly #known = new Map<string, Senses>();
  readonly #knownAccented = new Map<string, Senses>();
  readonly #knownCuts = new Map<string, readonly (readonly number[])[]>();

  constructor(lexicons: readonly Lexicon[]) {
    this.lexicons = new Map(lexicons.map((lexicon) => [lexicon.language, lexicon]));
    for (const lexicon of lexicons) {
      this.#add(lexicon);
    }
    this.accented = new Set(lexicons.filter((each) => each.keepsAccents).map((each) => each.language));
    let longest = 1;
    for (const text of this.#plain.exact.keys()) {
      longest = Math.max(longest, text.length);
    }
    this.#longest = longest;
    this.#clitics = lexicons
      .filter((each) => each.prefixes.length > 0)
      .map((each) => [each.language, each.prefixes]);
  }

  #add(lexicon: Lexicon): void {
    for (const [slot, forms] of lexicon.words) {
      for (const form of forms) {
        this.#addForm(form, lexicon, slot);
      }
    }
    for (const phrase of lexicon.phrases) {
      const [first, second] = phrase.elements;
      if (first === undefined || second === undefined) {
        continue;
      }
      let bySecond = this.phrases.get(first.key);
      if (bySecond === undefined) {
        bySecond = new Map();
        this.phrases.set(first.key, bySecond);
      }
      const same = bySecond.get(second.key);
      if (same === undefined) {
        bySecond.set(second.key, [phrase]);
      } else {
        same.push(phrase);
      }
      for (const element of phrase.elements) {
        if (element.form !== null) {
          this.#addForm(element.form, lexicon, element.key);
        }
      }
    }
  }

  #addForm(form: WordForm, lexicon: Lexicon, slot: string): void {
    if (!form.isAccentedOnly) {
      this.#plain.add(form, form.text, lexicon.language, slot);
    }
    if (lexicon.keepsAccents) {
      this.#accentedWords.add(form, form.withAccents || form.text, lexicon.language, slot);
    }
  }

  /** What a word is, in each language that knows it. */
  lookUp(word: string): Senses {
    return remembered(this.#known, word, () => this.#lookUp(word));
  }

  /** The same for languages that keep their accents, with the word as it was sent. */
  lookUpAccented(word: string): Senses {
    return remembered(this.#knownAccented, word, () => sensesOf(this.#accentedWords, word));
  }

  #lookUp(word: string): Senses {
    const senses = sensesOf(this.#plain, word);
    for (const [language, prefixes] of this.#clitics) {
      // A word that is but a piece of some phrase is still one with small words before it.
      const piece = senses.get(language);
      if (piece === undefined || piece.slots.size === 0) {
        const sense = this.#withoutClitics(word, language, prefixes, piece);
        if (sense !== undefined) {
          senses.set(language, sense);
        }
      }
    }
    return senses;
  }

  #withoutClitics(word: string, language: string, prefixes: readonly string[], piece: Sense | undefined): Sense | undefined {
    let found = piece;
    let rest = word;
    for (let i = 0; i < CLITICS_IN_A_ROW; i += 1) {
      for (const prefix of prefixes) {
        const after = rest.slice(prefix.length);
        const stem =
          rest.startsWith(prefix) && after.length >= SHORTEST_STEM_AFTER_CLITIC
            ? sensesOf(this.#plain, after).get(language)
            : undefined;
        if (stem !== undefined) {
          found = found === undefined ? stem : { ...stem, pieces: stem.pieces.union(found.pieces) };
          if (found.slots.size > 0) {
            return found;
          }
        }
      }
      const shorter = prefixes.find((prefix) => rest.startsWith(prefix) && rest.length > prefix.length + 1);
      if (shorter === undefined) {
        return found;
      }
      rest = rest.slice(shorter.length);
    }
    return found;
  }

  /**
   * Where letters without a space fall into three words or more, in each of the likeliest languages: "takeoffhertop".
   * Nothing for a word that is one, or that falls into no such words.
   */
  cutsOf(run: string): readonly (readonly number[])[] {
    return remembered(this.#knownCuts, run, () => this.#cutsOf(run));
  }

  #cutsOf(run: string): number[][] {
    if (run.length > LONGEST_RUN || this.#plain.exact.has(run)) {
      return [];
    }
    const reached = this.#reached(run);
    const found = new Map<string, number[]>();
    const ranked = [...(reached[run.length] ?? [])].sort(
      ([one, { cost }], [other, { cost: more }]) => cost - more || (one < other ? -1 : 1),
    );
    for (const [language] of ranked) {
      const starts: number[] = [];
      let at = run.length;
      while (at > 0) {
        at = reached[at]?.get(language)?.start ?? 0;
        starts.unshift(at);
      }
      if (starts.length < FEWEST_WORDS_OF_A_RUN) {
        break; // a compound: "brotherhood"
      }
      // Fewer letters a word are no words but a long name: "pa pa di mi tri ou".
      if (run.length >= LETTERS_A_WORD * starts.length) {
        const cuts = starts.slice(1);
        found.set(cuts.join(), found.get(cuts.join()) ?? cuts);
      }
    }
    return [...found.values()].slice(0, LANGUAGES_OF_A_RUN);
  }

  /** For each place and language, what the cheapest words up to it cost, and where the last begins. */
  #reached(run: string): Map<string, { readonly cost: number; readonly start: number }>[] {
    const reached = Array.from({ length: run.length + 1 }, () => new Map<string, { cost: number; start: number }>());
    const none = new Map(Array.from(this.lexicons.keys(), (language) => [language, { cost: 0, start: 0 }]));
    for (let start = 0; start < run.length; start += 1) {
      const before = start === 0 ? none : reached[start];
      const most = Math.min(run.length, start + this.#longest);
      for (let end = start + SHORTEST_OF_A_RUN; before !== undefined && before.size > 0 && end <= most; end += 1) {
        const here = reached[end];
        for (const [language, cost] of this.#costs(run.slice(start, end))) {
          const whole = (before.get(language)?.cost ?? Infinity) + cost;
          if (whole < (here?.get(language)?.cost ?? Infinity)) {
            here?.set(language, { cost: whole, start });
          }
        }
      }
    }
    return reached;
  }

  /** What a word costs in each language that knows it: less for one known as it is. */
  #costs(word: string): Map<string, number> {
    const found = new Map<string, number>();
    for (let end = Math.max(word.length - LONGEST_ENDING, SHORTEST_STEM); end <= word.length; end += 1) {
      for (const { language } of this.#plain.beginnings.get(word.slice(0, end)) ?? []) {
        found.set(language, COST + Math.max(word.length - end, 1));
      }
    }
    for (const { language } of this.#plain.exact.get(word) ?? []) {
      found.set(language, COST);
    }
    return found;
  }

  /** Return the length of the longest word that begins at a place of unspaced text; 0 if none. */
  longestAt(text: string, start: number, stop: number): number {
    for (let length = Math.min(this.#longest, stop - start); length > 0; length -= 1) {
      if (this.#plain.exact.has(text.slice(start, start + length))) {
        return length;
      }
    }
    return 0;
  }
}

function remembered<Found>(memory: Map<string, Found>, word: string, find: () => Found): Found {
  let senses = memory.get(word);
  if (senses === undefined) {
    if (memory.size >= MOST_REMEMBERED) {
      memory.clear(); // a bound on what hostile texts can make it keep
    }
    senses = find();
    memory.set(word, senses);
  }
  return senses;
}

function sensesOf(tables: Tables, word: string): Map<string, Sense> {
  const rows: Row[] = [...(tables.exact.get(word) ?? [])];
  const collect = (table: Table, part: string): void => {
    const found = table.get(part);
    if (found !== undefined) {
      rows.push(...found);
    }
  };
  if (word.length <= LONGEST_WORD) {
    for (let i = 0; i < word.length; i += 1) {
      collect(tables.beginnings, word.slice(0, i + 1));
      collect(tables.endings, word.slice(i));
      if (tables.parts.size > 0) {
        for (let end = i + 2; end <= word.length; end += 1) {
          collect(tables.parts, word.slice(i, end));
        }
      }
    }
  }
  return byLanguage(rows);
}

/** Keep, of each language, the slots of its longest form: a whole word hides its stem. */
function byLanguage(rows: readonly Row[]): Map<string, Sense> {
  const best = new Map<string, number>();
  const exact = new Set<string>();
  for (const { language, slot, length, isExact } of rows) {
    if (!slot.startsWith("#") && !ADDED.has(slot)) {
      best.set(language, Math.max(best.get(language) ?? 0, length));
    }
    if (isExact) {
      exact.add(language);
    }
  }
  const grouped = new Map<string, { readonly slots: Set<string>; readonly pieces: Set<string> }>();
  for (const { language, slot, length } of rows) {
    let group = grouped.get(language);
    if (group === undefined) {
      group = { slots: new Set(), pieces: new Set() };
      grouped.set(language, group);
    }
    if (slot.startsWith("#")) {
      group.pieces.add(slot);
    } else if (ADDED.has(slot) || length === best.get(language)) {
      group.slots.add(slot);
    }
  }
  const senses = new Map<string, Sense>();
  for (const [language, { slots, pieces }] of grouped) {
    const isExact = exact.has(language) || slots.size === 0;
    senses.set(language, { slots, pieces, isExact, length: best.get(language) ?? 0 });
  }
  return senses;
}
