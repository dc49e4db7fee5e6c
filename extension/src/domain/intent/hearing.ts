/**
 * What a classifier adds to the rules' findings, and takes back of them: `_hear` of server/consentry/intent/engine.py.
 */

import { Sent, hasLetter, splitWords } from "./characters.ts";
import { type IntentCategory, type Span, isRevealing } from "./taxonomy.ts";
import { UNSPACED } from "./tokens.ts";

const SHORTEST_UNSPACED = 3; // letters that can be a sentence
const NAKED = "nude.word";
const FEW_WORDS = 4; // too few to tell a colour from a request
const MOST_PIECES = 16; // around findings: more are no prompt that means something else
const FEW_LETTERS = 12; // on either side of a finding, up to the end of the word
const MANY_LETTERS = 24;
const SENTENCE_ENDS = /[.!?;\n\u3002\uff01\uff1f\u061f\u0964]+/g;

/** Hears wordings that no rule foresees, and other senses of telling words. */
export interface Classifier {
  readonly thresholds: Thresholds;
  /** How sure it is, 0 to 1, that a conversation asks for something revealing. */
  score(turns: readonly Sent[]): number;
}

/** Which scores of a classifier count beside the rules; the server's `Thresholds` says what each is for. */
export interface Thresholds {
  readonly asks_from: number;
  readonly asks_known_from: number;
  readonly asks_beside_from: number;
  readonly doubts_below: number;
  readonly doubts_words_below: number;
}

/** What was found in a conversation so far. Places are code points from its beginning. */
export class Signs {
  hits: { readonly category: IntentCategory; readonly span: Span }[] = [];
  hasAgeCue = false;
  refersToPerson = false;
  isUndone = true;
  /** What stands there undisguised. */
  readonly #open = new Map<string, Span>();
  /** What was found where words that are run together were parted, with that reading. */
  readonly #parted = new Map<string, Sent>();

  addOpen(span: Span): void {
    this.#open.set(keyOf(span), span);
  }

  addParted(span: Span, reading: Sent): void {
    this.#parted.set(keyOf(span), reading);
  }

  /**
   * Whether what was found stands there undisguised: a single word maybe read a letter further.
   *
   * Of several words only some may stand there openly: "remove the label, rem0ve her skirt".
   */
  isOpen(span: Span, singleWords: ReadonlySet<string>): boolean {
    return (
      this.#open.has(keyOf(span)) ||
      (singleWords.has(span.rule) &&
        this.#open
          .values()
          .some((each) => span.rule === each.rule && span.start < each.end && each.start < span.end))
    );
  }

  /** The reading that it was found in, if that is one with words parted. */
  partedAt(span: Span): Sent | undefined {
    return this.#parted.get(keyOf(span));
  }
}

function keyOf({ start, end, rule }: Span): string {
  return `${start} ${end} ${rule}`;
}

/** What the rules know of a conversation. */
export interface Known {
  /** The rules that a single word is enough for. */
  readonly singleWords: ReadonlySet<string>;
  /** Whether every word is one of its language's lexicon. */
  knowsAll(turns: readonly Sent[]): boolean;
  /** Whether a word that may be a name stands in it. */
  hasStranger(turns: readonly Sent[]): boolean;
  /** A text as it is read plain. */
  asPlain(turn: Sent): Sent;
  scriptOf(char: string): string;
}

/**
 * Add what a classifier is sure of, and take back what it is sure is something else.
 *
 * What was found in a disguise, or about somebody who may be a minor, is never taken back: for the first the classifier
 * has no ear (words that were run together it hears parted), and the second is not left to it. Nor is what it is not sure of by
 * itself: a harmless sentence behind a request would outweigh it. Nor is "nude" where somebody is named and little else:
 * it takes that for a colour.
 */
export function hear(turns: readonly Sent[], signs: Signs, known: Known, classifier: Classifier): void {
  const { thresholds } = classifier;
  const asksKnownFrom = Math.max(thresholds.asks_from, thresholds.asks_known_from);
  const asksBesideFrom = thresholds.asks_beside_from || asksKnownFrom;
  const { singleWords } = known;
  // Asked twice, as on the server. N-grams hear everything plain, but a second time resolves what the first left: a mark
  // on a look-alike letter, and a few dozen signs of physics and phonetics ("ℏer"). The server does not ask again where
  // a text is plain as it is written; here the second answer is then the same, but for those signs, and never laxer.
  const isBelow = (score: number, ...texts: readonly Sent[]): boolean =>
    classifier.score(texts) < score &&
    (texts.every(({ isAscii }) => isAscii) || classifier.score(texts.map((text) => known.asPlain(text))) < score);
  const revealing = signs.hits.filter(({ category }) => isRevealing(category)).map(({ span }) => span);
  if (revealing.length === 0) {
    const least = known.knowsAll(turns) ? asksKnownFrom : thresholds.asks_from;
    if (isSentence(turns, known) && classifier.score(turns) >= least) {
      signs.hits.push({ category: "minimal", span: whole(turns) });
    }
    return;
  }
  const doubtful = revealing.every(({ rule }) => singleWords.has(rule))
    ? Math.max(thresholds.doubts_below, thresholds.doubts_words_below)
    : thresholds.doubts_below;
  const isDoubted = (span: Span): boolean => {
    const reading = signs.partedAt(span);
    return signs.isOpen(span, singleWords) || (reading !== undefined && isBelow(doubtful, reading));
  };
  if (
    !signs.hasAgeCue &&
    !(
      revealing.some(({ rule }) => rule === NAKED) &&
      turns.reduce((sum, turn) => sum + splitWords(turn.flat).length, 0) <= FEW_WORDS &&
      (signs.refersToPerson || known.hasStranger(turns))
    ) &&
    revealing.every(isDoubted) &&
    isBelow(doubtful, ...turns) &&
    piecesAround(turns, revealing, known)?.every((piece) => isBelow(asksBesideFrom, piece)) === true
  ) {
    signs.hits = signs.hits.filter(({ category }) => !isRevealing(category));
  }
}

/** The sentence, and the few words, around each finding; null if they are too many to take all of them back. */
function piecesAround(turns: readonly Sent[], found: readonly Span[], known: Known): Sent[] | null {
  const pieces = new Map<string, Sent>();
  for (const text of around(turns, found)) {
    const piece = new Sent(text);
    if (!pieces.has(text) && isSentence([piece], known)) {
      pieces.set(text, piece);
    }
    if (pieces.size > MOST_PIECES) {
      return null;
    }
  }
  return [...pieces.values()];
}

/** Give what stands around each finding in its turn: its sentence, and a few words. */
function* around(turns: readonly Sent[], found: readonly Span[]): Generator<string> {
  const places = found.toSorted((one, other) => one.start - other.start);
  let before = 0;
  for (const { flat, points } of turns) {
    const ends = [...flat.matchAll(SENTENCE_ENDS)].map((match) => match.index + match[0].length);
    const parts = [0, ...ends, points.length];
    const given = new Set<string>();
    let first = 0;
    for (const span of places) {
      const start = Math.max(span.start - before, 0);
      const end = Math.min(span.end - before, points.length);
      if (start >= end) {
        continue;
      }
      // Sentences are counted up, and each is given once: a hostile turn has thousands, or one with thousands of findings.
      while ((parts[first + 1] ?? Infinity) <= start) {
        first += 1;
      }
      let last = first;
      while ((parts[last] ?? Infinity) < end) {
        last += 1;
      }
      const low = Math.max(start - MANY_LETTERS, 0);
      const high = end + FEW_LETTERS;
      const left = flat.slice(low, Math.max(start - FEW_LETTERS, 0)).lastIndexOf(" ");
      const right = flat.slice(high, end + MANY_LETTERS).indexOf(" ");
      for (const [from, to] of [
        [parts[first], parts[last]],
        [low + Math.max(left, 0), right < 0 ? end + MANY_LETTERS : high + right],
      ]) {
        if (!given.has(`${from} ${to}`)) {
          given.add(`${from} ${to}`);
          yield points.slice(from, to).join("");
        }
      }
    }
    before += points.length;
  }
}

/** Whether a conversation is more than one word: of less the classifier has no idea. */
function isSentence(turns: readonly Sent[], known: Known): boolean {
  const words = turns.flatMap((turn) => splitWords(turn.flat)).filter(hasLetter);
  return (
    words.length > 1 ||
    words.some((word) => word.length >= SHORTEST_UNSPACED && UNSPACED.has(known.scriptOf(word.slice(-1))))
  );
}

function whole(turns: readonly Sent[]): Span {
  const before = turns.slice(0, -1).reduce((sum, turn) => sum + turn.points.length, 0);
  return { start: before, end: before + Math.max(turns.at(-1)?.points.length ?? 0, 1), rule: "paraphrase" };
}
