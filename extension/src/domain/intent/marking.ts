/**
 * From words to marks: which language a text is in, and which slots its words fill there.
 * The same as server/consentry/intent/marking.py.
 */

import { decimalValue, isAllDigits, isDecimal } from "./characters.ts";
import { Mark } from "./grammar.ts";
import type { Lexicon, Phrase } from "./lexicon.ts";
import { type Normaliser, type View, sourceOf } from "./normalise.ts";
import type { Token } from "./tokens.ts";
import { NO_SENSES, type Sense, type Senses, type Vocabulary } from "./vocabulary.ts";

const AS_GOOD_AS_BEST = 0.8;
const PLAUSIBLE = 0.34;
const MOST_PRIMARY = 3;
const SURE_WORD = 5;
const SURE_STEM = 6;
const OF_AGE = 18;
const LONGEST_AGE = 2;
/** Prompts are often English; and words that many languages share are as good as English. */
const HEAD_START: Readonly<Record<string, number>> = { en: 1.15 };
/** Slots whose words count in whatever language the rest of the text is. */
const STRONG: ReadonlySet<string> = new Set([
  "nude",
  "undress",
  "underwear",
  "swimwear",
  "genital",
  "sexual",
  "euphemism",
  "pose",
  "face_swap",
  "minor",
]);
const PEOPLE: ReadonlySet<string> = new Set(["pronoun", "person"]);
const KANA = /[\u3040-\u30ff]/u;
const EMPTY: ReadonlySet<string> = new Set();

export type Vocabularies = ReadonlyMap<string, Vocabulary>;

/** The words of a reading with their senses, and the languages that they seem to be in. */
export interface Words {
  readonly tokens: readonly Token[];
  readonly senses: readonly Senses[];
  /** The most plausible languages. */
  readonly primary: readonly string[];
  /** Others that some words belong to. */
  readonly plausible: ReadonlySet<string>;
  /** Share of the words that the best language knows, 0 to 1. */
  readonly known: number;
}

/** What one word is: its slots, and the literal pieces of phrases that it is. */
interface Meant {
  readonly slots: ReadonlySet<string>;
  readonly pieces: ReadonlySet<string>;
}

interface FoundPhrase {
  readonly phrase: Phrase;
  /** Of all its elements. */
  readonly places: readonly number[];
  /** Of its words; its elements if it has none. */
  readonly literal: readonly number[];
}

/** A number, or a single Latin letter, is of no language. */
export function isJudged(token: Token): boolean {
  return !isAllDigits(token.text) && !(token.text.length === 1 && token.script === "LATIN");
}

/**
 * Look every word up, and let the words vote on the language.
 *
 * @param sent The text as it was sent, a unit a character: where accents tell words apart they are read there.
 */
export function wordsOf(
  view: View,
  tokens: readonly Token[],
  sent: string,
  vocabularies: Vocabularies,
  normaliser: Normaliser,
): Words {
  const hasAccents = /[^\x00-\xbf]/.test(sent);
  const senses = tokens.map((token) => {
    const vocabulary = vocabularies.get(token.script);
    if (vocabulary === undefined) {
      return NO_SENSES;
    }
    const found = vocabulary.lookUp(token.text);
    if (vocabulary.accented.size === 0 || !hasAccents) {
      return found;
    }
    const [start, end] = sourceOf(view, token.start, token.end);
    return withAccents(found, vocabulary, normaliser.fold(sent.slice(start, end)));
  });
  const votes = new Map<string, number>();
  const counts = new Map<string, number>();
  let judged = 0;
  for (const [i, token] of tokens.entries()) {
    if (!isJudged(token)) {
      continue;
    }
    judged += 1;
    const found = senses[i] ?? NO_SENSES;
    const weight = found.size > 0 ? found.size ** -0.5 : 0;
    for (const [language, sense] of found) {
      if (sense.slots.size > 0 || sense.pieces.size > 0) {
        counts.set(language, (counts.get(language) ?? 0) + 1);
        const share = weight * (sense.isExact ? 1 : 0.6) * (sense.slots.size === 0 ? 0.5 : 1);
        votes.set(language, (votes.get(language) ?? 0) + share);
      }
    }
  }
  voteByLetters(normaliser.fold(sent), tokens, vocabularies, votes);
  return elected(tokens, senses, votes, counts, judged);
}

function withAccents(found: Senses, vocabulary: Vocabulary, asSent: string): Senses {
  const accented = vocabulary.lookUpAccented(asSent);
  if (accented.size === 0 && ![...vocabulary.accented].some((language) => found.has(language))) {
    return found;
  }
  const kept = [...found].filter(([language]) => !vocabulary.accented.has(language));
  return new Map([...kept, ...accented]);
}

function elected(
  tokens: readonly Token[],
  senses: readonly Senses[],
  votes: Map<string, number>,
  counts: ReadonlyMap<string, number>,
  judged: number,
): Words {
  for (const [language, factor] of Object.entries(HEAD_START)) {
    const votesFor = votes.get(language);
    if (votesFor !== undefined) {
      votes.set(language, votesFor * factor);
    }
  }
  if (votes.size === 0) {
    return { tokens, senses, primary: [], plausible: EMPTY, known: 0 };
  }
  const best = Math.max(...votes.values());
  const ranked = [...votes].sort(([a, votesA], [b, votesB]) => votesB - votesA || (a < b ? -1 : 1));
  const primary = ranked
    .filter(([, count]) => count >= AS_GOOD_AS_BEST * best)
    .map(([language]) => language)
    .slice(0, MOST_PRIMARY);
  const plausible = new Set(ranked.filter(([, count]) => count >= PLAUSIBLE * best).map(([language]) => language));
  const most = Math.max(0, ...primary.map((language) => counts.get(language) ?? 0));
  return { tokens, senses, primary, plausible, known: most / Math.max(judged, 1) };
}

function voteByLetters(
  folded: string,
  tokens: readonly Token[],
  vocabularies: Vocabularies,
  votes: Map<string, number>,
): void {
  const letters = new Set(folded);
  for (const script of new Set(tokens.map((token) => token.script))) {
    for (const [language, lexicon] of vocabularies.get(script)?.lexicons ?? []) {
      const votesFor = votes.get(language);
      if (votesFor) {
        votes.set(language, votesFor + 0.4 * lexicon.letters.intersection(letters).size);
      }
    }
  }
  const hasKana = KANA.test(folded);
  for (const language of ["ja", "zh"]) {
    const votesFor = votes.get(language);
    if (votesFor !== undefined) {
      votes.set(language, votesFor * (hasKana === (language === "ja") ? 2 : 0.5));
    }
  }
}

/** Return the marks of a reading, longest phrases first served; places count all tokens. */
export function marksOf(words: Words, vocabularies: Vocabularies): Mark[] {
  const meant = words.tokens.map((token, i) => meantBy(token, words.senses[i] ?? NO_SENSES, words));
  const { marks, taken } = phraseMarks(words, meant, vocabularies);
  for (const [place, { slots }] of meant.entries()) {
    if (!taken.has(place) && slots.size > 0) {
      marks.push(new Mark(place, place, slots, words.tokens[place]?.text ?? ""));
    }
  }
  for (const mark of marks) {
    mark.text ||= words.tokens[mark.last]?.text ?? "";
  }
  return marks.sort((one, other) => one.first - other.first);
}

/** Return the marks of phrases, and which of them holds each token. */
function phraseMarks(
  words: Words,
  meant: readonly Meant[],
  vocabularies: Vocabularies,
): { readonly marks: Mark[]; readonly taken: ReadonlyMap<number, Mark> } {
  const taken = new Map<number, Mark>();
  const marks: Mark[] = [];
  const hold = (places: readonly number[], markAt: (place: number) => Mark): void => {
    for (const place of places) {
      if (!taken.has(place)) {
        taken.set(place, markAt(place));
      }
    }
  };
  const found = [...phrasesIn(words, meant, vocabularies)].sort(byPrecedence);
  for (const { phrase, places, literal } of found) {
    const [start = 0] = places;
    const end = places.at(-1) ?? start;
    const holders = literal.flatMap((place) => taken.get(place) ?? []);
    const [same] = holders;
    if (same !== undefined) {
      if (same.first === start && same.last === end) {
        same.slots = new Set([...same.slots, phrase.slot]);
        continue;
      }
      // Two phrases may share a word at their edges ("put her in" + "in the bath").
      if (holders.length === literal.length || holders.some((each) => each.has("harmless"))) {
        continue;
      }
    }
    const hidden = phrase.slot === "harmless" ? places : literal;
    const own = new Set([phrase.slot, ...hidden.flatMap((place) => peopleIn(meant[place]))]);
    if (end - start + 1 === places.length) {
      const mark = new Mark(start, end, own);
      marks.push(mark);
      hold(hidden, () => mark);
      continue;
    }
    // Parts with a gap between them: the first one stands for the phrase.
    const [first = start] = literal;
    const last = literal.at(-1) ?? first;
    const mark = new Mark(first, first, own, "", end);
    marks.push(mark);
    const filler = new Mark(last, last, new Set(["function"]));
    hold(hidden, (place) => (place === first ? mark : filler));
  }
  return { marks, taken };
}

/** The order in which phrases are served: a total one, the same as on the server. */
function byPrecedence(one: FoundPhrase, other: FoundPhrase): number {
  const weight = ({ phrase }: FoundPhrase): number => (phrase.slot === "harmless" ? 0 : 1);
  return (
    other.places.length - one.places.length ||
    weight(one) - weight(other) ||
    byNumbers(one.places, other.places) ||
    byNumbers(one.literal, other.literal) ||
    byText(one.phrase.slot, other.phrase.slot) ||
    byText(one.phrase.language, other.phrase.language)
  );
}

function byNumbers(one: readonly number[], other: readonly number[]): number {
  const i = one.findIndex((value, place) => value !== other[place]);
  return i < 0 ? one.length - other.length : (one[i] ?? 0) - (other[i] ?? -1);
}

function byText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** What a word of a phrase says about people: that is never hidden by the phrase. */
function peopleIn(meant: Meant | undefined): readonly string[] {
  return [...PEOPLE].filter((slot) => meant?.slots.has(slot));
}

/** Return what a word is: its own language's senses, else others'. */
function meantBy(token: Token, senses: Senses, words: Words): Meant {
  if (isDecimal(token.text)) {
    const value = decimalValue(token.text);
    const isChild = token.text.length <= LONGEST_AGE && value > 0 && value < OF_AGE;
    const slots = value === 0 ? ["nothing"] : isChild ? ["child_number"] : [];
    return { slots: new Set(slots), pieces: union([...senses.values()].map((sense) => sense.pieces)) };
  }
  const all = [...senses];
  const isPrimary = (language: string): boolean => words.primary.includes(language);
  const own = all.filter(([language]) => isPrimary(language)).map(([, sense]) => sense);
  const pieces = union(
    all
      .filter(([language]) => isPrimary(language) || words.plausible.has(language))
      .map(([, sense]) => sense.pieces),
  );
  const slots = union(own.map((sense) => sense.slots));
  return slots.size > 0 ? { slots, pieces } : meantElsewhere(token, all, pieces, words);
}

function meantElsewhere(
  token: Token,
  all: readonly (readonly [string, Sense])[],
  pieces: ReadonlySet<string>,
  words: Words,
): Meant {
  const others = all.filter(([language]) => !words.primary.includes(language));
  const plausible = others
    .filter(
      ([language, sense]) =>
        (words.plausible.has(language) || language === "en") && (sense.isExact || sense.length >= SURE_STEM),
    )
    .map(([, sense]) => sense);
  const morePieces = union([pieces, ...plausible.map((sense) => sense.pieces)]);
  let slots = union(plausible.map((sense) => sense.slots));
  if (slots.size === 0 && token.text.length >= SURE_WORD) {
    slots = union(others.filter(([, sense]) => sense.isExact).map(([, sense]) => sense.slots)).intersection(STRONG);
  }
  return { slots, pieces: morePieces };
}

function union(sets: readonly ReadonlySet<string>[]): Set<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

/** Give the phrases that are there. */
function* phrasesIn(
  words: Words,
  meant: readonly Meant[],
  vocabularies: Vocabularies,
): Generator<FoundPhrase> {
  const present = union(meant.flatMap(({ slots, pieces }) => [slots, pieces]));
  for (const [place, token] of words.tokens.entries()) {
    const vocabulary = vocabularies.get(token.script);
    const here = meant[place];
    if (vocabulary === undefined || here === undefined) {
      continue;
    }
    for (const key of [...here.pieces, ...here.slots]) {
      const bySecond = vocabulary.phrases.get(key);
      if (bySecond === undefined) {
        continue;
      }
      for (const second of smaller(present, bySecond)) {
        for (const phrase of bySecond.get(second) ?? []) {
          const places = matched(phrase, place, words.tokens, meant);
          if (places !== null) {
            const literal = places.filter((_, i) => phrase.elements[i]?.form !== null);
            if (counts(phrase, literal, words)) {
              yield { phrase, places, literal: literal.length > 0 ? literal : places };
            }
          }
        }
      }
    }
  }
}

/** The keys that both have. */
function smaller(present: ReadonlySet<string>, bySecond: ReadonlyMap<string, unknown>): string[] {
  return present.size < bySecond.size
    ? [...present].filter((key) => bySecond.has(key))
    : [...bySecond.keys()].filter((key) => present.has(key));
}

/** Whether a phrase is one of the text's languages, or holds a word that they do not know. */
function counts(phrase: Phrase, literal: readonly number[], words: Words): boolean {
  return (
    words.primary.includes(phrase.language) ||
    phrase.slot === "harmless" ||
    literal.some((place) => !words.primary.some((language) => words.senses[place]?.has(language)))
  );
}

function matched(
  phrase: Phrase,
  place: number,
  tokens: readonly Token[],
  meant: readonly Meant[],
): number[] | null {
  const places = [place];
  for (const element of phrase.elements.slice(1)) {
    const start = (places.at(-1) ?? place) + 1;
    const stop = Math.min(start + element.gap + 1, tokens.length);
    let found = -1;
    for (let candidate = start; candidate < stop && found < 0; candidate += 1) {
      const token = tokens[candidate];
      if (token === undefined || token.endsSentence || (element.gap === 0 && token.afterComma)) {
        return null;
      }
      const here = meant[candidate];
      if (here?.slots.has(element.key) || here?.pieces.has(element.key)) {
        found = candidate;
      }
    }
    if (found < 0) {
      return null;
    }
    places.push(found);
  }
  return places;
}

/** Return the lexicon of the most plausible language. */
export function lexiconOf(words: Words, vocabularies: Vocabularies): Lexicon | null {
  const [language] = words.primary;
  if (language === undefined) {
    return null;
  }
  for (const vocabulary of vocabularies.values()) {
    const lexicon = vocabulary.lexicons.get(language);
    if (lexicon !== undefined) {
      return lexicon;
    }
  }
  return null;
}
