/**
 * The intent engine: reads a text in every way that a person might, and says what it asks for.
 *
 *     text ──normalise──> readings (plain, leet, joined letters, reversed, decoded ...), with offsets
 *     reading ──marking──> words with their slots (garment, remove, without ...), by language
 *     marks ──grammar────> categories, age cues, references to a person
 *     text ──classifier──> what no rule foresees (hearing.ts), and what of the findings is something else (doubts.ts)
 *
 * The browser's half of server/consentry/intent, on the same words and rules; what each says to a text is in
 * tests/vectors/intent_v1.json. The server's text network and its language guesser are not here.
 */

import { Sent, WORDS, isAllLetters, splitWords } from "./characters.ts";
import { codedChunks } from "./codes.ts";
import { isTakenBack } from "./doubts.ts";
import type { Finding, Mark, Sentence } from "./grammar.ts";
import { type Classifier, type Known, heard } from "./hearing.ts";
import { SOMEBODY } from "./judging.ts";
import { type Reading, readingOf } from "./language.ts";
import { type CoreFile, Library, type LoadData, NotLoaded } from "./library.ts";
import { type Words, lexiconOf, marksOf, wordsOf } from "./marking.ts";
import {
  type View,
  joinedView,
  leetViews,
  mayBeParted,
  partedView,
  reversed,
  reversedView,
  rot13,
  rot13View,
  singleLettersView,
  sourceOf,
  stretchedViews,
  unwantedView,
  stripped,
} from "./normalise.ts";
import { Signs, type Undone } from "./signs.ts";
import type { StrongWords } from "./strong.ts";
import { type Assessment, type IntentCategory, type Span, isRevealing, rank } from "./taxonomy.ts";
import { type Token, UNSPACED, breaksOf } from "./tokens.ts";
import { NO_SENSES } from "./vocabulary.ts";

const MAX_CODES_WITHIN_CODES = 2;
const SHORTEST_STRANGER = 4;
const SHORTEST_RUN = 10; // letters that can be three words
const MOST_RUN_LETTERS = 2_000; // of one text: a bound on hostile ones
const SHORTEST_PARTED = 5; // letters of a single word that counts where a run was parted
const FEWEST_TURNED = 3; // words that are turned because they are all words backwards
const FEWEST_TURNED_LETTERS = 9;
const WITHOUT_DIGITS = /[^\p{Nd}_]+/gu;
const MOSTLY_KNOWN = 0.5;
const LONGEST_SENTENCE = 160;
const OVERLAP = 20;
const BORDER = `(?:(?<![${WORDS}])(?=[a-z])|(?<=[${WORDS}])(?='))`;
const ONE_WORD_SENTENCES = new RegExp(`(?:${BORDER}[a-z']+[.;!?|/]+ ?){3}`, "u");
const WORD_OR_GAP = new RegExp(`[${WORDS}]+|[^${WORDS}]+`, "gu");

/** Where a text stands in the conversation; a decoded text stands where its code does. */
interface Place {
  readonly offset: number;
  readonly code: readonly [number, number] | null;
  readonly depth: number;
}

/** One reading of a text, with its words and marks, and the words before which a clause may begin. */
interface Marked {
  readonly view: View;
  readonly words: Words;
  readonly marks: readonly Mark[];
  readonly breaks: ReadonlySet<number>;
}

/** Gives a library's classifier, or what stands in for it. */
type ClassifierOf = (library: Library) => Classifier;

const NOTHING: Assessment = {
  category: "none",
  spans: [],
  language: "und",
  isReadable: true,
  hasText: false,
  hasAgeCue: false,
  refersToPerson: false,
};

/** Says what a prompt or a conversation asks for. Nothing is loaded before the first question. */
export class IntentEngine {
  readonly #load: LoadData;
  readonly #classifierOf: ClassifierOf | null;
  /** What is being loaded or has been: texts that arrive together wait for the same. */
  readonly #added = new Map<string, Promise<void>>();
  #library: Promise<Library> | null = null;

  /** @param classifierOf Its word counts beside the rules' where it is sure; null for rules alone. */
  constructor(load: LoadData, classifierOf: ClassifierOf | null) {
    this.#load = load;
    this.#classifierOf = classifierOf;
  }

  /**
   * Assess a text with the turns before it.
   *
   * What an earlier turn asked for stays asked for: the strictest of all turns counts, also when a request is spread
   * over several.
   *
   * @param context Earlier turns, oldest first; the post that is being answered is one of them.
   */
  async assess(text: string, context: readonly string[] = []): Promise<Assessment> {
    const library = await this.#loaded();
    const turns = [...context, text].map((turn) => new Sent(turn));
    for (;;) {
      try {
        return assessed(new Reader(library), turns, this.#classifierOf?.(library) ?? null);
      } catch (error) {
        if (!(error instanceof NotLoaded)) {
          throw error;
        }
        await this.#add(error.file, library);
      }
    }
  }

  async #add(file: string, library: Library): Promise<void> {
    const adding =
      this.#added.get(file) ?? this.#load(file).then((loaded) => library.add(file, loaded));
    this.#added.set(file, adding);
    try {
      await adding;
    } catch (error) {
      this.#added.delete(file); // the next question tries again
      throw error;
    }
  }

  #loaded(): Promise<Library> {
    this.#library ??= this.#load("core.json")
      .then(async (core) => new Library((await core.json()) as CoreFile))
      .catch((error: unknown) => {
        this.#library = null; // the next question tries again
        throw error;
      });
    return this.#library;
  }
}

function assessed(reader: Reader, turns: readonly Sent[], classifier: Classifier | null): Assessment {
  if (turns.every(isBlank)) {
    return NOTHING;
  }
  const signs = reader.signs(turns);
  if (classifier !== null) {
    hear(turns, signs, reader, classifier);
  }
  const readings = turns.filter((turn) => !isBlank(turn)).map((turn) => reader.reading(turn));
  let category: IntentCategory = "none";
  for (const hit of signs.hits) {
    category = rank(hit.category) < rank(category) ? hit.category : category;
  }
  return {
    category,
    spans: spansOfLast(turns, signs.hits.map(({ span }) => span)),
    language: readings.findLast(({ language }) => language !== "und")?.language ?? "und",
    isReadable: signs.isUndone && readings.every(({ isReadable }) => isReadable),
    hasText: true,
    hasAgeCue: signs.hasAgeCue,
    refersToPerson: signs.refersToPerson || (isRevealing(category) && reader.hasStranger(turns)),
  };
}

/** Add what the classifier is sure of, and take back what it is sure is something else. */
function hear(turns: readonly Sent[], signs: Signs, reader: Reader, classifier: Classifier): void {
  if (signs.hits.some(({ category }) => isRevealing(category))) {
    if (isTakenBack(turns, signs, reader, classifier)) {
      signs.takeBack();
    }
    return;
  }
  const span = heard(turns, reader, classifier);
  if (span !== null) {
    signs.add("minimal", span);
  }
}

function isBlank(sent: Sent): boolean {
  return stripped(sent.flat) === "";
}

/** Give the letters that may be several words run together: where, what, and their script. */
function* runsOf(tokens: readonly Token[]): Generator<{ start: number; run: string; script: string }> {
  let room = MOST_RUN_LETTERS;
  for (const { text, start, script } of tokens) {
    if (UNSPACED.has(script) || text.length < SHORTEST_RUN) {
      continue;
    }
    for (const match of text.matchAll(WITHOUT_DIGITS)) {
      const [run] = match;
      if (run.length >= SHORTEST_RUN) {
        room -= run.length;
        if (room < 0) {
          return;
        }
        yield { start: start + match.index, run, script };
      }
    }
  }
}

/** Reads one conversation. What it worked out is forgotten with it. */
class Reader implements Known {
  readonly #library: Library;
  readonly #memory = new Map<string, Map<string, Marked>>();

  constructor(library: Library) {
    this.#library = library;
  }

  get singleWords(): ReadonlySet<string> {
    return this.#library.grammar.ofOneWord;
  }

  knowsAll(turns: readonly Sent[]): boolean {
    return turns.every((turn) => isBlank(turn) || this.#plain(turn).words.known >= 1);
  }

  wordsIn(turns: readonly Sent[]): number {
    const unspaced = (turn: Sent): number =>
      this.#plain(turn).words.tokens.filter(({ script }) => UNSPACED.has(script)).length;
    return turns.reduce((sum, turn) => sum + Math.max(splitWords(turn.flat).length, unspaced(turn)), 0);
  }

  scriptOf(char: string): string {
    return this.#library.tokeniser.scriptOf(char);
  }

  joints(turn: Sent): number[] {
    const { view, words, marks } = this.#plain(turn);
    return marks
      .filter((mark) => mark.has("and"))
      .map((mark) => view.starts[words.tokens[mark.first]?.start ?? 0] ?? 0);
  }

  plainly(turn: Sent): Sent {
    return Sent.of(this.#library.normaliser.plainPoints(turn));
  }

  asWritten(turn: Sent): string {
    return this.#library.normaliser.asWritten(turn);
  }

  textOf({ view, turn }: Undone): Sent {
    return Sent.of(this.#library.normaliser.pointsOf(view, turn));
  }

  /** Judge the language of a text. */
  reading(sent: Sent): Reading {
    const plain = this.#plain(sent);
    const reading = readingOf(sent.flat, plain.words, plain.view);
    if (reading.isReadable) {
      return reading;
    }
    for (const view of this.#views(sent)) {
      const { words } = this.#marked(sent.flat, view);
      const other = readingOf(view.text, words, asItself(view));
      if (other.isReadable && other.language !== "und") {
        return other;
      }
    }
    return reading;
  }

  /** Whether a person stands in a text, or a word that may be a name. */
  mayNameSomebody(turn: Sent): boolean {
    return this.#plain(turn).marks.some((mark) => mark.has(...SOMEBODY)) || this.hasStranger([turn]);
  }

  /** Whether a word that may be a name stands in a conversation. */
  hasStranger(turns: readonly Sent[]): boolean {
    return turns.some((turn) => !isBlank(turn) && this.#library.cues.hasStranger(this.#plain(turn).words, turn.flat));
  }

  /** Collect the signs in a conversation, in all readings of each turn and across turns. */
  signs(turns: readonly Sent[]): Signs {
    const found = new Signs();
    const whole: { readonly marked: Marked; readonly offset: number }[] = [];
    let offset = 0;
    for (const turn of turns) {
      this.#collect(turn, found, { offset, code: null, depth: 0 });
      whole.push({ marked: this.#plain(turn), offset });
      offset += turn.points.length;
    }
    if (turns.filter((turn) => !isBlank(turn)).length > 1) {
      this.#applyAcross(whole, turns, found);
    }
    return found;
  }

  /** Apply the rules to a conversation as one text: a request may be spread over turns. */
  #applyAcross(
    whole: readonly { readonly marked: Marked; readonly offset: number }[],
    turns: readonly Sent[],
    found: Signs,
  ): void {
    const view: { text: string; starts: number[]; ends: number[] } = { text: "", starts: [], ends: [] };
    for (const { marked, offset } of whole) {
      const end = (marked.view.ends.at(-1) ?? 0) + offset;
      view.text += `${marked.view.text} `;
      view.starts = view.starts.concat(marked.view.starts.map((start) => start + offset), end);
      view.ends = view.ends.concat(marked.view.ends.map((each) => each + offset), end);
    }
    const sent = turns.map((turn) => turn.flat).join("");
    this.#apply(this.#marked(sent, view), new Sent(""), found, { offset: 0, code: null, depth: 0 }, true);
  }

  #collect(sent: Sent, found: Signs, place: Place): void {
    let isOpen = place.depth === 0;
    for (const view of this.#views(sent)) {
      this.#apply(this.#marked(sent.flat, view), sent, found, place, isOpen);
      isOpen = false; // the first is the text as it stands
    }
    for (const { start, end, decoded } of codedChunks(sent, () => this.#library.entities())) {
      if (decoded === null || place.depth === MAX_CODES_WITHIN_CODES) {
        found.isUndone = false;
      } else {
        const within = { offset: place.offset, code: place.code ?? ([start, end] as const), depth: place.depth + 1 };
        this.#collect(new Sent(decoded), found, within);
      }
    }
  }

  /** Give the readings of a text: as it stands, and with each disguise undone. */
  *#views(sent: Sent): Generator<View> {
    const { normaliser } = this.#library;
    const plain = this.#plain(sent).view;
    yield plain;
    const bases = [plain];
    if (!sent.isAscii && !this.#isPlainlyForeign(sent)) {
      for (const other of [normaliser.lookalikes(sent), normaliser.native(sent)]) {
        if (other !== null && other.text !== plain.text) {
          bases.push(other);
          yield other;
        }
      }
    }
    const unwanted = unwantedView(plain);
    if (unwanted !== null) {
      bases.push(unwanted);
      yield unwanted;
    }
    const strong = this.#library.strongFor(plain.text);
    for (const base of bases) {
      for (const view of [base, ...leetViews(base)]) {
        if (view !== base) {
          yield view;
        }
        yield* stretchedViews(view);
        yield* this.#joined(view, strong);
      }
      if (ONE_WORD_SENTENCES.test(base.text)) {
        yield { text: base.text.replace(/[.;!?|/]/g, " "), starts: base.starts, ends: base.ends };
      }
    }
    yield* this.#mended(sent, strong);
    yield* this.#parted(plain);
  }

  /** Give readings with words parted that were run together (`takeoffhertop`). */
  *#parted(view: View): Generator<View> {
    const vocabularies = this.#library.vocabulariesFor(view.text);
    const runs = [...runsOf(this.#library.tokeniser.tokens(view, vocabularies))]
      .map(({ run, start, script }) =>
        (vocabularies.get(script)?.cutsOf(run) ?? []).map((places) => [
          start,
          ...places.map((place) => start + place),
          start + run.length,
        ]),
      )
      .filter((cuts) => cuts.length > 0);
    const most = Math.max(0, ...runs.map((cuts) => cuts.length));
    for (let i = 0; i < most; i += 1) {
      yield partedView(view, runs.flatMap((cuts) => cuts[i] ?? cuts.at(-1) ?? []));
    }
  }

  /** Whether a text is known words of one script that is not Latin: then nothing is disguised. */
  #isPlainlyForeign(sent: Sent): boolean {
    const { words } = this.#plain(sent);
    return (
      words.known > MOSTLY_KNOWN &&
      !words.tokens.some((token) => token.script === "LATIN" && isAllLetters(token.text))
    );
  }

  /** Give readings with letters put together that were taken apart. */
  *#joined(view: View, strong: readonly StrongWords[]): Generator<View> {
    if (!mayBeParted(view.text)) {
      return;
    }
    const { primary } = this.#marked("", view).words;
    for (const each of strong) {
      const joined = joinedView(view, each, (word) => this.#isPiece(word, primary));
      if (joined !== null) {
        yield joined;
      }
    }
    const letters = singleLettersView(view);
    if (letters !== null) {
      yield letters;
      for (const each of strong) {
        yield each.parted(letters);
      }
    }
  }

  /** Whether a scrap of text is a word of its own. Single letters are not, but for two. */
  #isPiece(word: string, languages: readonly string[]): boolean {
    if (word === "a" || word === "i") {
      return true;
    }
    const { tokeniser } = this.#library;
    const vocabulary = this.#library.vocabulariesFor(word).get(tokeniser.scriptOf(word.charAt(0)));
    if (word.length === 1 || vocabulary === undefined) {
      return false;
    }
    const senses = vocabulary.lookUp(word);
    return languages.some((language) => senses.has(language));
  }

  /** Give readings with slips of the pen corrected, backwards, and rotated by thirteen. */
  *#mended(sent: Sent, strong: readonly StrongWords[]): Generator<View> {
    const { view: plain, words } = this.#plain(sent);
    const strangers = words.tokens.filter((token, i) => {
      const senses = words.senses[i] ?? NO_SENSES;
      return token.text.length >= SHORTEST_STRANGER && !words.primary.some((language) => senses.has(language));
    });
    let isBackwards =
      (words.known < 1 && this.#allBackwards(words.tokens)) ||
      [...runsOf(words.tokens)].some(({ run, script }) => {
        const vocabulary = this.#library.vocabulariesFor("").get(script);
        return vocabulary !== undefined && vocabulary.cutsOf(reversed(run)).length > 0;
      });
    for (const each of strong) {
      const unmasked = each.unmasked(plain);
      if (unmasked !== null) {
        yield unmasked;
      }
      const mended = each.mended(plain, strangers, words.primary);
      if (mended !== null) {
        yield mended;
      }
      isBackwards ||=
        strangers.some((token) => each.words.has(reversed(token.text))) ||
        [...each.backwardsUnspaced].some((word) => plain.text.includes(word));
      if (strangers.some((token) => each.words.has(rot13(token.text)))) {
        yield rot13View(plain);
      }
    }
    if (isBackwards) {
      for (const turned of [reversedView(plain), wordsReversed(plain)]) {
        yield turned;
        yield* this.#parted(turned);
      }
    }
  }

  /** Whether all words of a text, of three and more, are words of one language backwards. */
  #allBackwards(tokens: readonly Token[]): boolean {
    const letters = tokens.reduce((sum, { text }) => sum + text.length, 0);
    if (tokens.length < FEWEST_TURNED || letters < FEWEST_TURNED_LETTERS) {
      return false;
    }
    let languages: ReadonlySet<string> | null = null;
    for (const { text, script } of tokens) {
      const senses = this.#library.vocabulariesFor("").get(script)?.lookUp(reversed(text)) ?? NO_SENSES;
      const exact = new Set([...senses].filter(([, { isExact }]) => isExact).map(([language]) => language));
      languages = languages === null ? exact : exact.intersection(languages);
      if (languages.size === 0) {
        return false;
      }
    }
    return true;
  }

  #plain(sent: Sent): Marked {
    // The reading of a text as it stands is asked for often, and remembered beside the others under no name.
    const key = `\0${sent.text}`;
    let marked = this.#memory.get(key)?.get("");
    if (marked === undefined) {
      marked = this.#marked(sent.flat, this.#library.normaliser.plain(sent));
      this.#memory.set(key, new Map([["", marked]]));
    }
    return marked;
  }

  /** One reading of a text with its words and marks. */
  #marked(sent: string, view: View): Marked {
    let readings = this.#memory.get(sent);
    if (readings === undefined) {
      readings = new Map();
      this.#memory.set(sent, readings);
    }
    let found = readings.get(view.text);
    if (found === undefined) {
      const vocabularies = this.#library.vocabulariesFor(view.text);
      const tokens = this.#library.tokeniser.tokens(view, vocabularies);
      const words = wordsOf(view, tokens, sent, vocabularies, this.#library.normaliser);
      found = { view, words, marks: marksOf(words, vocabularies), breaks: breaksOf(view, tokens, sent) };
      readings.set(view.text, found);
    }
    return found;
  }

  #apply({ view, words, marks, breaks }: Marked, sent: Sent, found: Signs, place: Place, isOpen: boolean): void {
    const { cues, grammar } = this.#library;
    const lexicon = lexiconOf(words, this.#library.vocabulariesFor(""));
    const refers = cues.refersToPerson(words, marks, sent.flat);
    const namesSomebody = refers || marks.some((mark) => mark.has(...SOMEBODY));
    const complains = marks.some((mark) => mark.has("complaint"));
    let from = 0;
    for (const [first, last] of sentences(words.tokens)) {
      // Sentences overlap, but each begins behind the one before.
      while ((marks[from]?.first ?? Infinity) < first) {
        from += 1;
      }
      let to = from;
      while ((marks[to]?.first ?? Infinity) < last) {
        to += 1;
      }
      const here = marks.slice(from, to).filter((mark) => mark.last < last);
      const commas = new Set(words.tokens.slice(first, last).flatMap((token, i) => (token.afterComma ? [i] : [])));
      const wider = new Set([...breaks].flatMap((i) => (first < i && i < last ? [i - first] : []))).union(commas);
      const read = (parted: ReadonlySet<number>): Sentence => ({
        marks: here.map((mark) => mark.moved(-first)),
        length: last - first,
        commas: parted,
        isVerbFinal: lexicon?.isVerbFinal ?? false,
        namesSomebody,
        negationFollows: lexicon?.negationFollows ?? false,
        complains,
        attributeEndings: lexicon?.attributeEndings ?? [],
        at: new Map(),
      });
      // What is asked for may go on behind a sign; what is asked for between two belongs to nothing beyond.
      const findings = [...grammar.findings(read(commas))];
      if (wider.size > commas.size) {
        const within = (each: Finding): boolean =>
          !breaks.values().some((i) => first + each.first < i && i <= first + each.last);
        findings.push(...[...grammar.findings(read(wider))].filter(within));
      }
      for (const finding of findings) {
        const start = words.tokens[first + finding.first]?.start ?? 0;
        const end = words.tokens[first + finding.last]?.end ?? 0;
        if (view.isParted === true && finding.first === finding.last && end - start < SHORTEST_PARTED) {
          continue; // a scrap of a long word: "organiza ti on"
        }
        const [starts, ends] = place.code ?? sourceOf(view, start, end);
        const span = { start: starts + place.offset, end: ends + place.offset, rule: finding.rule };
        if (isOpen) {
          found.addOpen(finding.category, span);
        } else if (place.depth === 0) {
          found.addUndone(finding.category, span, { turn: sent, view, start, end });
        } else {
          found.add(finding.category, span);
        }
      }
    }
    found.hasAgeCue ||= cues.speaksOfMinor(marks);
    found.refersToPerson ||= refers;
  }
}

/** Give the sentences. One without end is cut into overlapping pieces: a bound on hostile ones. */
function* sentences(tokens: readonly Token[]): Generator<readonly [number, number]> {
  let first = 0;
  for (let i = 1; i <= tokens.length; i += 1) {
    if (i < tokens.length && !tokens[i]?.endsSentence) {
      continue;
    }
    const stop = Math.max(i - OVERLAP, first + 1);
    for (let start = first; start < stop; start += LONGEST_SENTENCE - OVERLAP) {
      yield [start, Math.min(start + LONGEST_SENTENCE, i)];
    }
    first = i;
  }
}

/** The text with the letters of each word in reverse. */
function wordsReversed(view: View): View {
  const order = [...view.text.matchAll(WORD_OR_GAP)].flatMap((match) => {
    const places = Array.from(match[0], (_, i) => match.index + i);
    return /^[\p{L}\p{N}]/u.test(match[0]) ? places.reverse() : places;
  });
  return {
    text: order.map((i) => view.text.charAt(i)).join(""),
    starts: order.map((i) => view.starts[i] ?? 0),
    ends: order.map((i) => view.ends[i] ?? 0),
  };
}

/** A view of its own text: each letter comes from where it stands. */
function asItself(view: View): View {
  const places = Array.from(view.text, (_, i) => i);
  return { text: view.text, starts: places, ends: places.map((i) => i + 1) };
}

/** Return the spans that lie in the newest turn, in UTF-16 units from its beginning. */
function spansOfLast(turns: readonly Sent[], spans: readonly Span[]): Span[] {
  const last = turns.at(-1);
  if (last === undefined) {
    return [];
  }
  const before = turns.slice(0, -1).reduce((sum, turn) => sum + turn.points.length, 0);
  const moved = new Map<string, Span>();
  for (const { start, end, rule } of spans) {
    if (end > before) {
      const span = { start: last.unit(Math.max(start - before, 0)), end: last.unit(end - before), rule };
      moved.set(`${span.start} ${span.end} ${rule}`, span);
    }
  }
  return [...moved.values()].sort(
    (one, other) => one.start - other.start || one.end - other.end || (one.rule < other.rule ? -1 : 1),
  );
}
