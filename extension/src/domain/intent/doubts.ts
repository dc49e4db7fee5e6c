/**
 * What a classifier takes back of the rules' findings: the second half of `_hear`, and `_Doubts`, in
 * server/consentry/intent/engine.py.
 *
 * Harmless words outweigh a request beside them. So a finding is taken back only if the classifier hears no request in
 * the whole, nor in what stands around the finding, nor where a disguise is undone. The server asks once more
 * about a short clause that undresses somebody; here what stands around a finding is held to less than that anyway.
 */

import { type Sent, isSpace } from "./characters.ts";
import { type Classifier, type Known, type Thresholds, asksKnownFrom, isSentence } from "./hearing.ts";
import type { View } from "./normalise.ts";
import type { Signs, Undone } from "./signs.ts";
import type { Span } from "./taxonomy.ts";
import { CLAUSE_END } from "./tokens.ts";

const NEVER_OF_SOMEBODY = ["nude.word", "undress.verb"]; // taken back, where little else is said
const FEW_WORDS = 4; // too few to tell a colour or an insult from a request
const MOST_PIECES = 16; // around findings: more are no prompt that means something else
const MOST_HEARD = 48; // of one prompt: a bound on hostile ones
const FEW_LETTERS = 12; // on either side of a finding, up to the end of the word
const MANY_LETTERS = 24;
const SENTENCE_ENDS = /[.!?;\n\u3002\uff01\uff1f\u061f\u0964]+/g;
const CLAUSE_ENDS = new RegExp(CLAUSE_END, "gu");

/** A stretch of a text, in code points. */
type Stretch = readonly [start: number, end: number];

/**
 * Whether a classifier is sure that what rules found in a conversation is something else.
 *
 * What was found in a code, or about somebody who may be a minor, is never taken back. What was found in a disguise it
 * hears undone as well: many a disguise is none ("@grok"). Nor is "nude" taken back where somebody is named and little
 * else: it takes that for a colour.
 */
export function isTakenBack(turns: readonly Sent[], signs: Signs, known: Known, classifier: Classifier): boolean {
  const found = signs.revealing();
  const { kept } = classifier.thresholds;
  if (
    signs.hasAgeCue ||
    found.some(({ rule }) => kept.includes(rule)) ||
    isBareWord(turns, found, signs, known) ||
    !found.every((span) => signs.isOpen(span, known.singleWords) || signs.undone(span).length > 0)
  ) {
    return false;
  }
  const areWords = found.every(({ rule }) => known.singleWords.has(rule));
  const doubts = new Doubts(classifier, known, areWords);
  return (
    doubts.takesBack(turns, found.map(({ start, end }) => [start, end])) &&
    found.every((span) => doubts.takesBackUndone(signs.undone(span)))
  );
}

/** Whether "nude" or "undress" stands beside a person, and hardly anything else does. */
function isBareWord(turns: readonly Sent[], found: readonly Span[], signs: Signs, known: Known): boolean {
  return (
    found.some(({ rule }) => NEVER_OF_SOMEBODY.includes(rule)) &&
    known.wordsIn(turns) <= FEW_WORDS &&
    (signs.refersToPerson || turns.some((turn) => known.mayNameSomebody(turn)))
  );
}

/** Whether a classifier hears no request in what rules found. Remembers what it heard, for one prompt. */
class Doubts {
  readonly #classifier: Classifier;
  readonly #known: Known;
  readonly #below: number;
  readonly #besideBelow: number;
  readonly #aloneBelow: number;
  readonly #knownBelow: number;
  readonly #heard = new Map<string, number>();
  /** What is asked again for each of many findings is worked out once. */
  readonly #readings = new Map<string, readonly (readonly Sent[])[]>();
  readonly #undone = new Map<View, Parted>();

  /** @param areWords Whether nothing but single words were found, whose senses are many. */
  constructor(classifier: Classifier, known: Known, areWords: boolean) {
    const { thresholds } = classifier;
    const wordsBelow = Math.max(thresholds.doubts_below, thresholds.doubts_words_below);
    this.#classifier = classifier;
    this.#known = known;
    this.#below = areWords ? wordsBelow : thresholds.doubts_below;
    this.#besideBelow = besideBelow(thresholds, wordsBelow);
    this.#aloneBelow = thresholds.asks_alone_from;
    this.#knownBelow = asksKnownFrom(thresholds);
  }

  /** Whether it hears none in a conversation, nor in a piece around any finding. */
  takesBack(turns: readonly Sent[], found: readonly Stretch[]): boolean {
    return this.#takesBackIn(turns.map((turn) => new Parted(turn, this.#known)), found);
  }

  /** Whether it hears none in any reading that a disguise was undone in, nor around its finding. */
  takesBackUndone(readings: readonly Undone[]): boolean {
    return (
      readings.length <= MOST_PIECES &&
      readings.every((found) => {
        const text = this.#textOf(found);
        return text.isSentence && this.#takesBackIn([text], [[found.start, found.end]]);
      })
    );
  }

  #textOf(found: Undone): Parted {
    const text = this.#undone.get(found.view) ?? new Parted(this.#known.textOf(found), this.#known);
    this.#undone.set(found.view, text);
    return text;
  }

  #takesBackIn(turns: readonly Parted[], found: readonly Stretch[]): boolean {
    return this.#isBelow(turns.map(({ sent }) => sent), this.#below) && this.#takesBackEach(turns, found);
  }

  #takesBackEach(turns: readonly Parted[], found: readonly Stretch[]): boolean {
    const pieces = new Map<string, Sent>();
    for (const piece of around(turns, found)) {
      pieces.set(piece.text, piece);
      if (pieces.size > MOST_PIECES) {
        return false;
      }
    }
    if (turns.length === 1) {
      pieces.delete(turns[0]?.sent.text ?? ""); // heard before, and held to less
    }
    return (
      pieces.values().every((piece) => this.#isBelow([piece], this.#besideBelow)) &&
      (this.#aloneBelow === 0 || this.#takesBackWords(turns, found))
    );
  }

  /** Whether it hears none in what the findings themselves say: no sign may part it from what stands around it. */
  #takesBackWords(turns: readonly Parted[], found: readonly Stretch[]): boolean {
    const words = new Map<string, Sent>();
    for (const piece of wordsOf(turns, found)) {
      words.set(piece.text, piece);
    }
    return words.values().every((each) => this.#isBelow([each], this.#aloneBelow));
  }

  /**
   * Whether it hears less in a text; without its accents, as rules read it, no request of its own.
   *
   * Of a text in Vietnamese little is left without them.
   */
  #isBelow(turns: readonly Sent[], score: number): boolean {
    if (this.#heard.size >= MOST_HEARD) {
      return false;
    }
    const [written = turns, ...plain] = this.#readingsOf(turns);
    return (
      this.#score(written) < score &&
      plain.every((each) => this.#score(each) < Math.max(score, this.#knownBelow))
    );
  }

  /** A conversation as written, and plain where that differs: rules read it plain. */
  #readingsOf(turns: readonly Sent[]): readonly (readonly Sent[])[] {
    const key = keyOf(turns);
    const readings = this.#readings.get(key) ?? withAndWithoutAccents(turns, this.#known);
    this.#readings.set(key, readings);
    return readings;
  }

  #score(turns: readonly Sent[]): number {
    const key = keyOf(turns);
    const score = this.#heard.get(key) ?? this.#classifier.score(turns);
    this.#heard.set(key, score);
    return score;
  }
}

/** From which score what stands around a finding asks by itself. */
function besideBelow(thresholds: Thresholds, wordsBelow: number): number {
  return Math.max(thresholds.asks_beside_from || asksKnownFrom(thresholds), wordsBelow);
}

function keyOf(turns: readonly Sent[]): string {
  return JSON.stringify(turns.map(({ text }) => text));
}

function withAndWithoutAccents(turns: readonly Sent[], known: Known): readonly (readonly Sent[])[] {
  if (turns.every(({ isAscii }) => isAscii)) {
    return [turns];
  }
  const plain = turns.map((turn) => known.plainly(turn));
  return turns.every((turn, i) => plain[i]?.text === known.asWritten(turn)) ? [turns] : [turns, plain];
}

/**
 * A text parted into sentences and clauses, once: a hostile one has thousands, and a finding in each.
 *
 * A clause ends at every sign that is no part of a word, which is no part of the clause either, and before "and".
 */
class Parted {
  readonly sent: Sent;
  readonly #known: Known;
  readonly #pieces = new Map<string, Sent | null>();
  #isSentence: boolean | null = null;
  #ends: readonly (readonly number[])[] | null = null;

  constructor(sent: Sent, known: Known) {
    this.sent = sent;
    this.#known = known;
  }

  get isSentence(): boolean {
    this.#isSentence ??= isSentence([this.sent], this.#known);
    return this.#isSentence;
  }

  /**
   * Give what stands around a finding: its clause, its sentence, of a long clause a few words.
   *
   * The clause may be a single word ("brighten the sky, undress, crop it"); the others are more. A few words of a
   * short clause are what is left of a sense that the rest of it makes plain.
   */
  *around(start: number, end: number): Generator<Sent> {
    const { flat } = this.sent;
    const [sentences = [], clauses = []] = this.#parts();
    const clause = partOf(flat, clauses, start, end);
    const few = wordsBeside(flat, start, end);
    const sentence = partOf(flat, sentences, start, end);
    yield this.sent.slice(...clause);
    for (const stretch of 2 * lengthOf(few) < lengthOf(clause) ? [few, sentence] : [sentence]) {
      const piece = this.#piece(stretch);
      if (piece !== null) {
        yield piece;
      }
    }
  }

  /** What a finding itself says; null if it is a single word. */
  within(start: number, end: number): Sent | null {
    return this.#piece(trimmed(this.sent.flat, start, end));
  }

  /** A stretch of the text; null if it is a single word. */
  #piece(stretch: Stretch): Sent | null {
    const key = stretch.join(" ");
    let piece = this.#pieces.get(key);
    if (piece === undefined) {
      const words = this.sent.slice(...stretch);
      piece = isSentence([words], this.#known) ? words : null;
      this.#pieces.set(key, piece);
    }
    return piece;
  }

  #parts(): readonly (readonly number[])[] {
    const { flat } = this.sent;
    this.#ends ??= [
      [0, ...Array.from(flat.matchAll(SENTENCE_ENDS), endOf), flat.length],
      [
        0,
        ...Array.from(flat.matchAll(CLAUSE_ENDS), (sign) => [sign.index, endOf(sign)]).flat(),
        ...this.#known.joints(this.sent),
        flat.length,
      ].sort((one, other) => one - other),
    ];
    return this.#ends;
  }
}

/** Give what stands around each finding in its turn. */
function* around(turns: readonly Parted[], found: readonly Stretch[]): Generator<Sent> {
  const places = found.toSorted(([start, end], [other, otherEnd]) => start - other || end - otherEnd);
  for (const [turn, start, end] of within(turns, places)) {
    yield* turn.around(start, end);
  }
}

/** Give what each finding itself says. */
function* wordsOf(turns: readonly Parted[], found: readonly Stretch[]): Generator<Sent> {
  for (const [turn, start, end] of within(turns, found)) {
    const words = turn.within(start, end);
    if (words !== null) {
      yield words;
    }
  }
}

/** Give the findings in each turn, with their places in it. */
function* within(turns: readonly Parted[], found: readonly Stretch[]): Generator<readonly [Parted, number, number]> {
  let before = 0;
  for (const turn of turns) {
    const length = turn.sent.points.length;
    for (const place of found) {
      const start = Math.max(place[0] - before, 0);
      const end = Math.min(place[1] - before, length);
      if (start < end) {
        yield [turn, start, end];
      }
    }
    before += length;
  }
}

function endOf(sign: RegExpExecArray): number {
  return sign.index + sign[0].length;
}

/** The sentences or clauses that a finding lies in, without blanks around them. */
function partOf(flat: string, ends: readonly number[], start: number, end: number): Stretch {
  return trimmed(flat, ends[firstFrom(ends, start + 1) - 1] ?? 0, ends[firstFrom(ends, end)] ?? flat.length);
}

function lengthOf([start, end]: Stretch): number {
  return end - start;
}

/** A stretch without blanks around it. */
function trimmed(flat: string, start: number, end: number): Stretch {
  let first = start;
  let last = end;
  while (first < last && isSpace(flat.charAt(first))) {
    first += 1;
  }
  while (last > first && isSpace(flat.charAt(last - 1))) {
    last -= 1;
  }
  return [first, last];
}

/** Which of some numbers in order is the first that is no less than another. */
function firstFrom(numbers: readonly number[], least: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? Infinity) < least) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** A finding with a few letters on either side, up to the end of a word. */
function wordsBeside(flat: string, start: number, end: number): Stretch {
  const low = Math.max(start - MANY_LETTERS, 0);
  const left = flat.slice(low, Math.max(start - FEW_LETTERS, 0)).lastIndexOf(" ");
  const right = flat.slice(end + FEW_LETTERS, end + MANY_LETTERS).indexOf(" ");
  return [low + Math.max(left, 0), Math.min(end + (right < 0 ? MANY_LETTERS : FEW_LETTERS + right), flat.length)];
}
