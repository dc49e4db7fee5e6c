/** The browser's intent engine says to every vector what the server's rules say. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { IntentEngine } from "../src/domain/intent/engine.ts";

interface Vector {
  readonly id: string;
  readonly input: { readonly text: string; readonly context?: readonly string[] };
  readonly output: {
    readonly category: string;
    readonly language: string;
    readonly isReadable: boolean;
    readonly hasText: boolean;
    readonly hasAgeCue: boolean;
    readonly refersToPerson: boolean;
    readonly spans: readonly (readonly [number, number, string])[];
  };
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf-8"));
const { tests } = read("../../tests/vectors/intent_v1.json") as { readonly tests: readonly Vector[] };
const loaded: string[] = [];
const load = async (name: string): Promise<unknown> => {
  loaded.push(name);
  return read(`../src/domain/intent/data/${name}.json`);
};

test("nothing is loaded before a text needs it, and then once", async () => {
  const engine = new IntentEngine(load);
  assert.deepEqual(loaded, []);

  await Promise.all([engine.assess("put her in a bikini"), engine.assess("hello")]);
  assert.deepEqual(loaded, ["core", "LATIN"]);

  await engine.assess("сними с неё платье");
  assert.deepEqual(loaded, ["core", "LATIN", "CYRILLIC"]);
});

test("what could not be loaded is asked for again", async () => {
  let isDown = true;
  const engine = new IntentEngine(async (name) => {
    if (isDown) {
      throw new Error("down");
    }
    return load(name);
  });
  await assert.rejects(engine.assess("put her in a bikini"), /down/);

  isDown = false;
  assert.equal((await engine.assess("put her in a bikini")).category, "swimwear");
});

test("spans are places in the text that JavaScript can cut", async () => {
  const text = "👩🏽‍🦰👩🏽‍🦰 put her in a bikini";
  const { spans } = await new IntentEngine(load).assess(text);

  assert.ok(spans.some(({ start, end }) => text.slice(start, end) === "bikini"));
});

test("every vector: the same category, language, signs and spans", async () => {
  const engine = new IntentEngine(load);
  const wrong: string[] = [];
  for (const { id, input, output } of tests) {
    const found = await engine.assess(input.text, input.context);
    const said = { ...found, spans: found.spans.map(({ start, end, rule }) => [start, end, rule]) };
    try {
      assert.deepEqual(said, output);
    } catch {
      wrong.push(`${id}: ${JSON.stringify(input)}\n  ${JSON.stringify(said)}\n  ${JSON.stringify(output)}`);
    }
  }
  assert.ok(tests.length > 2500);
  assert.equal(wrong.length, 0, `${wrong.length} of ${tests.length} differ, for example\n${wrong.slice(0, 20).join("\n")}`);
});
