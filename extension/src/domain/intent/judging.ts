/**
 * What keeps a mark from counting: it is only the place of something else, negated, given up for something more modest,
 * part of a product, or merely given another colour. The first half of server/consentry/intent/grammar.py.
 */

import type { Mark, Sentence } from "./grammar.ts";

const NEGATION_REACH = 7;
const NEGATION_REACH_BEFORE_VERB = 2;
const LINK_REACH = 4;
const SUBJECT_REACH = 5;
const COVER_REACH = 6;
const CHANGE_REACH = 3;

export const SOMEBODY = ["person", "pronoun", "relation", "office", "minor"] as const;
export const CLOTHES = ["garment", "underwear", "swimwear"] as const;
const INTIMATE = ["underwear", "swimwear"] as const;
const VERBS = [
  "put",
  "make",
  "wear",
  "replace",
  "show",
  "remove",
  "without",
  "open",
  "reduce",
  "cover",
  "enlarge",
  "undress",
  "keep",
  "lengthen",
  "instead",
] as const;
const FILLERS = ["function", "this", "all", "not", "only", "more", "less"] as const;
const COVERED = ["underwear", "swimwear", "transparent", "skimpy", "tight", "body", "bare", "garment"] as const;
const REPORTED = ["nude", "underwear", "swimwear", "sexual", "face_swap", "impersonate"] as const;
/** What a sentence that covers something may name: "close the low neckline, it is too open". */
const WEAK = ["transparent", "skimpy", "tight", "bare", "body", "open", "reduce"] as const;
const OBJECT_REACH = 3;
const SPARED = [
  "underwear",
  "swimwear",
  "transparent",
  "skimpy",
  "tight",
  "garment",
  "undress",
  "nude",
  "scant",
  "bare",
  "fabric",
  "body",
  "modest",
] as const;

/** Say of each mark of a sentence what keeps it from counting. */
export function judge(sentence: Sentence): void {
  for (const mark of sentence.marks) {
    if (mark.has(...CLOTHES, "modest", "body", "face", "fabric")) {
      mark.isAttribute = isAttribute(mark, sentence);
    }
    if (mark.until > mark.last) {
      judgeParted(mark, sentence);
    }
  }
  negate(sentence);
  for (const mark of sentence.marks) {
    if (mark.has(...CLOTHES) && isLeftAlone(mark, sentence)) {
      mark.isNegated = true;
    }
  }
  giveUp(sentence);
  spare(sentence);
}

/** Judge a phrase by what stands in it: "take your hat off", "get the ketchup off my shirt". */
function judgeParted(mark: Mark, sentence: Sentence): void {
  const inside = sentence.marks.filter((other) => mark.last < other.first && other.first < mark.until);
  if (inside.some((other) => other.has("not"))) {
    mark.isNegated = true;
  }
  if (mark.has("undress") && inside.some((other) => other.has("accessory", "detail", "thing"))) {
    mark.isSpared = !inside.some((other) => other.has(...CLOTHES));
  }
  if (mark.has("remove") && !inside.some((other) => other.has(...CLOTHES, "fabric", "all"))) {
    const fillers = inside
      .filter((other) => other.has(...FILLERS, ...SOMEBODY) && !other.has("detail", "thing", "accessory"))
      .reduce((sum, other) => sum + other.last - other.first + 1, 0);
    mark.isSpared = mark.until - mark.last - 1 > fillers;
  }
}

function isAttribute(mark: Mark, sentence: Sentence): boolean {
  const after = sentence.at.get(mark.last + 1);
  const isCompound = after !== undefined && after.has("detail") && !after.has(...CLOTHES);
  return (
    (isCompound && !sentence.isVerbFinal && !sentence.commas.has(mark.last + 1)) ||
    isAfterLink(mark, sentence) ||
    isBeforeLink(mark, sentence)
  );
}

/** Whether a preposition makes it the place of a noun before: "the stain on her new dress". */
function isAfterLink(mark: Mark, sentence: Sentence): boolean {
  for (let place = mark.first - 1; place > Math.max(-1, mark.first - 1 - LINK_REACH); place -= 1) {
    if (sentence.commas.has(place + 1)) {
      return false;
    }
    const other = sentence.at.get(place);
    if (other?.has("link")) {
      return hasHeadBefore(other, sentence);
    }
    if (other?.has(...VERBS, "and", "person", ...CLOTHES, "detail", "thing")) {
      return false;
    }
  }
  return false;
}

function hasHeadBefore(link: Mark, sentence: Sentence): boolean {
  for (let place = link.first - 1; place > Math.max(-1, link.first - 3); place -= 1) {
    const other = sentence.at.get(place);
    if (other === undefined) {
      return true;
    }
    if (other.has(...CLOTHES, "all")) {
      return false;
    }
    if (other.has("detail", "thing", "product", "accessory", ...SOMEBODY, "face", "colour")) {
      return true;
    }
    if (other.has(...VERBS)) {
      return false;
    }
    if (!other.has(...FILLERS)) {
      return true;
    }
  }
  return false;
}

/** Whether a postposition, an ending, or "worn by" makes it the place of a noun after it. */
function isBeforeLink(mark: Mark, sentence: Sentence): boolean {
  let linked = mark.last;
  if (!sentence.attributeEndings.some((ending) => mark.text.endsWith(ending))) {
    const after = sentence.at.get(mark.last + 1);
    if (after === undefined || !after.has("link_after")) {
      return false;
    }
    linked = after.last;
  }
  for (let place = linked + 1; place < Math.min(sentence.length, linked + 4); place += 1) {
    const other = sentence.at.get(place);
    if (other === undefined || other.has("detail", "thing", "product", "accessory", ...SOMEBODY, "colour")) {
      return true;
    }
    if (other.has(...VERBS, ...CLOTHES, "and")) {
      return false;
    }
    if (!other.has(...FILLERS, "link_after")) {
      return true;
    }
  }
  return false;
}

/** Mark what a negation reaches: what follows it, or, where the verb comes last, what precedes. */
function negate(sentence: Sentence): void {
  for (const mark of sentence.marks) {
    if (mark.has("not") && mark.slots.size > 1 && mark.has(...VERBS, "nude", "sexual")) {
      mark.isNegated = true;
      negateSide(mark, sentence, -1);
    } else if (mark.has("not") || (mark.has("without") && negates(mark, sentence))) {
      negateSide(mark, sentence, 1);
      if (sentence.negationFollows) {
        negateSide(mark, sentence, -1);
      }
    }
  }
}

/** Whether its clause says of what is worn only what is not to be done: ", dress don't touch". */
function isLeftAlone(worn: Mark, sentence: Sentence): boolean {
  let start = 0;
  let end = sentence.length;
  for (const place of sentence.commas) {
    if (place <= worn.first) {
      start = Math.max(start, place);
    }
    if (place > worn.last) {
      end = Math.min(end, place);
    }
  }
  const clause = sentence.marks.filter((mark) => start <= mark.first && mark.last < end);
  return (
    start > 0 &&
    clause.some((mark) => mark.has("not") && mark.first > worn.last) &&
    !clause.some((mark) =>
      mark.has("remove", "without", "keep", "wear", "dressed", "nothing", "nude", "open"),
    )
  );
}

/** Whether "without" stands before an act or a quality ("without removing", "without nudity"). */
function negates(without: Mark, sentence: Sentence): boolean {
  for (const place of [without.last + 1, without.last + 2]) {
    const other = sentence.at.get(place);
    if (sentence.commas.has(place) || other?.has(...CLOTHES)) {
      return false;
    }
    const isPhrase = other !== undefined && other.first < other.last && place > without.last + 1;
    if (
      !isPhrase &&
      other?.has(
        "remove",
        "undress",
        "nude",
        "sexual",
        "transparent",
        "skimpy",
        "pose",
        "genital",
        "show",
        "face_swap",
        "replace",
        "suggestive",
        "euphemism",
        "bare",
      )
    ) {
      return true;
    }
  }
  return false;
}

function negateSide(negation: Mark, sentence: Sentence, step: 1 | -1): void {
  let place = step > 0 ? negation.last + 1 : negation.first - 1;
  const reach = step > 0 && sentence.isVerbFinal ? NEGATION_REACH_BEFORE_VERB : NEGATION_REACH;
  for (let i = 0; i < reach; i += 1) {
    if (place < 0 || place >= sentence.length || sentence.commas.has(step > 0 ? place : place + 1)) {
      return;
    }
    const other = sentence.at.get(place);
    if (other !== undefined) {
      if (other.has("but", "and", "instead") || (other.has("only") && step > 0)) {
        return;
      }
      other.isNegated = true;
    }
    place += step;
  }
}

/** Mark what something more modest replaces or covers. */
function giveUp(sentence: Sentence): void {
  const { marks } = sentence;
  for (const mark of marks) {
    if (mark.has("instead") && !mark.isNegated) {
      giveUpInstead(mark, sentence);
    } else if (mark.has("less")) {
      giveUpLess(mark, sentence);
    } else if (mark.has("too")) {
      giveUpTooMuch(mark, sentence);
    }
    if (mark.has("without")) {
      giveUpRefused(mark, sentence);
    }
  }
  const worn = marks.filter((mark) => mark.has(...CLOTHES, "modest", "scant"));
  const isReplacing = marks.some((mark) => mark.has("replace") && !mark.isNegated);
  if (isReplacing && worn.length > 1 && worn.at(-1)?.has("modest")) {
    for (const mark of worn.slice(0, -1)) {
      mark.isGivenUp = true;
    }
  }
  if (!marks.some((mark) => mark.has("only", "scant"))) {
    giveUpCovered(sentence);
  }
}

/** Mark what is covered, or made longer: near the act what is worn, anywhere what is weak. */
function giveUpCovered(sentence: Sentence): void {
  const acts = sentence.marks.filter(
    (mark) => mark.has("cover", "lengthen") && !mark.isNegated && !isOfDetail(mark, sentence),
  );
  for (const act of acts) {
    giveUpNear(act, sentence, COVER_REACH);
  }
  for (const mark of sentence.marks) {
    if (acts.length > 0 && mark.has(...WEAK)) {
      mark.isGivenUp = true;
    }
  }
}

/** Whether what is covered is no garment: "remove her dress, and blur the background". */
function isOfDetail(act: Mark, sentence: Sentence): boolean {
  const step = sentence.isVerbFinal ? -1 : 1;
  let place = step < 0 ? act.first - 1 : act.last + 1;
  for (let i = 0; i < OBJECT_REACH; i += 1) {
    const other = sentence.at.get(place);
    if (other !== undefined && !other.has(...FILLERS)) {
      return other.has("detail") && !other.has(...COVERED);
    }
    place += step;
  }
  return false;
}

/** Mark what is not wanted when something else is: "no bikini please, proper clothes". */
function giveUpRefused(without: Mark, sentence: Sentence): void {
  for (const place of [without.last + 1, without.last + 2]) {
    const other = sentence.at.get(place);
    if (other === undefined || !other.has("swimwear")) {
      continue;
    }
    const after = sentence.marks.filter((mark) => mark.first > other.last);
    if (
      after.some((mark) => mark.has("modest", "garment", "dressed")) &&
      !after.some((mark) => mark.has("without", "scant"))
    ) {
      other.isGivenUp = true;
    }
    return;
  }
}

function giveUpInstead(instead: Mark, sentence: Sentence): void {
  const step = sentence.isVerbFinal ? -1 : 1;
  let place = step < 0 ? instead.first - 1 : instead.last + 1;
  for (let i = 0; i < 4; i += 1) {
    const other = sentence.at.get(place);
    if (other?.has(...COVERED, "modest", "nude")) {
      other.isGivenUp = true;
      return;
    }
    place += step;
  }
}

function giveUpLess(less: Mark, sentence: Sentence): void {
  for (const place of [less.last + 1, less.last + 2, less.first - 1]) {
    const other = sentence.at.get(place);
    if (other?.has("transparent", "skimpy", "tight", "sexual", "nude", "bare", "suggestive", "body")) {
      other.isGivenUp = true;
      giveUpNear(less, sentence, 5);
      return;
    }
  }
}

/** Mark what a complaint asks to be covered: "her skirt is too short". */
function giveUpTooMuch(too: Mark, sentence: Sentence): void {
  for (const place of [too.last + 1, too.last + 2, too.first - 1]) {
    if (sentence.at.get(place)?.has("transparent", "skimpy", "tight", "reduce", "bare", "open")) {
      giveUpNear(too, sentence, 9);
      return;
    }
  }
}

function giveUpNear(act: Mark, sentence: Sentence, reach: number): void {
  for (const mark of sentence.marks) {
    const distance = Math.max(mark.first - act.last, act.first - mark.last);
    if (mark !== act && distance <= reach && mark.has(...COVERED)) {
      mark.isGivenUp = true;
    }
  }
}

/** Mark what is part of a product or a thing, or only given another colour. */
function spare(sentence: Sentence): void {
  const { marks } = sentence;
  const isAsking =
    marks.some((mark) => mark.has("undress", "wear")) ||
    (marks.some((mark) => mark.has("remove")) && marks.some((mark) => mark.has(...CLOTHES)));
  if (sentence.complains && !isAsking) {
    for (const mark of marks) {
      mark.isSpared ||= mark.has(...REPORTED);
    }
  }
  if (!sentence.namesSomebody) {
    spareThings(sentence);
  }
  const intimate = marks.filter((mark) => mark.has(...INTIMATE));
  if (isAboutDetail(sentence)) {
    for (const mark of intimate) {
      mark.isSpared ||= mark.isAttribute;
    }
  }
  if (isRecoloured(intimate, sentence)) {
    for (const mark of intimate) {
      mark.isSpared = true;
    }
  }
}

/** Mark what a text without people says of products, animals and things. */
function spareThings(sentence: Sentence): void {
  const { marks } = sentence;
  if (marks.some((mark) => mark.has("product"))) {
    for (const mark of marks) {
      mark.isSpared ||= mark.has(...SPARED);
    }
  }
  const things = marks.filter((mark) => mark.has("thing", "product"));
  for (const mark of marks) {
    if (
      mark.has("euphemism", "suggestive", "pose", "scant") &&
      things.some((thing) => mark.first > thing.last && mark.first - thing.last <= SUBJECT_REACH)
    ) {
      mark.isSpared = true;
    }
    if (mark.has("nude", "bare", "undress", "transparent", "skimpy", "tight", "garment", "body")) {
      mark.isSpared ||= isOfThing(mark, sentence);
    }
  }
}

/** Whether what is done is done to a detail: "remove the stain from her bikini". */
function isAboutDetail({ marks }: Sentence): boolean {
  return (
    marks.some((mark) => mark.has("detail")) &&
    marks.some((mark) => mark.has("remove", "replace", "recolour", "cover", "reduce")) &&
    !marks.some((mark) => mark.has("wear", "put", "make", "only"))
  );
}

/** Whether a quality belongs to a thing beside it ("a bare tree"), or a garment to one near. */
function isOfThing(mark: Mark, sentence: Sentence): boolean {
  const before = mark.has("garment") && sentence.isVerbFinal ? reachToAnAct(mark, 3, sentence) : 3;
  return (
    isThingWithin(mark, mark.last, 1, 4, sentence) ||
    isThingWithin(mark, mark.first, -1, before, sentence) ||
    (mark.has("garment") && isFromAStranger(mark, sentence))
  );
}

/** Leave out a thing that something else is done to: "gokyuzunu aydinlat elbisesini cikar". */
function reachToAnAct(mark: Mark, reach: number, sentence: Sentence): number {
  for (let i = 1; i <= reach; i += 1) {
    if (!(sentence.at.get(mark.first - i)?.has(...FILLERS, "thing", "product", "link", "link_after") ?? false)) {
      return i - 1;
    }
  }
  return reach;
}

/** Whether clothes are "from the xyz", where nobody is spoken of: hardly from a person. */
function isFromAStranger(garment: Mark, sentence: Sentence): boolean {
  let isLinked = false;
  for (let place = garment.last + 1; place < Math.min(garment.last + 5, sentence.length); place += 1) {
    const other = sentence.at.get(place);
    if (other === undefined || sentence.commas.has(place)) {
      return isLinked && !sentence.commas.has(place);
    }
    if (other.has("link", "link_after")) {
      isLinked = true;
    } else if (!other.has(...FILLERS)) {
      return false;
    }
  }
  return false;
}

function isThingWithin(mark: Mark, from: number, step: 1 | -1, reach: number, sentence: Sentence): boolean {
  const isGarment = mark.has("garment", "body");
  for (let i = 1; i <= reach; i += 1) {
    const place = from + step * i;
    const crossed = step > 0 ? place : place + 1;
    if (place < 0 || place >= sentence.length || sentence.commas.has(crossed)) {
      return false;
    }
    const other = sentence.at.get(place);
    if (other === undefined || other === mark) {
      continue;
    }
    if (other.has("thing", "product") && !other.has("remove")) {
      return true;
    }
    if (step > 0 && other.has("and") && doesMore(other, sentence)) {
      return false;
    }
    if (other.has("link", "link_after", "and", "but") && !isGarment) {
      return false;
    }
  }
  return false;
}

/** Whether something else begins to be done behind an "and". */
function doesMore(joint: Mark, sentence: Sentence): boolean {
  return sentence.at.get(joint.last + 1)?.has(...VERBS) ?? false;
}

/** Whether all that is asked of what is worn already is another colour. */
function isRecoloured(intimate: readonly Mark[], sentence: Sentence): boolean {
  const { marks } = sentence;
  const [first] = intimate;
  if (first === undefined) {
    return false;
  }
  if (marks.some((mark) => mark.has("wear", "put", "only", "reduce", "skimpy", "transparent"))) {
    return false;
  }
  if (marks.some((mark) => mark.has("recolour"))) {
    return true;
  }
  const doing = marks.filter((mark) => mark.has("make", "replace"));
  const isColoured = marks.some(
    (mark) => first.last < mark.first && mark.first <= first.last + 4 && mark.has("colour"),
  );
  if (sentence.isVerbFinal) {
    return isColoured && doing.some((mark) => mark.first > first.last);
  }
  const isChanged = doing.some(
    (mark) => first.first > mark.last && first.first - mark.last <= CHANGE_REACH,
  );
  return (
    isChanged &&
    !marks.some((mark) => mark.has(...SOMEBODY) && isObject(mark, first)) &&
    isColoured &&
    !marks.some((mark) => mark.has(...CLOTHES) && mark !== first)
  );
}

/** Whether a person stands between and is no possessive next to what is worn. */
function isObject(somebody: Mark, worn: Mark): boolean {
  return somebody.first < worn.first && worn.first - somebody.last > 1;
}
