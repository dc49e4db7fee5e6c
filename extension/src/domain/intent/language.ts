/**
 * Is a text in a language that is covered? When that cannot be told, the answer is no.
 *
 * The words of the lexicons decide, as in server/consentry/intent/language.py. Where words that no lexicon knows
 * prevail, the server asks a statistical guesser; there is none here, so such a text is unreadable, and `und`.
 */

import { hasDigit, hasLetter, isUpper } from "./characters.ts";
import { type Words, isJudged } from "./marking.ts";
import { type View, sourceOf } from "./normalise.ts";

const MOSTLY = 0.45;
const LONG_RUN = 4;
const SHORT_TEXT = 2;

/** Whether a text is covered, and what language it seems to be in. */
export interface Reading {
  readonly isReadable: boolean;
  readonly language: string;
}

/**
 * Judge a text.
 *
 * @param text As it was sent, a unit a character.
 * @param words Its words, as one reading has them.
 * @param view That reading.
 */
export function readingOf(text: string, words: Words, view: View): Reading {
  if (words.tokens.some((token) => token.script === "OTHER" && token.text.length > 1 && hasLetter(token.text))) {
    return { isReadable: false, language: "und" };
  }
  const judged = judgedWords(text, words, view);
  const known = judged.filter(Boolean).length;
  const isCovered =
    judged.length === 0 ||
    (judged.length <= SHORT_TEXT && known > 0) ||
    (known / judged.length >= MOSTLY && longestRun(judged) < LONG_RUN);
  return isCovered
    ? { isReadable: true, language: words.primary[0] ?? "und" }
    : { isReadable: false, language: "und" };
}

/** Say of each word whether its text's languages know it; names and numbers are left out. */
function judgedWords(text: string, words: Words, view: View): boolean[] {
  const plausible = [...words.primary, "mul"];
  const judged: boolean[] = [];
  for (const [i, token] of words.tokens.entries()) {
    if (!isJudged(token)) {
      continue;
    }
    const isKnown = plausible.some((language) => words.senses[i]?.has(language));
    if (!isKnown) {
      const [start] = sourceOf(view, token.start, token.end);
      const isName = i > 0 && isUpper(text.charAt(start));
      const isAddress = start > 0 && "@#/".includes(text.charAt(start - 1));
      if ((isName && !words.primary.includes("de")) || hasDigit(token.text) || isAddress) {
        continue;
      }
    }
    judged.push(isKnown);
  }
  return judged;
}

function longestRun(judged: readonly boolean[]): number {
  let longest = 0;
  let run = 0;
  for (const known of judged) {
    run = known ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  return longest;
}
