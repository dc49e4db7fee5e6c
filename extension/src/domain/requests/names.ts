/**
 * What she is called, found in words: no case, no accents, no disguise. Pure; as server/consentry/enrolment/names.py.
 *
 * `Anna Berg` stands in "@anna_berg", "annaberg" and "Anna-Berg's", and not in "annabergman".
 */

const MOST_CHARACTERS = 80;
const FEWEST_LETTERS = 3;
const FEWEST_IDEOGRAPHS = 2;
/** Scripts that are written without spaces: there a name may stand in the middle of letters. */
const UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u{20000}-\u{3ffff}]/u;

/** A name as it is kept; null if it is too short to be told from ordinary words, too long, or not printable. */
export function checkedName(text: string): string | null {
  const name = text.normalize("NFC").split(/\s+/u).filter((part) => part !== "").join(" ");
  const letters = lettersOf(name).match(/[\p{L}\p{N}]/gu) ?? [];
  const fewest = UNSPACED.test(name) ? FEWEST_IDEOGRAPHS : FEWEST_LETTERS;
  return [...name].length > MOST_CHARACTERS || /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/u.test(name) || letters.length < fewest ? null : name;
}

/** Whether a text names her by one of these. */
export function isNamed(text: string, names: readonly string[]): boolean {
  if (names.length === 0) {
    return false;
  }
  const letters = lettersOf(text);
  return names.some((name) => patternOf(name).test(letters));
}

/** The one spelling in which names are compared. */
function lettersOf(text: string): string {
  return folded(text.normalize("NFKC")).normalize("NFKD").replace(/[\p{Mn}\p{Cf}\p{Me}]/gu, "");
}

/** As Python's `casefold`: a letter whose capital is more than one letter is what that becomes. */
function folded(text: string): string {
  return [...text].map((char) => (char === "ı" ? char : char.toUpperCase().toLowerCase())).join("").replaceAll("ς", "σ");
}

function patternOf(name: string): RegExp {
  const words = lettersOf(name).match(/[\p{L}\p{N}]+/gu) ?? [];
  const spelled = words.join("");
  const before = UNSPACED.test([...spelled][0] ?? "") ? "" : "(?<![\\p{L}\\p{N}])";
  const after = UNSPACED.test([...spelled].at(-1) ?? "") ? "" : "(?:'?s)?(?![\\p{L}\\p{N}])";
  return new RegExp(before + words.join("[^\\p{L}\\p{N}]*") + after, "u");
}
