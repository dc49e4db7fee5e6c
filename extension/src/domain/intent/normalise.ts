/**
 * Undo the ways of writing a word so that people read it and programs do not: server/consentry/intent/normalise.py.
 *
 * Every view keeps, for each of its letters, where that letter came from in the text as sent, in code points.
 */

import {
  Characters,
  LETTERS,
  Sent,
  WORDS,
  flat,
  isAllDigits,
  isAllLetters,
  isAlnum,
  isAscii,
  isLetter,
  isSpace,
  mayStandIn,
  splitWords,
} from "./characters.ts";

const MAX_PIECES_OF_A_WORD = 12;
const WIDEST_GAP = 2;

const LOOKALIKES = table(
  "авеёзікмнорсстухуьпгидјѕһԁԛԝґєїցոսօհαβγεηικμνορςτυχωσπλδ",
  "abee3ikmhopcctyxybnrudjshdqwreignuohabyenikmvopctuxwonld",
);
const LEET = table("0134578@$!|€£+", "oieastbasilelt");
const LEET_L = table("0134578@$!|€£+", "oleastbasllelt");
const TO_CYRILLIC = table(
  "aeopcxykmthbi0346",
  "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u043a\u043c\u0442\u043d\u0432\u0456\u043e\u0437\u0447\u0431",
);
const SAME_LETTERS = table("أإآٱىیکةہھۀۂؤئےςڪیँ", "ااااييكهههههوييσكيं");
const DROPPED = /[\u0640\u093c\u09bc]/gu;
const EMOJI: Readonly<Record<string, string>> = {
  "👙": "bikini",
  "🩱": "swimsuit",
  "🩲": "briefs",
  "🩳": "shorts",
  "🍑": "butt",
  "🍆": "penis",
  "🔞": "nsfw",
  "👗": "dress",
  "👚": "blouse",
  "👕": "shirt",
  "👖": "trousers",
  "🚫": "nope",
  "❌": "nope",
  "⛔": "nope",
  "✂": "cut off",
  "➡": "to",
  "👧": "girl",
  "👩": "woman",
  "👶": "baby",
};
const CYRILLIC = /[\u0400-\u04ff]/u;
const NATIVE_WORD = /[a-z0-9]*[\u0430-\u04ff][a-z0-9\u0430-\u04ff]*/gu;
const IGNORED = /[\p{Cf}\p{Cc}\p{Mn}\p{Me}\p{Sk}]/u;
const MARK = /[\p{Mn}\p{Me}]/u;
const INVISIBLE = /[\p{Cf}\p{Cc}\p{Sk}]/u;
const VARIATION = "\ufe0e\ufe0f\u200d";
const APOSTROPHES = "\u2018\u2019\u02bc\u201b\u2032";
const BARE_SCRIPTS = /^[\u0370-\u06ff\u0900-\u09ff\u1f00-\u1fff]/u;
const VOWEL_SIGNS = /[\u0900-\u0902\u093e-\u094d\u0962\u0963\u0981-\u0983\u09be-\u09cd]/u;

/** A word: letters, digits and the vowel signs that Indic scripts and Thai write on them. */
export const WORD = /(?:[\p{L}\p{N}]|[\u0900-\u0963\u0966-\u0dff\u0e31-\u0e3a\u0e47-\u0e4e])+/gu;

const LEET_WORD = /(?<![a-z0134578@$!|€£+])[a-z0134578@$!|€£+]{3,}/gu;
const STRETCH = new RegExp(`([${LETTERS}])\\1{2,}`, "gu");
const UNWANTED =
  /(?:(?:(?<![a-z])neg(?:ative)? ?prompts?|(?:^|[.;|!?]) ?neg(?:ative)?)["'”]? ?[:=]|(?<![^ ])(?:--|[—–])no(?![a-z]))(.*?)(?=(?<![a-z])positive(?![a-z])|(?<![^ ])(?:--|[—–])[a-z]|(?<![a-z])steps ?:|$)/dgu;
const UNWANTED_TERM = /[^ ,;|()[\]{}<>:][^,;|()[\]{}<>:]*/gu;
const PIECE = new RegExp(`(?:[${LETTERS}]|['\\u0900-\\u0963\\u0966-\\u0dff])+`, "gu");
/** Signs that Indic scripts and Thai write on a letter: they part no word, and are no letter of their own. */
const SIGNS = "[\\p{M}&&[\\u0900-\\u0e4f]]";
const SIGN = new RegExp(SIGNS, "v");
const PARTED = new RegExp(
  `(?<![${WORDS}${SIGNS}])[${WORDS}${SIGNS}]{1,4}(?:[^${WORDS}${SIGNS}]|_){1,2}[${WORDS}]|[${WORDS}${SIGNS}][\\-.*_+~'][${WORDS}]`,
  "v",
);
const SINGLES = new RegExp(
  `(?<![${WORDS}${SIGNS}'])[${LETTERS}]${SIGNS}*(?:(?:[^${WORDS}${SIGNS}]|_){1,2}[${LETTERS}]${SIGNS}*(?![${WORDS}${SIGNS}'])){3,}`,
  "gv",
);
const MEASURE = /^\p{Nd}+(?:k|d|x|p|s|th|st|nd|rd|mm|cm|px|am|pm|ml|kg|m|g|y|yo|f|mp|fps|dpi)$/u;

/** One reading of a text: lower case, single spaces; one unit is one character. */
export interface View {
  readonly text: string;
  /** For each letter of `text`, where its source begins in the text as sent. */
  readonly starts: readonly number[];
  /** For each letter of `text`, where its source ends. */
  readonly ends: readonly number[];
  /** Whether words that were run together are parted in it. */
  readonly isParted?: true;
}

/** Return the stretch of the text as sent that a stretch of a view came from. */
export function sourceOf(view: View, start: number, end: number): readonly [number, number] {
  let first = Infinity;
  let last = 0;
  for (let i = start; i < end; i += 1) {
    first = Math.min(first, view.starts[i] ?? Infinity);
    last = Math.max(last, view.ends[i] ?? 0);
  }
  return [first, last];
}

type Letter = readonly [char: string, start: number, end: number];

/** Words that may have been taken apart. */
export interface WordsInPieces {
  isWord(spelt: string): boolean;
  mayBegin(spelt: string): boolean;
}

/** The readings that need to know characters. */
export class Normaliser {
  readonly #characters: Characters;
  readonly #resolved = new Map<string, string>();

  constructor(characters: Characters) {
    this.#characters = characters;
  }

  /** The text in lower case, compatibility forms and accents resolved, spaces made single. */
  plain(sent: Sent): View {
    return viewOf(this.#plain(sent));
  }

  /** The code points of the text as `plain` reads it, none of them a stand-in. */
  plainPoints(sent: Sent): string[] {
    return this.#plain(sent).map(([char]) => char);
  }

  #plain(sent: Sent): Letter[] {
    if (sent.isAscii) {
      return spaced(sent.points.map((char, i): Letter => [char.toLowerCase(), i, i + 1]));
    }
    return spaced(withoutLookalikes([...this.#letters(sent)], false));
  }

  /** The code points of a reading of a text, none of them a stand-in. */
  pointsOf(view: View, sent: Sent): string[] {
    const isBackwards = (view.starts[0] ?? 0) > (view.starts.at(-1) ?? 0);
    const left = new Map<number, string[]>();
    return view.text.split("").map((unit, i) => {
      const start = view.starts[i] ?? 0;
      if (!mayStandIn(unit)) {
        return unit;
      }
      let meant = left.get(start);
      if (meant === undefined) {
        // Few signs of music alone come to several characters of two units.
        meant = Array.from(this.#resolve(sent.points[start] ?? "")).filter((point) => point.length > 1);
        left.set(start, isBackwards ? meant.reverse() : meant);
      }
      return meant.shift() ?? unit;
    });
  }

  /**
   * The text in lower case with its accents, as its language writes it.
   *
   * Compatibility forms, signs with a meaning and spaces are resolved as in `plain`, invisible characters dropped;
   * look-alikes are not resolved.
   */
  asWritten(sent: Sent): string {
    if (sent.isAscii) {
      return this.plain(sent).text;
    }
    const letters = Array.from(sent.text.normalize("NFC"), (char) => resolvedWritten(char)).join("");
    return splitWords(letters.replaceAll("_", " ")).join(" ");
  }

  /** A text as `plain` reads it. */
  folded(text: string): string {
    if (/^[a-zA-Z0-9]+$/.test(text)) {
      return text.toLowerCase(); // most words of most lexicons, and a hundred thousand of them
    }
    return stripped(this.plain(new Sent(text)).text);
  }

  /** Fold case. */
  fold(text: string): string {
    return this.#characters.fold(text);
  }

  /** The text with look-alikes of Latin letters resolved in every word; null if there are none. */
  lookalikes(sent: Sent): View | null {
    const letters = [...this.#letters(sent)];
    if (letters.every(([char]) => isAscii(char))) {
      return null;
    }
    return viewOf(spaced(withoutLookalikes(letters, true)));
  }

  /** The text with Latin letters and digits inside Cyrillic words read as Cyrillic ones. */
  native(sent: Sent): View | null {
    if (!CYRILLIC.test(sent.flat)) {
      return null;
    }
    const letters = [...this.#letters(sent)];
    const changed = letters
      .map(([char]) => flat(char))
      .join("")
      .replace(NATIVE_WORD, (word) => translated(word, TO_CYRILLIC));
    return viewOf(spaced(letters.map(([, start, end], i): Letter => [changed.charAt(i), start, end])));
  }

  /** Give each character in compatibility form, lower case; marks on Latin letters are dropped. */
  *#letters(sent: Sent): Generator<Letter> {
    let last = "";
    for (const [i, char] of sent.points.entries()) {
      if (isAscii(char)) {
        last = char.toLowerCase();
        yield [last, i, i + 1];
        continue;
      }
      for (const resolved of this.#resolve(char)) {
        const isIgnored = IGNORED.test(resolved) && (!MARK.test(resolved) || isAscii(last));
        if (isIgnored && !isSpace(resolved)) {
          continue; // a control character may end a line
        }
        last = resolved;
        yield [last, i, i + 1];
      }
    }
  }

  #resolve(char: string): string {
    let resolved = this.#resolved.get(char);
    if (resolved === undefined) {
      resolved = this.#resolvedNow(char);
      this.#resolved.set(char, resolved);
    }
    return resolved;
  }

  #resolvedNow(char: string): string {
    const sign = resolvedSign(char);
    if (sign !== undefined) {
      return sign;
    }
    const latin = this.#characters.latin(char);
    if (latin !== undefined) {
      return latin;
    }
    const plain = this.#characters.fold(char.normalize("NFKC"));
    if (BARE_SCRIPTS.test(plain)) {
      return this.#withoutMarks(plain);
    }
    const parts = plain.normalize("NFD");
    return isAscii(parts.slice(0, 1)) ? parts : plain;
  }

  /** Drop accents, points and tatweel, and write letters that are used for each other as one. */
  #withoutMarks(text: string): string {
    const kept = [...sameLetters(text).normalize("NFD")].filter(
      (char) => VOWEL_SIGNS.test(char) || !this.#characters.isCombining(char),
    );
    return sameLetters(kept.join(""));
  }
}

/** What a sign stands for; undefined if it is a letter or mark. */
function resolvedSign(char: string): string | undefined {
  if (VARIATION.includes(char)) {
    return "";
  }
  const meant = EMOJI[char];
  if (meant !== undefined) {
    return ` ${meant} `;
  }
  return APOSTROPHES.includes(char) ? "'" : undefined;
}

function resolvedWritten(char: string): string {
  if (isAscii(char)) {
    return char.toLowerCase();
  }
  return resolvedSign(char) ?? (INVISIBLE.test(char) ? "" : char.normalize("NFKC").toLowerCase());
}

function sameLetters(text: string): string {
  return translated(text, SAME_LETTERS).replace(DROPPED, "");
}

/** Give readings with digits and signs inside words taken for letters (`n4k3d`). */
export function leetViews(view: View): View[] {
  return [LEET, LEET_L].flatMap((letters) => {
    const changed = view.text.replace(LEET_WORD, (word) => leet(word, letters));
    return changed === view.text ? [] : [{ text: changed, starts: view.starts, ends: view.ends }];
  });
}

/** Read a word as leet, leaving signs that end it alone (`nice!`). */
function leet(word: string, letters: ReadonlyMap<string, string>): string {
  const core = word.replace(/[!+|$]+$/, "");
  if (isAllLetters(core) || isAllDigits(core) || MEASURE.test(core)) {
    return word;
  }
  return translated(core, letters) + word.slice(core.length);
}

/** Give readings with letters that are repeated thrice or more cut to one, and to two. */
export function stretchedViews(view: View): View[] {
  const runs = [...view.text.matchAll(STRETCH)];
  if (runs.length === 0) {
    return [];
  }
  return [1, 2].map((kept) => {
    const letters: Letter[] = [];
    let at = 0;
    for (const run of runs) {
      append(letters, view, at, run.index + kept);
      at = run.index + run[0].length;
    }
    append(letters, view, at, view.text.length);
    return viewOf(letters);
  });
}

/** Say of each term of a negative prompt within the words that it is not wanted: "--no dress, bra". */
export function unwantedView(view: View): View | null {
  const letters: Letter[] = [];
  let at = 0;
  for (const section of view.text.matchAll(UNWANTED)) {
    const [from, to] = section.indices?.[1] ?? [0, 0];
    for (const term of view.text.slice(from, to).matchAll(UNWANTED_TERM)) {
      const start = from + term.index;
      const source = [view.starts[start] ?? 0, view.ends[start] ?? 0] as const;
      append(letters, view, at, start);
      letters.push(...[..."; without "].map((char): Letter => [char, ...source]));
      at = start + term[0].length;
      append(letters, view, start, at);
    }
  }
  if (letters.length === 0) {
    return null;
  }
  append(letters, view, at, view.text.length);
  return viewOf(letters);
}

/** Part words that were run together: a space wherever there is none yet. */
export function partedView(view: View, places: readonly number[]): View {
  const letters: Letter[] = [];
  let at = 0;
  for (const place of places) {
    if (place > 0 && place < view.text.length && !view.text.slice(place - 1, place + 1).includes(" ")) {
      const here = view.starts[place] ?? 0;
      append(letters, view, at, place);
      letters.push([" ", here, here]);
      at = place;
    }
  }
  append(letters, view, at, view.text.length);
  return { ...viewOf(letters), isParted: true };
}

/** Whether single letters or scraps stand so close that they may have been one word. */
export function mayBeParted(text: string): boolean {
  return PARTED.test(text);
}

interface Piece {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Put words together that were taken apart (`b i k i n i`, `n.u.d.e`, `un dress`).
 *
 * @param words What to look for. Only a run of whole pieces that spells one of these is joined.
 * @param isWord Whether a piece is a word of its own. If all are ("pen is"), they stay apart.
 */
export function joinedView(view: View, words: WordsInPieces, isWord: (word: string) => boolean): View | null {
  const pieces = [...view.text.matchAll(PIECE)].map(
    (match): Piece => ({ text: match[0], start: match.index, end: match.index + match[0].length }),
  );
  const letters: Letter[] = [];
  let at = 0;
  let i = 0;
  while (i < pieces.length) {
    const run = pieces.slice(i, i + MAX_PIECES_OF_A_WORD);
    const count = piecesOfWord(view.text, run, words, isWord);
    if (count > 1) {
      append(letters, view, at, run[0]?.start ?? at);
      for (const piece of run.slice(0, count)) {
        append(letters, view, piece.start, piece.end);
        at = piece.end;
      }
    }
    i += Math.max(count, 1);
  }
  if (at === 0) {
    return null;
  }
  append(letters, view, at, view.text.length);
  return viewOf(letters);
}

/** Return how many pieces make up the longest word that they begin with; 0 if none. */
function piecesOfWord(
  text: string,
  pieces: readonly Piece[],
  words: WordsInPieces,
  isWord: (word: string) => boolean,
): number {
  let spelt = "";
  let found = 0;
  let end = pieces[0]?.start ?? 0;
  let hasScrap = false;
  for (const [i, piece] of pieces.entries()) {
    const between = text.slice(end, piece.start);
    if (between.length > WIDEST_GAP || (found > 0 && isWord(piece.text))) {
      break;
    }
    spelt += piece.text;
    end = piece.end;
    if (!words.mayBegin(spelt)) {
      break;
    }
    hasScrap = hasScrap || stripped(between) !== "" || !isWord(piece.text);
    if (i > 0 && hasScrap && words.isWord(spelt)) {
      found = i + 1;
    }
  }
  return found;
}

/** Put runs of single letters together; a wider gap, or a sign of its own, parts the words. */
export function singleLettersView(view: View): View | null {
  const runs = [...view.text.matchAll(SINGLES)];
  if (runs.length === 0) {
    return null;
  }
  const letters: Letter[] = [];
  let at = 0;
  for (const run of runs) {
    const end = run.index + run[0].length;
    append(letters, view, at, run.index);
    for (const letter of runTogether(view, run.index, end)) {
      letters.push(letter);
    }
    at = end;
  }
  append(letters, view, at, view.text.length);
  return viewOf(letters);
}

/** Give the letters of a run; where the gap in the text as sent is wider than elsewhere, a space. */
function runTogether(view: View, start: number, end: number): Letter[] {
  const letters = slice(view, start, end).filter(([char]) => isAlnum(char) || SIGN.test(char));
  const gaps = letters.slice(1).map(([, from], i) => from - (letters[i]?.[2] ?? from));
  const isSign = (i: number): boolean => SIGN.test(letters[i]?.[0] ?? "");
  const usual = Math.min(...gaps.filter((_, i) => !isSign(i + 1)));
  return letters.flatMap((letter, i): Letter[] => {
    const gap = gaps[i - 1];
    return gap !== undefined && gap > usual && !isSign(i)
      ? [[" ", letters[i - 1]?.[2] ?? 0, letter[1]], letter]
      : [letter];
  });
}

/** The text read backwards. */
export function reversedView(view: View): View {
  return {
    text: reversed(view.text),
    starts: view.starts.toReversed(),
    ends: view.ends.toReversed(),
  };
}

/** The letters of a word backwards; a view has no character of two units. */
export function reversed(text: string): string {
  return text.split("").reverse().join("");
}

/** The text with each Latin letter moved by thirteen places. */
export function rot13View(view: View): View {
  return { text: rot13(view.text), starts: view.starts, ends: view.ends };
}

export function rot13(text: string): string {
  return text.replace(/[a-zA-Z]/g, (char) => {
    const base = char >= "a" ? 97 : 65;
    return String.fromCharCode(base + ((char.charCodeAt(0) - base + 13) % 26));
  });
}

/** Resolve look-alikes in words that hold a Latin letter, or everywhere. */
function withoutLookalikes(letters: readonly Letter[], everywhere: boolean): Letter[] {
  const done: Letter[] = [];
  let word: Letter[] = [];
  const finish = (): void => {
    const isDisguised = everywhere || word.some(([char]) => isAscii(char));
    for (const [char, start, end] of word) {
      done.push([isDisguised ? (LOOKALIKES.get(char) ?? char) : char, start, end]);
    }
    word = [];
  };
  for (const letter of letters) {
    if (isLetter(letter[0])) {
      word.push(letter);
    } else {
      finish();
      done.push(letter);
    }
  }
  finish();
  return done;
}

/** Make every run of white space, and of underscores, one space. */
function spaced(letters: readonly Letter[]): Letter[] {
  const kept: Letter[] = [];
  let last = "";
  for (const letter of letters) {
    if (letter[0] !== "_" && !isSpace(letter[0])) {
      last = letter[0];
      kept.push(letter);
    } else if (last !== " ") {
      last = " ";
      kept.push([" ", letter[1], letter[2]]);
    }
  }
  return kept;
}

/** A text without the white space around it, as Python's `strip` leaves it. */
export function stripped(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charAt(start))) {
    start += 1;
  }
  while (end > start && isSpace(text.charAt(end - 1))) {
    end -= 1;
  }
  return text.slice(start, end);
}

function slice(view: View, start: number, end: number): Letter[] {
  const letters: Letter[] = [];
  append(letters, view, start, end);
  return letters;
}

/** Add a stretch of a view, one by one: a long text is more than the arguments that a call takes. */
function append(letters: Letter[], view: View, start: number, end: number): void {
  for (let i = start; i < end; i += 1) {
    letters.push([view.text.charAt(i), view.starts[i] ?? 0, view.ends[i] ?? 0]);
  }
}

function viewOf(letters: readonly Letter[]): View {
  return {
    text: letters.map(([char]) => flat(char)).join(""),
    starts: letters.map(([, start]) => start),
    ends: letters.map(([, , end]) => end),
  };
}

function table(from: string, to: string): ReadonlyMap<string, string> {
  const meant = Array.from(to);
  return new Map(Array.from(from, (char, i) => [char, meant[i] ?? ""]));
}

function translated(text: string, letters: ReadonlyMap<string, string>): string {
  let changed = "";
  for (const char of text) {
    changed += letters.get(char) ?? char;
  }
  return changed;
}
