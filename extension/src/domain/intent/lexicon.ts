/** The words of one language, read from its data file: server/consentry/intent/lexicon.py. */

import { splitWords } from "./characters.ts";
import { type Normaliser, WORD } from "./normalise.ts";

const MAX_FORMS_OF_A_PHRASE = 400;

/** A lexicon as it is stored: the file of server/consentry/intent/lexicons without its examples. */
export interface LexiconFile {
  readonly language: string;
  readonly script: string;
  readonly order: "vo" | "ov";
  readonly spaces: boolean;
  readonly accents?: "ignored" | "kept";
  readonly prefixes?: string;
  readonly attribute_endings?: string;
  readonly negation_follows?: boolean;
  readonly respell?: Readonly<Record<string, string>>;
  readonly letters?: string;
  readonly slots: Readonly<Record<string, string>>;
}

/** A word as it is looked for: open before (`*x`), after (`x*`), or both. */
export interface WordForm {
  readonly text: string;
  readonly isOpenBefore: boolean;
  readonly isOpenAfter: boolean;
  readonly isAccentedOnly: boolean;
  readonly withAccents: string;
}

/** One step of a phrase: a word, a slot, or either after a gap of up to `gap` words. */
export interface Element {
  /** What a token must carry: `#...` for a literal word, else a slot. */
  readonly key: string;
  readonly form: WordForm | null;
  readonly gap: number;
}

/** Several words that are one entry of a slot. */
export interface Phrase {
  readonly language: string;
  readonly slot: string;
  readonly elements: readonly Element[];
}

/** The words of one language; what each field means: the Python class of the same name. */
export interface Lexicon {
  readonly language: string;
  readonly script: string;
  readonly isVerbFinal: boolean;
  readonly hasSpaces: boolean;
  readonly keepsAccents: boolean;
  readonly prefixes: readonly string[];
  readonly attributeEndings: readonly string[];
  readonly negationFollows: boolean;
  readonly letters: ReadonlySet<string>;
  readonly words: ReadonlyMap<string, readonly WordForm[]>;
  readonly phrases: readonly Phrase[];
}

/** Make a lexicon of its file. */
export function readLexicon(file: LexiconFile, normaliser: Normaliser): Lexicon {
  const words = new Map<string, WordForm[]>();
  const phrases: Phrase[] = [];
  const steps = new Steps(file, normaliser);
  const respell = Object.entries(file.respell ?? {});
  for (const [slot, texts] of Object.entries(file.slots)) {
    for (const text of entries(texts, respell)) {
      const elements = steps.elements(text);
      const [only] = elements;
      if (elements.length === 1 && only !== undefined && only.form !== null) {
        const forms = words.get(slot);
        if (forms === undefined) {
          words.set(slot, [only.form]);
        } else {
          forms.push(only.form);
        }
      } else if (elements.length > 0) {
        phrases.push({ language: file.language, slot, elements });
      }
    }
  }
  const folded = (text: string | undefined): string[] =>
    splitWords(text ?? "").map((each) => normaliser.folded(each));
  return {
    language: file.language,
    script: file.script,
    isVerbFinal: file.order === "ov",
    hasSpaces: file.spaces,
    keepsAccents: file.accents === "kept",
    prefixes: folded(file.prefixes),
    attributeEndings: folded(file.attribute_endings),
    negationFollows: file.negation_follows ?? file.order === "ov",
    letters: new Set((file.letters ?? "").replaceAll(" ", "")),
    words,
    phrases,
  };
}

/** Give the entries of a slot: parted by commas; `a|b c|d` stands for four phrases. */
function* entries(text: string, respell: readonly (readonly [string, string])[]): Generator<string> {
  for (const entry of text.split(",")) {
    const choices = splitWords(entry).map((word) => word.split("|"));
    for (const form of product(choices)) {
      const spelt = form
        .filter((word) => word !== "")
        .map((word) => (word.startsWith("<") ? word : word.replaceAll("_", " ")))
        .join(" ");
      if (spelt === "") {
        continue;
      }
      yield spelt;
      let other = spelt;
      for (const [letter, instead] of respell) {
        other = other.replaceAll(letter, instead);
      }
      if (other !== spelt) {
        yield other;
      }
    }
  }
}

/** Every way to take one of each, the last one changing fastest; the first so many. */
function product(choices: readonly (readonly string[])[]): string[][] {
  let forms: string[][] = [[]];
  for (const words of choices) {
    forms = forms.flatMap((form) => words.map((word) => [...form, word]));
  }
  return forms.slice(0, MAX_FORMS_OF_A_PHRASE);
}

/** Turns words of phrases into steps; the same words stand in many phrases, so each is read once. */
class Steps {
  readonly #file: LexiconFile;
  readonly #normaliser: Normaliser;
  readonly #known = new Map<string, readonly Element[]>();

  constructor(file: LexiconFile, normaliser: Normaliser) {
    this.#file = file;
    this.#normaliser = normaliser;
  }

  elements(text: string): Element[] {
    const elements: Element[] = [];
    let gap = 0;
    for (const word of splitWords(text)) {
      if (word.startsWith("..")) {
        gap = Number.parseInt(word.slice(2) || "4", 10);
        continue;
      }
      const steps = this.#steps(word, gap);
      elements.push(...steps);
      gap = steps.length > 0 ? 0 : gap;
    }
    return elements;
  }

  #steps(word: string, gap: number): readonly Element[] {
    const key = `${gap} ${word}`;
    let steps = this.#known.get(key);
    if (steps === undefined) {
      steps = word.startsWith("<")
        ? [{ key: word.replace(/^[<>]+|[<>]+$/g, ""), form: null, gap }]
        : this.#forms(word).map((form, i) => ({ key: this.#key(form), form, gap: i > 0 ? 0 : gap }));
      this.#known.set(key, steps);
    }
    return steps;
  }

  #key(form: WordForm): string {
    const open = (form.isOpenBefore ? 1 : 0) + (form.isOpenAfter ? 2 : 0) + (form.isAccentedOnly ? 4 : 0);
    return `#${this.#file.language}:${open}:${form.text}:${form.withAccents}`;
  }

  /** Give the word as it is looked for; an apostrophe or a hyphen in it makes it several. */
  #forms(word: string): WordForm[] {
    const isAccentedOnly = word.startsWith("!");
    const core = word.replace(/^!+/, "");
    const bare = core.replace(/^\*+|\*+$/g, "");
    const kept = this.#normaliser.fold(bare).normalize("NFC");
    const hasSpaces = this.#file.spaces;
    const pieces = hasSpaces ? bare.match(WORD) ?? [] : [bare];
    const accented = hasSpaces ? kept.match(WORD) ?? [] : [kept];
    return pieces.map((piece, i) => ({
      text: this.#normaliser.folded(piece),
      isOpenBefore: core.startsWith("*") && i === 0 && hasSpaces,
      isOpenAfter: core.endsWith("*") && i === pieces.length - 1 && hasSpaces,
      isAccentedOnly,
      withAccents: accented.length === pieces.length ? (accented[i] ?? "") : "",
    }));
  }
}
