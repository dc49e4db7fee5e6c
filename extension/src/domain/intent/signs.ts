/** What was found in a conversation, and whether it stands there openly: `_Signs` in server/consentry/intent/engine.py. */

import type { Sent } from "./characters.ts";
import type { View } from "./normalise.ts";
import { type IntentCategory, type Span, isRevealing } from "./taxonomy.ts";

/** What was found in a reading of a turn that a disguise was undone in; the places are of that reading. */
export interface Undone {
  readonly turn: Sent;
  readonly view: View;
  readonly start: number;
  readonly end: number;
}

interface Hit {
  readonly category: IntentCategory;
  readonly span: Span;
}

/** What was found in a conversation so far. Places are code points from its beginning. */
export class Signs {
  hasAgeCue = false;
  refersToPerson = false;
  isUndone = true;
  #hits: Hit[] = [];
  /** What stands there undisguised. */
  readonly #open = new Map<string, Span>();
  /** Of what was found where a disguise was undone (but for codes): the readings that it was found in. */
  readonly #undone = new Map<string, Undone[]>();

  get hits(): readonly Hit[] {
    return this.#hits;
  }

  /** Add what was found in a code, or by a classifier. */
  add(category: IntentCategory, span: Span): void {
    this.#hits.push({ category, span });
  }

  /** Add what stands there undisguised. */
  addOpen(category: IntentCategory, span: Span): void {
    this.add(category, span);
    this.#open.set(keyOf(span), span);
  }

  /** Add what was found where a disguise was undone. */
  addUndone(category: IntentCategory, span: Span, found: Undone): void {
    this.add(category, span);
    const readings = this.#undone.get(keyOf(span));
    if (readings === undefined) {
      this.#undone.set(keyOf(span), [found]);
    } else if (!readings.some((each) => isSame(each, found))) {
      readings.push(found);
    }
  }

  /** What reveals, each place of a rule once. */
  revealing(): Span[] {
    const found = this.#hits.filter(({ category }) => isRevealing(category));
    return [...new Map(found.map(({ span }) => [keyOf(span), span])).values()];
  }

  /** Drop what reveals. */
  takeBack(): void {
    this.#hits = this.#hits.filter(({ category }) => !isRevealing(category));
  }

  /** The readings with a disguise undone that something was found in. */
  undone(span: Span): readonly Undone[] {
    return this.#undone.get(keyOf(span)) ?? [];
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
}

function keyOf({ start, end, rule }: Span): string {
  return `${start} ${end} ${rule}`;
}

function isSame(one: Undone, other: Undone): boolean {
  return one.view.text === other.view.text && one.start === other.start && one.end === other.end;
}
