/**
 * Composition: what the marked words of a sentence ask for together, after server/consentry/intent/grammar.py.
 *
 * The rules are data, `composition.json`, the server's own. Before they are applied each mark is judged (judging.ts).
 */

import { CLOTHES, judge } from "./judging.ts";
import type { IntentCategory } from "./taxonomy.ts";

const REACH = 12;

export interface RuleRow {
  readonly id: string;
  readonly category: IntentCategory;
  readonly parts: readonly string[];
  readonly within?: number;
  readonly order?: "any" | "forward" | "object";
  readonly head?: readonly number[];
  readonly between_not?: readonly string[];
  readonly needs?: readonly string[];
  readonly needs_not?: readonly string[];
  readonly through_not?: boolean;
  readonly one_clause?: boolean;
}

export interface CompositionFile {
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly rules: readonly RuleRow[];
}

/** A word, or several, that fill slots. */
export class Mark {
  readonly first: number;
  readonly last: number;
  slots: ReadonlySet<string>;
  text: string;
  /** Place of the last word of a phrase that others stand in ("take ... off"); else -1. */
  readonly until: number;
  /** It is where something else is ("the stain on her dress"). */
  isAttribute = false;
  /** It is not to be done, or not to be there. */
  isNegated = false;
  /** Something more modest takes its place, or covers it. */
  isGivenUp = false;
  /** It is part of a product, of a thing, or only given another colour. */
  isSpared = false;

  constructor(first: number, last: number, slots: ReadonlySet<string>, text = "", until = -1) {
    this.first = first;
    this.last = last;
    this.slots = slots;
    this.text = text;
    this.until = until;
  }

  /** Whether it fills one of some slots. */
  has(...slots: readonly string[]): boolean {
    return slots.some((slot) => this.slots.has(slot));
  }

  /** A fresh mark, `by` tokens further. */
  moved(by: number): Mark {
    return new Mark(this.first + by, this.last + by, this.slots, this.text, this.until >= 0 ? this.until + by : -1);
  }
}

/** The words of one sentence. */
export interface Sentence {
  /** In order, not overlapping. */
  readonly marks: readonly Mark[];
  /** How many tokens it has. */
  readonly length: number;
  /** The tokens before which a comma stands. */
  readonly commas: ReadonlySet<number>;
  readonly isVerbFinal: boolean;
  /** Whether the whole text speaks of a person. */
  readonly namesSomebody: boolean;
  /** Whether "not" may stand after what it negates. */
  readonly negationFollows: boolean;
  /** Whether the whole text is about reporting or preventing such pictures. */
  readonly complains: boolean;
  /** Endings that make a garment the place of something else. */
  readonly attributeEndings: readonly string[];
  /** The mark at each token. */
  readonly at: Map<number, Mark>;
}

/** A rule that was met, by which tokens of the sentence. */
export interface Finding {
  readonly rule: string;
  readonly category: IntentCategory;
  readonly first: number;
  readonly last: number;
}

interface Rule {
  readonly id: string;
  readonly category: IntentCategory;
  readonly parts: readonly ReadonlySet<string>[];
  readonly within: number;
  readonly order: string;
  readonly head: ReadonlySet<number>;
  readonly betweenNot: ReadonlySet<string>;
  readonly needs: ReadonlySet<string>;
  readonly needsNot: ReadonlySet<string>;
  readonly throughNot: boolean;
  readonly oneClause: boolean;
}

/** Applies the rules. */
export class Grammar {
  /** The rules that a single word is enough for. */
  readonly ofOneWord: ReadonlySet<string>;
  readonly #rules: readonly Rule[];

  constructor(file: CompositionFile) {
    this.#rules = file.rules.map((row) => ruleOf(row, file.groups));
    this.ofOneWord = new Set(this.#rules.filter(({ parts }) => parts.length === 1).map(({ id }) => id));
  }

  /** Judge the marks of a sentence, and give the rules that they meet. */
  findings(sentence: Sentence): Finding[] {
    if (sentence.marks.length === 0) {
      return [];
    }
    for (const mark of sentence.marks) {
      for (let place = mark.first; place <= mark.last; place += 1) {
        sentence.at.set(place, mark);
      }
    }
    judge(sentence);
    const present = new Set(sentence.marks.flatMap((mark) => [...mark.slots]));
    return this.#rules
      .filter(
        (rule) =>
          rule.parts.every((part) => !part.isDisjointFrom(present)) &&
          (rule.needs.size === 0 || !rule.needs.isDisjointFrom(present)) &&
          rule.needsNot.isDisjointFrom(present),
      )
      .flatMap((rule) => [...met(rule, sentence)]);
  }
}

function ruleOf(row: RuleRow, groups: CompositionFile["groups"]): Rule {
  const slots = (names: readonly string[]): Set<string> =>
    new Set(
      names
        .flatMap((name) => name.split("|"))
        .flatMap((name) => (Object.hasOwn(groups, name) ? (groups[name] ?? []) : [name])),
    );
  return {
    id: row.id,
    category: row.category,
    parts: row.parts.map((part) => slots([part])),
    within: row.within ?? 1,
    order: row.order ?? "forward",
    head: new Set(row.head),
    betweenNot: slots(row.between_not ?? []),
    needs: slots(row.needs ?? []),
    needsNot: slots(row.needs_not ?? []),
    throughNot: row.through_not ?? false,
    oneClause: row.one_clause ?? false,
  };
}

function* met(rule: Rule, sentence: Sentence): Generator<Finding> {
  for (const [i, mark] of sentence.marks.entries()) {
    if (!fits(rule, 0, mark)) {
      continue;
    }
    const chosen = [mark];
    let isMet = true;
    for (let part = 1; part < rule.parts.length && isMet; part += 1) {
      isMet = extended(rule, part, chosen, i, sentence);
    }
    if (isMet) {
      yield {
        rule: rule.id,
        category: rule.category,
        first: Math.min(...chosen.map((each) => each.first)),
        last: Math.max(...chosen.map((each) => each.last)),
      };
    }
  }
}

function fits(rule: Rule, part: number, mark: Mark): boolean {
  const slots = rule.parts[part];
  return (
    slots !== undefined &&
    !mark.slots.isDisjointFrom(slots) &&
    !mark.isGivenUp &&
    !mark.isSpared &&
    (rule.throughNot || !mark.isNegated) &&
    !(rule.head.has(part) && mark.isAttribute)
  );
}

/** Choose the nearest mark for the next part; tell whether there is one. */
function extended(rule: Rule, part: number, chosen: Mark[], place: number, sentence: Sentence): boolean {
  const last = chosen.at(-1);
  const slots = rule.parts[part];
  if (last === undefined || slots === undefined) {
    return false;
  }
  const isAny = rule.order === "any" || (rule.order === "object" && sentence.isVerbFinal);
  for (const mark of neighbours(sentence.marks, place, isAny)) {
    if (chosen.includes(mark)) {
      if (chosen.length === 1 && !mark.slots.isDisjointFrom(slots) && isTwoInOne(rule, mark)) {
        chosen.push(mark);
        return true;
      }
      continue;
    }
    const distance = mark.first > last.first ? mark.first - last.last : last.first - mark.last;
    if (distance > rule.within || !fits(rule, part, mark) || isBetween(rule.betweenNot, last, mark, sentence)) {
      continue;
    }
    if (rule.oneClause && part === 1 && isCommaBetween(last, mark, sentence)) {
      continue;
    }
    if (rule.head.has(part) && (isClauseApart(last, mark, sentence) || isSatisfied(last, mark, sentence))) {
      continue;
    }
    chosen.push(mark);
    return true;
  }
  return false;
}

/** Whether a word is all parts at once ("clothesless"): then it fills different slots. */
function isTwoInOne(rule: Rule, mark: Mark): boolean {
  const [one, other] = rule.parts;
  return mark.slots.size > 1 && one !== undefined && other !== undefined && one.symmetricDifference(other).size > 0;
}

/** Give marks after a place, nearest first; and, where the order is free, those before it. */
function* neighbours(marks: readonly Mark[], place: number, isAny: boolean): Generator<Mark> {
  for (let step = 0; step < REACH; step += 1) {
    const after = marks[place + step];
    if (after !== undefined) {
      yield after;
    }
    const before = isAny && step > 0 ? marks[place - step] : undefined;
    if (before !== undefined) {
      yield before;
    }
  }
}

/** Whether a mark of some slots stands between two, and is not merely the first of a list. */
function isBetween(slots: ReadonlySet<string>, one: Mark, other: Mark, sentence: Sentence): boolean {
  if (slots.size === 0) {
    return false;
  }
  const [first, last] = one.first <= other.first ? [one, other] : [other, one];
  const between = sentence.marks.filter((mark) => first.last < mark.first && mark.last < last.first);
  return between.some((mark, i) => {
    if (mark.slots.isDisjointFrom(slots)) {
      return false;
    }
    const later = between.slice(i + 1);
    const isListed = later.some((each) => each.has("and")) || hasComma(sentence, mark.last + 1, last.first);
    // In a list the verb stands outside of it; what stands before its own verb is no list.
    const isBeforeVerb = first.has(...CLOTHES) && !sentence.isVerbFinal;
    return !isListed || isBeforeVerb || later.some((each) => each.has("only", "keep", "but"));
  });
}

function hasComma(sentence: Sentence, from: number, to: number): boolean {
  for (let place = from; place <= to; place += 1) {
    if (sentence.commas.has(place)) {
      return true;
    }
  }
  return false;
}

function isCommaBetween(one: Mark, other: Mark, sentence: Sentence): boolean {
  const [first, last] = one.first <= other.first ? [one, other] : [other, one];
  return hasComma(sentence, first.last + 1, last.first);
}

/** Whether, where the verb comes last, an act has its object before it already. */
function isSatisfied(act: Mark, worn: Mark, sentence: Sentence): boolean {
  if (!sentence.isVerbFinal || worn.first < act.first) {
    return false;
  }
  return [1, 2].some((step) => sentence.at.get(act.first - step)?.has("accessory", "detail", "thing") ?? false);
}

/** Whether what is worn comes after a comma with an act of its own before it. */
function isClauseApart(act: Mark, worn: Mark, sentence: Sentence): boolean {
  if (worn.first < act.first) {
    return false;
  }
  const commas = [...sentence.commas].filter((place) => act.last < place && place <= worn.first);
  if (commas.length === 0) {
    return false;
  }
  const start = Math.max(...commas);
  return sentence.marks.some(
    (mark) =>
      start <= mark.first &&
      mark.first < worn.first &&
      mark.has("show", "keep", "only", "put", "wear", "lengthen", "cover"),
  );
}
