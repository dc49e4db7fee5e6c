/**
 * The words of all languages, loaded a script at a time.
 *
 * Everything that reads is synchronous; when it needs what is not there yet it throws `NotLoaded`, and `IntentEngine`
 * loads that and reads again. So nothing is loaded that no text asked for, and nothing waits in the middle of a reading.
 */

import { type CharacterTables, Characters } from "./characters.ts";
import type { EntityTables } from "./codes.ts";
import { Cues, type NamesFile } from "./cues.ts";
import { type CompositionFile, Grammar } from "./grammar.ts";
import type { Thresholds } from "./hearing.ts";
import { type LexiconFile, readLexicon } from "./lexicon.ts";
import type { Vocabularies } from "./marking.ts";
import { Ngrams } from "./ngrams.ts";
import { Normaliser } from "./normalise.ts";
import { StrongWords } from "./strong.ts";
import { type ScriptTable, Tokeniser } from "./tokens.ts";
import { Vocabulary } from "./vocabulary.ts";

/** `core.json`: all that every text needs. */
export interface CoreFile {
  readonly characters: CharacterTables;
  readonly scripts: ScriptTable;
  /** Scripts that have lexicons; the words of each are in `<script>.json`. */
  readonly written: readonly string[];
  readonly composition: CompositionFile;
  readonly names: NamesFile;
  /** Which scores of the weights in `ngrams.bin` count. */
  readonly thresholds: Thresholds;
}

/** Where the generated files come from, by name. */
export type LoadData = (file: string) => Promise<Response>;

/** Something that is needed has not been loaded yet. */
export class NotLoaded extends Error {
  override readonly name = "NotLoaded";
  readonly file: string;

  constructor(file: string) {
    super(`not loaded: ${file}`);
    this.file = file;
  }
}

export class Library {
  readonly normaliser: Normaliser;
  readonly tokeniser: Tokeniser;
  readonly grammar: Grammar;
  readonly cues: Cues;
  readonly #written: ReadonlySet<string>;
  readonly #vocabularies = new Map<string, Vocabulary>();
  readonly #strong = new Map<string, StrongWords>();
  readonly #thresholds: Thresholds;
  #entities: EntityTables | null = null;
  #ngrams: Ngrams | null = null;

  constructor(core: CoreFile) {
    this.normaliser = new Normaliser(new Characters(core.characters));
    this.tokeniser = new Tokeniser(core.scripts);
    this.grammar = new Grammar(core.composition);
    this.cues = new Cues(core.names, this.normaliser);
    this.#written = new Set(core.written);
    this.#thresholds = core.thresholds;
  }

  /** Take in a generated file. */
  async add(file: string, loaded: Response): Promise<void> {
    if (file === NGRAMS) {
      this.#ngrams = await Ngrams.parse(await loaded.arrayBuffer(), this.#thresholds, this.normaliser);
      return;
    }
    // The words are ours, made by generate_intent.py and covered by a test: their shape is not questioned here.
    const content: unknown = await loaded.json();
    if (file === ENTITIES) {
      this.#entities = content as EntityTables;
      return;
    }
    const script = file.slice(0, -JSON_ENDING.length);
    const lexicons = (content as readonly LexiconFile[]).map((each) => readLexicon(each, this.normaliser));
    this.#strong.set(script, new StrongWords(lexicons));
    this.#vocabularies.set(script, new Vocabulary(lexicons));
  }

  /**
   * The vocabularies that there are, with those of all scripts of a text.
   *
   * @throws {NotLoaded}
   */
  vocabulariesFor(text: string): Vocabularies {
    this.#scriptsOf(text);
    return this.#vocabularies;
  }

  /**
   * The words worth looking for in disguise, of each script of a text.
   *
   * @throws {NotLoaded}
   */
  strongFor(text: string): StrongWords[] {
    const letters = text.replace(/[^\p{L}]/gu, "");
    return [...this.#scriptsOf(letters)].sort().flatMap((script) => this.#strong.get(script) ?? []);
  }

  /** @throws {NotLoaded} */
  entities(): EntityTables {
    if (this.#entities === null) {
      throw new NotLoaded(ENTITIES);
    }
    return this.#entities;
  }

  /** @throws {NotLoaded} */
  ngrams(): Ngrams {
    if (this.#ngrams === null) {
      throw new NotLoaded(NGRAMS);
    }
    return this.#ngrams;
  }

  #scriptsOf(text: string): Set<string> {
    const scripts = this.tokeniser.scriptsOf(text).add("LATIN").intersection(this.#written);
    for (const script of scripts) {
      if (!this.#vocabularies.has(script)) {
        throw new NotLoaded(script + JSON_ENDING);
      }
    }
    return scripts;
  }
}

const JSON_ENDING = ".json";
const ENTITIES = `entities${JSON_ENDING}`;
const NGRAMS = "ngrams.bin";
