/** Does a reply ask somebody to alter a picture, and whom: a program, or whoever reads it? Pure. */

import assistants from "../../sites/assistants.json" with { type: "json" };
import type { Assessment } from "../intent/taxonomy.ts";
import { isRevealing } from "../intent/taxonomy.ts";
import { handleOf } from "./handles.ts";

const HANDLES: ReadonlySet<string> = new Set(assistants.handles);
const NAMES: readonly string[] = assistants.names;
const MENTION = /@([\p{L}\p{N}_][\p{L}\p{N}_.-]*)/gu;
/** Rules that hear an act and not merely a word: "take her dress off", not "nice bikini". */
const ACTS = /^(?:undress|face|impersonation|body)\./;

/** One turn of a conversation beneath a post. */
export interface Turn {
  readonly text: string;
  readonly account: string | null;
}

/** Whether an account is that of a program that makes pictures or answers. */
export function isAssistant(account: string | null): boolean {
  return account !== null && HANDLES.has(handleOf(account));
}

/** Whether a text calls on such a program, by its handle or its name. */
export function callsAssistant(text: string): boolean {
  const folded = text.normalize("NFKC").toLowerCase();
  for (const [, handle] of folded.matchAll(MENTION)) {
    if (handle !== undefined && HANDLES.has(handleOf(handle))) {
      return true;
    }
  }
  return NAMES.some((name) => hasWord(folded, name));
}

/**
 * Whether a turn asks for something to be done to a picture.
 *
 * Words for what is worn, or seen, stand in many replies that ask for nothing ("lovely bikini!"). They count when a
 * program is called on, in this turn or in one that it answers; without one only an act counts.
 *
 * @param assessment Of the turn, with the turns before it.
 * @param before The turns that it answers, oldest first, without the post itself.
 */
export function isRequest(assessment: Assessment, turn: Turn, before: readonly Turn[]): boolean {
  if (assessment.category === "none" || assessment.spans.length === 0) {
    return false;
  }
  return isCalled(turn, before)
    ? isRevealing(assessment.category) || assessment.category === "face_swap" || assessment.category === "impersonation"
    : assessment.spans.some(({ rule }) => ACTS.test(rule));
}

/** Whether a program is called on, in this turn or in one that it answers. */
export function isCalled(turn: Turn, before: readonly Turn[]): boolean {
  return [turn, ...before].some(({ text, account }) => callsAssistant(text) || isAssistant(account));
}

/** Whether a name stands in a text and is not the middle of a longer word; scripts without spaces have no words. */
function hasWord(text: string, name: string): boolean {
  const isSpaced = !/[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/u.test(name);
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const around = text.slice(Math.max(0, at - 1), at) + text.slice(at + name.length, at + name.length + 1);
    if (!isSpaced || !/[\p{L}\p{N}]/u.test(around)) {
      return true;
    }
  }
  return false;
}
