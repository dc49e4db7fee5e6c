/** The closed words of an assessment, as in server/consentry/kernel/taxonomy.py: part of the wire format. */

/** What a prompt asks for, strictest first. All but the last three are revealing or sexual. */
export const CATEGORIES = [
  "nude",
  "underwear",
  "swimwear",
  "transparent",
  "minimal",
  "sexual_pose",
  "body_exaggeration",
  "face_swap",
  "impersonation",
  "none",
] as const;

export type IntentCategory = (typeof CATEGORIES)[number];

/** Whether laws 1 and 2 apply. */
export function isRevealing(category: IntentCategory): boolean {
  return category !== "face_swap" && category !== "impersonation" && category !== "none";
}

/** Smaller is stricter. */
export function rank(category: IntentCategory): number {
  return CATEGORIES.indexOf(category);
}

/** What somebody else heard in the same words. */
export type Heard = Pick<Assessment, "category" | "isReadable" | "hasAgeCue" | "refersToPerson">;

/** The stricter of the two in each; what only the other heard lies in the whole of `text`. */
export function withHeard(own: Assessment, heard: Heard, text: string): Assessment {
  const isStricter = rank(heard.category) < rank(own.category);
  return {
    ...own,
    category: isStricter ? heard.category : own.category,
    spans: isStricter && own.spans.length === 0 ? [{ start: 0, end: text.length, rule: "companion" }] : own.spans,
    isReadable: own.isReadable && heard.isReadable,
    hasAgeCue: own.hasAgeCue || heard.hasAgeCue,
    refersToPerson: own.refersToPerson || heard.refersToPerson,
  };
}

/** A stretch of the text as sent, `text.slice(start, end)`, and the rule that it set off. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly rule: string;
}

/** What a prompt or a conversation asks for. */
export interface Assessment {
  /** The strictest category that was found. */
  readonly category: IntentCategory;
  /** Where, in the newest turn as sent, in UTF-16 units. */
  readonly spans: readonly Span[];
  /** BCP 47 tag, or `und` when it cannot be told. */
  readonly language: string;
  /** False when the text is in a language, script or disguise that is not covered. */
  readonly isReadable: boolean;
  readonly hasText: boolean;
  /** The text speaks of a minor, whatever age it claims elsewhere. */
  readonly hasAgeCue: boolean;
  /** The text refers to a specific person: a name, a handle, an office, "this girl", "her". */
  readonly refersToPerson: boolean;
}
