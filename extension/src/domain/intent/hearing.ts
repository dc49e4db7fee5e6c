/**
 * What a classifier adds to the rules' findings: the first half of `_hear` in server/consentry/intent/engine.py. What it
 * takes back of them: doubts.ts.
 */

import { type Sent, hasLetter, isLetter, splitWords } from "./characters.ts";
import { stripped } from "./normalise.ts";
import type { Undone } from "./signs.ts";
import type { Span } from "./taxonomy.ts";
import { UNSPACED } from "./tokens.ts";

const SHORTEST_UNSPACED = 3; // letters that can be a sentence
const SHORTEST_HEARD_RUN = 12; // letters of a single word that may be a sentence without blanks

/** Hears wordings that no rule foresees, and other senses of telling words. */
export interface Classifier {
  readonly thresholds: Thresholds;
  /** How sure it is, 0 to 1, that a conversation asks for something revealing. */
  score(turns: readonly Sent[]): number;
}

/** Which scores of a classifier count beside the rules; the server's `Thresholds` says what each is for. Its `kept_alone` is empty here, and so there is no `asks_of_somebody_from`: `kept` keeps more. */
export interface Thresholds {
  readonly asks_from: number;
  readonly asks_known_from: number;
  readonly asks_as_one_from: number;
  readonly asks_beside_from: number;
  readonly doubts_below: number;
  readonly doubts_words_below: number;
  readonly asks_alone_from: number;
  readonly kept: readonly string[];
}

/** What the rules know of a conversation. */
export interface Known {
  /** The rules that a single word is enough for. */
  readonly singleWords: ReadonlySet<string>;
  /** Whether every word is one of its language's lexicon. */
  knowsAll(turns: readonly Sent[]): boolean;
  /** How many words it has, between blanks or of scripts without them. */
  wordsIn(turns: readonly Sent[]): number;
  /** Whether a person stands in a text, or a word that may be a name. */
  mayNameSomebody(turn: Sent): boolean;
  /** Where words for "and" begin in a text. */
  joints(turn: Sent): readonly number[];
  /** A text as rules read it, in lower case and without accents; and as its language writes it. */
  plainly(turn: Sent): Sent;
  asWritten(turn: Sent): string;
  /** A reading that a disguise was undone in, as a text. */
  textOf(found: Undone): Sent;
  scriptOf(char: string): string;
}

/** The least score that a conversation asks from by itself, where rules know every word of it. */
export function asksKnownFrom({ asks_from: asksFrom, asks_known_from: known }: Thresholds): number {
  return Math.max(asksFrom, known);
}

/** What a classifier is sure of in a conversation in which rules found nothing revealing; null if it is not. */
export function heard(turns: readonly Sent[], known: Known, classifier: Classifier): Span | null {
  const { thresholds } = classifier;
  let least = known.knowsAll(turns) ? asksKnownFrom(thresholds) : thresholds.asks_from;
  if (!isSentence(turns, known)) {
    // "takeherblouseoff" in a language whose rules do not part it; "unbutton.her.blouse".
    least = thresholds.asks_as_one_from;
    if (!turns.some(mayBeSentence)) {
      return null;
    }
  }
  return classifier.score(turns) >= least ? whole(turns) : null;
}

/** Whether a conversation is more than one word: of less the classifier has no idea. */
export function isSentence(turns: readonly Sent[], known: Known): boolean {
  const words = turns.flatMap((turn) => splitWords(turn.flat)).filter(hasLetter);
  return (
    words.length > 1 ||
    words.some((word) => word.length >= SHORTEST_UNSPACED && UNSPACED.has(known.scriptOf(word.slice(-1))))
  );
}

/** Whether a single word is long enough to be several, and not somebody who is spoken to. */
function mayBeSentence({ flat }: Sent): boolean {
  return Array.from(flat).filter(isLetter).length >= SHORTEST_HEARD_RUN && !stripped(flat).startsWith("@");
}

function whole(turns: readonly Sent[]): Span {
  const before = turns.slice(0, -1).reduce((sum, turn) => sum + turn.points.length, 0);
  return { start: before, end: before + Math.max(turns.at(-1)?.points.length ?? 0, 1), rule: "paraphrase" };
}
