/** An alert: one thread in which somebody asked for something about her, and the evidence of it. Pure. */

import type { IntentCategory } from "../intent/taxonomy.ts";
import { isRevealing, rank } from "../intent/taxonomy.ts";

/** More requests than this in one thread add nothing to the evidence but size. */
const MOST_EVIDENCE = 200;
const LONGEST_TEXT = 5000;

/** One request, as it was read. */
export interface Evidence {
  readonly url: string | null;
  readonly account: string | null;
  readonly text: string;
  readonly category: IntentCategory;
  /** As the site wrote it; ISO 8601 where it gives that. */
  readonly postedAt: string | null;
  /** Seconds since 1970. */
  readonly seenAt: number;
  /** SHA-256 of the text, hexadecimal. */
  readonly digest: string;
}

export interface Alert {
  readonly id: string;
  /** What makes two requests one thread. */
  readonly thread: string;
  /** When it was seen first. */
  readonly at: number;
  readonly host: string;
  /** The post that shows her, or that she wrote. */
  readonly page: string;
  /** Names of the people here whom it concerns. */
  readonly subjects: readonly string[];
  /** SHA-256 of the pictures, hexadecimal. */
  readonly digests: readonly string[];
  readonly evidence: readonly Evidence[];
  /** PNG, base64; only if she wished it. */
  readonly crop: string | null;
  readonly isRead: boolean;
}

/** What was seen: a request about somebody here. */
export interface Sighting {
  readonly thread: string;
  readonly host: string;
  readonly page: string;
  readonly subjects: readonly string[];
  readonly digests: readonly string[];
  readonly evidence: Evidence;
}

/** Begin an alert. */
export function begun(id: string, sighting: Sighting): Alert {
  const { evidence, ...rest } = sighting;
  return { id, at: evidence.seenAt, ...rest, evidence: [cut(evidence)], crop: null, isRead: false };
}

/**
 * Add what was seen to the alert of its thread.
 *
 * @returns The same alert when nothing is new: the same request seen again as the page is scrolled or opened anew. A
 *   request that was edited is new, and what stood there before is kept.
 */
export function added(alert: Alert, { subjects, digests, evidence }: Sighting): Alert {
  const isKnown = alert.evidence.some(
    (each) =>
      each.digest === evidence.digest &&
      each.account === evidence.account &&
      (each.url === evidence.url || each.url === null || evidence.url === null),
  );
  const all = (one: readonly string[], other: readonly string[]): readonly string[] => [...new Set([...one, ...other])];
  if (isKnown || alert.evidence.length >= MOST_EVIDENCE) {
    return alert;
  }
  return {
    ...alert,
    subjects: all(alert.subjects, subjects),
    digests: all(alert.digests, digests),
    evidence: [...alert.evidence, cut(evidence)],
    isRead: false,
  };
}

/** The strictest of what was asked. */
export function categoryOf({ evidence }: Pick<Alert, "evidence">): IntentCategory {
  return evidence.map(({ category }) => category).reduce((one, other) => (rank(other) < rank(one) ? other : one), "none");
}

/** Whether somebody asked for her to be shown with less on than she wore. */
export function isIntimate(alert: Pick<Alert, "evidence">): boolean {
  return isRevealing(categoryOf(alert));
}

function cut(evidence: Evidence): Evidence {
  return evidence.text.length <= LONGEST_TEXT ? evidence : { ...evidence, text: evidence.text.slice(0, LONGEST_TEXT) };
}
