/**
 * Characters as Python sees them, so that both engines read alike.
 *
 * Python counts code points, JavaScript UTF-16 units; what `\w`, `\s`, `isdigit` and `casefold` mean differs too.
 * A text is therefore taken apart once (`Sent`), and from there on one unit is one code point.
 */

/** The tables that JavaScript does not have: generated from Python's `unicodedata`. */
export interface CharacterTables {
  /** Letters that Unicode names after a Latin one, each followed by that letter. */
  readonly letters: string;
  /** Characters whose case folding is not their lower case. */
  readonly folds: Readonly<Record<string, string>>;
  /** Marks with a combining class, as the inside of a character class. */
  readonly combining: string;
}

const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/u;
const LETTER = /\p{L}/u;
const ALNUM = /[\p{L}\p{N}]/u;
const DIGIT = /[\p{Nd}\u1369-\u1371\u19da\u24f5-\u24ff\u2776-\u2792]/u;
const DECIMALS = /^\p{Nd}+$/u;
const UPPER = /\p{Uppercase}/u;
const LOWER_OR_TITLE = /[\p{Lowercase}\p{Lt}]/u;
const ASCII = /^[\x00-\x7f]*$/;

/** What is white space in a regular expression of Python's; goes inside a character class. */
export const SPACES = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
/** The same for `\w`, and for letters without digits (`[^\W\d_]`). */
export const WORDS = "\\p{L}\\p{N}_";
export const LETTERS = "\\p{L}\\p{Nl}\\p{No}";
/** Letters, marks on them, what joins and parts them unseen, apostrophes: the same as in tokens.py. */
export const OF_A_WORD = `${WORDS}'\\u2019\\u00ad\\u0300-\\u036f\\u0591-\\u05c7\\u064b-\\u065f\\u0670\\u0900-\\u0dff\\u0e31-\\u0e4e\\u200b-\\u200f`;
const GAP = new RegExp(`[${SPACES}]+`, "u");

export const isAscii = (text: string): boolean => ASCII.test(text);
export const isSpace = (char: string): boolean => SPACE.test(char);
export const isLetter = (char: string): boolean => LETTER.test(char);
export const isAlnum = (char: string): boolean => ALNUM.test(char);
export const isUpper = (char: string): boolean => UPPER.test(char);
export const isDecimal = (text: string): boolean => DECIMALS.test(text);

export const isAllLetters = (text: string): boolean => text !== "" && every(text, isLetter);
export const isAllDigits = (text: string): boolean => text !== "" && every(text, (char) => DIGIT.test(char));
export const hasDigit = (text: string): boolean => DIGIT.test(text);
export const hasLetter = (text: string): boolean => LETTER.test(text);
/** Whether a word is in capitals (a word without case is not). */
export const isShouted = (text: string): boolean => UPPER.test(text) && !LOWER_OR_TITLE.test(text);

/** The value of decimal digits of any script; Infinity when there are too many to matter. */
export function decimalValue(text: string): number {
  let value = 0;
  for (const char of text) {
    let digit = 0;
    // Decimal digits stand in runs of ten, from nought.
    while (digit < 9 && /\p{Nd}/u.test(String.fromCharCode(char.charCodeAt(0) - 1 - digit))) {
      digit += 1;
    }
    value = value * 10 + digit;
  }
  return value;
}

/** Words as Python's `split()` gives them. */
export function splitWords(text: string): string[] {
  return text.split(GAP).filter((word) => word !== "");
}

function every(text: string, is: (char: string) => boolean): boolean {
  for (const char of text) {
    if (!is(char)) {
      return false;
    }
  }
  return true;
}

/** Case folding, and the other questions that need the generated tables. */
export class Characters {
  readonly #folds: ReadonlyMap<string, string>;
  readonly #letters: ReadonlyMap<string, string>;
  readonly #combining: RegExp;

  constructor(tables: CharacterTables) {
    this.#folds = new Map(Object.entries(tables.folds));
    const points = Array.from(tables.letters);
    const letters = new Map<string, string>();
    for (let i = 0; i + 1 < points.length; i += 2) {
      letters.set(points[i] ?? "", points[i + 1] ?? "");
    }
    this.#letters = letters;
    this.#combining = new RegExp(`[${tables.combining}]`, "u");
  }

  /** Fold case, as Python's `casefold` does. */
  fold(text: string): string {
    if (isAscii(text)) {
      return text.toLowerCase();
    }
    let folded = "";
    for (const char of text) {
      // One character at a time: `toLowerCase` of a whole word would give a sigma its final form.
      folded += this.#folds.get(char) ?? char.toLowerCase();
    }
    return folded;
  }

  /** The Latin letter that Unicode names a character after, or undefined. */
  latin(char: string): string | undefined {
    return this.#letters.get(char);
  }

  isCombining(char: string): boolean {
    return this.#combining.test(char);
  }
}

/** A text as it was sent, counted in code points. */
export class Sent {
  readonly text: string;
  readonly points: readonly string[];
  /** The text with one unit for each code point: see `flat`. */
  readonly flat: string;
  readonly isAscii: boolean;

  constructor(text: string, points?: readonly string[]) {
    this.text = text;
    this.isAscii = isAscii(text);
    this.points = points ?? (this.isAscii ? text.split("") : Array.from(text));
    this.flat = this.points.length === text.length ? text : this.points.map(flat).join("");
  }

  /** A text of some code points. Halves of a character that come to stand side by side stay apart, as in Python. */
  static of(points: readonly string[]): Sent {
    return new Sent(points.join(""), points);
  }

  /** A stretch of the text, between two places in code points. */
  slice(start: number, end: number): Sent {
    return Sent.of(this.points.slice(start, end));
  }

  /** Return the place in UTF-16 units of a place in code points. */
  unit(place: number): number {
    if (this.points.length === this.text.length) {
      return Math.min(place, this.text.length);
    }
    let units = 0;
    for (const point of this.points.slice(0, place)) {
      units += point.length;
    }
    return units;
  }
}

const FIRST_IDEOGRAPH_OF_PLANE_2 = 0x20000;
const RARE_IDEOGRAPH = "\u4db5";
const NO_LETTER = "\ue000";
const STANDINS: readonly (readonly [RegExp, string])[] = [
  [/(?=\p{S})\p{Uppercase}/u, "\u24b6"],
  [/\p{Lu}/u, "\ua640"],
  [/\p{Ll}/u, "\ua641"],
  [/\p{L}/u, "\ua000"],
  [/\p{Nd}/u, "\ua620"],
  [/\p{N}/u, "\u1369"],
];

/**
 * Return a character of one unit in place of one of two.
 *
 * What lies beyond the basic plane and is not resolved to something else (emoji, rare ideographs, dead scripts) is in no
 * lexicon: only what kind of character it is matters.
 */
export function flat(point: string): string {
  if (point.length === 1) {
    return point;
  }
  if (/\p{L}/u.test(point) && (point.codePointAt(0) ?? 0) >= FIRST_IDEOGRAPH_OF_PLANE_2) {
    return RARE_IDEOGRAPH;
  }
  return STANDINS.find(([kind]) => kind.test(point))?.[1] ?? NO_LETTER;
}

const UNITS_OF_STANDINS = new Set([RARE_IDEOGRAPH, NO_LETTER, ...STANDINS.map(([, unit]) => unit)]);

/** Whether a unit may stand for a character of two: some are characters themselves. */
export function mayStandIn(unit: string): boolean {
  return UNITS_OF_STANDINS.has(unit);
}
