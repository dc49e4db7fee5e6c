/** How hard a passphrase is to guess, roughly, and one that is hard. The vault itself demands only its length. */

/** As in server/consentry/vault/passphrase.py. */
export const MIN_CHARACTERS = 10;

/** 0: too short; 1: weak; 2: fair; 3: good; 4: strong. */
export type Strength = 0 | 1 | 2 | 3 | 4;

/** Bits from which a level is reached. At half a second a guess (Argon2id), 2^50 guesses take a thousand years on 16,000 machines. */
const LEVELS = [36, 50, 66] as const;
const CLASSES: readonly (readonly [RegExp, number])[] = [
  [/\p{Ll}/u, 26],
  [/\p{Lu}/u, 26],
  [/\p{N}/u, 10],
  [/[\p{P}\p{S}\p{Z}]/u, 32],
  // Letters without case, such as Arabic ones.
  [/\p{Lo}/u, 36],
];
/** A word is one of some ten thousand, however many letters it has; a letter of one tells less than a random one. */
const WORD_BITS = 14;
const WORD_LETTERS = 8;
const LONGER_BITS = 2;
const LETTER_SHARE = 0.62;
const SPACE_BITS = 0.5;
/** What people put where they are asked for a secret. Each counts as little more than one character. */
const OBVIOUS =
  /pass(wor[dt]|phrase)?|passwort|kennwort|geheim|secret|consentry|qwert[yz](uiop)?|asdf(gh(jkl)?)?|letmein|welcome|hallo|hello|iloveyou|admin|كلمة|السر|سري|(19|20)\d\d/giu;

/**
 * Rate a passphrase. An upper bound by its letters, less what repeats, follows in order or is obvious, and no more for a
 * word than a word is worth.
 *
 * It cannot know what is easy to guess about her: a name and a birthday of hers look better here than they are.
 */
export function strengthOf(passphrase: string): Strength {
  const text = passphrase.normalize("NFKC");
  if ([...text].length < MIN_CHARACTERS) {
    return 0;
  }
  const perCharacter = Math.log2(alphabet(text));
  const runs = text.replace(OBVIOUS, "o").match(/\p{L}+|\p{Z}+|[^\p{L}\p{Z}]+/gu) ?? [];
  const seen = new Set<string>();
  const bits = runs.reduce((sum, run) => sum + bitsOf(run, perCharacter, seen), 0);
  return (1 + LEVELS.filter((level) => bits >= level).length) as Strength;
}

function alphabet(text: string): number {
  return CLASSES.reduce((size, [kind, members]) => size + (kind.test(text) ? members : 0), 1);
}

function bitsOf(run: string, perCharacter: number, seen: Set<string>): number {
  if (/^\p{Z}/u.test(run)) {
    return SPACE_BITS;
  }
  const isWord = /^\p{L}/u.test(run);
  const bits = surprises(run, seen) * perCharacter * (isWord ? LETTER_SHARE : 1);
  const longer = Math.max(0, run.length - WORD_LETTERS);
  return isWord ? Math.min(bits, WORD_BITS + longer * LONGER_BITS) : bits;
}

/** Characters that are neither the next one in order nor the end of three that were there before. */
function surprises(run: string, seen: Set<string>): number {
  const points = [...run].map((character) => character.codePointAt(0) ?? 0);
  return points.reduce((count, point, i) => {
    const isNext = i > 0 && Math.abs(point - (points[i - 1] ?? 0)) <= 1;
    const three = points.slice(Math.max(0, i - 2), i + 1).join();
    const isRepeated = i >= 2 && seen.has(three);
    seen.add(three);
    return count + (isNext || isRepeated ? 0.2 : 1);
  }, 0);
}

const CONSONANTS = "bdfghjklmnprstvz";
const VOWELS = "aeiou";
const GROUPS = 6;

/**
 * Six groups of two syllables that can be said in most languages, for example `lamo-tuvi-keda-sona-bifu-razo`: 76 bits.
 *
 * @param random Fills its argument with random bytes.
 */
export function suggestPassphrase(
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (bytes) => crypto.getRandomValues(bytes),
): string {
  const pick = (letters: string): string => {
    // Bytes that would favour the first letters are thrown again.
    const fair = 256 - (256 % letters.length);
    for (;;) {
      const [byte] = random(new Uint8Array(1));
      if (byte !== undefined && byte < fair) {
        return letters.charAt(byte % letters.length);
      }
    }
  };
  const group = (): string => [CONSONANTS, VOWELS, CONSONANTS, VOWELS].map(pick).join("");
  return Array.from({ length: GROUPS }, group).join("-");
}
