/** The browser's intent engine says to every vector what the server's rules and n-grams say. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Sent } from "../src/domain/intent/characters.ts";
import { IntentEngine } from "../src/domain/intent/engine.ts";
import { type CoreFile, Library } from "../src/domain/intent/library.ts";
import type { Ngrams } from "../src/domain/intent/ngrams.ts";
import type { Assessment } from "../src/domain/intent/taxonomy.ts";

interface Output extends Omit<Assessment, "spans"> {
  readonly spans: readonly (readonly [number, number, string])[];
}

interface Vector {
  readonly id: string;
  readonly input: { readonly text: string; readonly context?: readonly string[] };
  readonly output: Output;
  /** What of it rules alone say otherwise. */
  readonly rules?: Partial<Output>;
  /** The n-grams' own score. */
  readonly logOdds?: number;
  /** The category if a classifier hears a request in nothing, and what it is asked. */
  readonly deaf?: string;
  readonly heard?: readonly (readonly string[])[];
}

const bytes = (name: string): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(new URL(name, import.meta.url)));
const { tests } = JSON.parse(new TextDecoder().decode(bytes("../../tests/vectors/intent_v1.json"))) as {
  readonly tests: readonly Vector[];
};
const loaded: string[] = [];
const load = async (file: string): Promise<Response> => {
  loaded.push(file);
  return new Response(bytes(`../src/domain/intent/data/${file}`));
};
const ngrams = (library: Library): Ngrams => library.ngrams();

test("nothing is loaded before a text needs it, and then once", async () => {
  const engine = new IntentEngine(load, ngrams);
  assert.deepEqual(loaded, []);

  await Promise.all([engine.assess("put her in a bikini"), engine.assess("hello")]);
  assert.deepEqual(loaded, ["core.json", "ngrams.bin", "LATIN.json"]);

  await engine.assess("сними с неё платье");
  assert.deepEqual(loaded, ["core.json", "ngrams.bin", "LATIN.json", "CYRILLIC.json"]);
});

test("what could not be loaded is asked for again", async () => {
  const down = new Set(["core.json", "ngrams.bin", "LATIN.json"]);
  const engine = new IntentEngine(async (file) => {
    if (down.has(file)) {
      throw new Error(`${file} is down`);
    }
    return load(file);
  }, ngrams);

  for (const file of [...down]) {
    await assert.rejects(engine.assess("put her in a bikini"), new RegExp(`${file} is down`));
    down.delete(file);
  }
  assert.equal((await engine.assess("put her in a bikini")).category, "swimwear");
});

test("spans are places in the text that JavaScript can cut", async () => {
  const text = "👩🏽‍🦰👩🏽‍🦰 put her in a bikini";
  const { spans } = await new IntentEngine(load, null).assess(text);

  assert.ok(spans.some(({ start, end }) => text.slice(start, end) === "bikini"));
});

for (const [who, engine, expected] of [
  ["rules and n-grams", new IntentEngine(load, ngrams), ({ output }: Vector) => output],
  ["rules alone", new IntentEngine(load, null), ({ output, rules }: Vector) => ({ ...output, ...rules })],
] as const) {
  test(`every vector: the same category, language, signs and spans, of ${who}`, async () => {
    const wrong: string[] = [];
    for (const vector of tests) {
      const { id, input } = vector;
      const found = await engine.assess(input.text, input.context);
      const said = { ...found, spans: found.spans.map(({ start, end, rule }) => [start, end, rule]) };
      try {
        assert.deepEqual(said, expected(vector));
      } catch {
        wrong.push(`${id}: ${JSON.stringify(input)}\n  ${JSON.stringify(said)}\n  ${JSON.stringify(expected(vector))}`);
      }
    }
    assert.ok(tests.length > 2500);
    assert.equal(wrong.length, 0, `${wrong.length} of ${tests.length} differ, for example\n${wrong.slice(0, 20).join("\n")}`);
  });
}

test("what rules find is taken back by the same questions: of single words, several, in disguise, in conversations", async () => {
  const { thresholds } = (await (await load("core.json")).json()) as CoreFile;
  const doubted = tests.filter(({ deaf }) => deaf !== undefined);
  assert.ok(doubted.length > 50);
  assert.ok(doubted.filter(({ output, rules }) => output.category === "none" && rules !== undefined).length > 5);

  for (const { id, input, deaf, heard } of doubted) {
    const asked = new Set<string>();
    const score = (turns: readonly Sent[]): number => {
      asked.add(JSON.stringify(turns.map(({ text }) => text)));
      return 0;
    };
    const found = await new IntentEngine(load, () => ({ thresholds, score })).assess(input.text, input.context);

    assert.equal(found.category, deaf, id);
    if (heard !== undefined) {
      assert.deepEqual([...asked].sort(), heard.map((turns) => JSON.stringify(turns)).sort(), id);
    }
  }
});

test("every vector with a score: the same one", async () => {
  const library = new Library((await (await load("core.json")).json()) as CoreFile);
  await library.add("ngrams.bin", await load("ngrams.bin"));
  const scored = tests.filter(({ logOdds }) => logOdds !== undefined);
  assert.ok(scored.length > 200);

  for (const { id, input, logOdds = NaN } of scored) {
    const turns = [...(input.context ?? []), input.text].map((turn) => new Sent(turn));
    const found = library.ngrams().logOdds(turns);
    assert.ok(Math.abs(found - logOdds) < 1e-5, `${id}: ${JSON.stringify(input)}: ${found}, not ${logOdds}`);
  }
});

test("the weights are the server's own file", () => {
  assert.deepEqual(
    bytes("../src/domain/intent/data/ngrams.bin"),
    bytes("../../server/consentry/intent/ngrams.bin"),
    "run: python extension/generate_intent.py",
  );
});
