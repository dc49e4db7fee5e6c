/**
 * What a classifier adds to the rules' findings: the first half of `_hear` in server/consentry/intent/engine.py.
 *
 * The server, which has a text network, also takes findings back. The browser's n-grams add up what they hear, so
 * that harmless words outweigh a request: they take nothing back (docs/adr/0042).
 */

import { type Sent, hasLetter, splitWords } from "./characters.ts";
import type { Span } from "./taxonomy.ts";
import { UNSPACED } from "./tokens.ts";

const SHORTEST_UNSPACED = 3; // letters that can be a sentence

/** Hears wordings that no rule foresees. */
export interface Classifier {
  readonly thresholds: Thresholds;
  /** How sure it is, 0 to 1, that a conversation asks for something revealing. */
  score(turns: readonly Sent[]): number;
}

/** Which scores of a classifier count beside the rules; the server's `Thresholds` says what each is for. */
export interface Thresholds {
  readonly asks_from: number;
  readonly asks_known_from: number;
}

/** What the rules know of a conversation. */
export interface Known {
  /** Whether every word is one of its language's lexicon. */
  knowsAll(turns: readonly Sent[]): boolean;
  scriptOf(char: string): string;
}

/** What a classifier is sure of in a conversation in which rules found nothing revealing; null if it is not. */
export function heard(turns: readonly Sent[], known: Known, classifier: Classifier): Span | null {
  const { asks_from: asksFrom, asks_known_from: asksKnownFrom } = classifier.thresholds;
  const least = known.knowsAll(turns) ? Math.max(asksFrom, asksKnownFrom) : asksFrom;
  return isSentence(turns, known) && classifier.score(turns) >= least ? whole(turns) : null;
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
