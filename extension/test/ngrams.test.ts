/** The small classifier's file and arithmetic, on weights of its own; on the shipped ones: intent.test.ts. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import { Sent } from "../src/domain/intent/characters.ts";
import { IntentEngine } from "../src/domain/intent/engine.ts";
import { type CoreFile, Library } from "../src/domain/intent/library.ts";
import type { Ngrams } from "../src/domain/intent/ngrams.ts";

const data = new URL("../src/domain/intent/data/", import.meta.url);
const read = (file: string): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(new URL(file, data)));
const core = JSON.parse(new TextDecoder().decode(read("core.json"))) as CoreFile;

const BITS = 6;
const SCALE = 0.5;
const BIAS = -1;
const weight = (bucket: number): number => (bucket % 15) - 7;

/** A file of 64 weights of single characters and pairs. */
function file(version = 1): Uint8Array<ArrayBuffer> {
  const head = Buffer.alloc(16);
  head.write("CNGR");
  head.set([version, BITS, 1, 2], 4);
  head.writeFloatLE(SCALE, 8);
  head.writeFloatLE(BIAS, 12);
  const pairs = Array.from({ length: 2 ** (BITS - 1) }, (_, i) => (weight(2 * i) + 8) | ((weight(2 * i + 1) + 8) << 4));
  return Uint8Array.from([...head, ...deflateSync(Uint8Array.from(pairs))]);
}

async function opened(weights: Uint8Array<ArrayBuffer>): Promise<Ngrams> {
  const library = new Library(core);
  await library.add("ngrams.bin", new Response(weights));
  return library.ngrams();
}

/** By hand, in whole numbers that do not overflow. */
function expected(text: string): number {
  const points = Array.from(text, (char) => BigInt(char.codePointAt(0) ?? 0));
  const found = new Set<number>();
  for (const length of [1, 2]) {
    for (let start = 0; start + length <= points.length; start += 1) {
      let hash = 0n;
      for (const point of points.slice(start, start + length)) {
        hash = ((hash * 0x01000193n) & 0xffffffffn) ^ point;
      }
      hash = (hash * 0x9e3779b1n) & 0xffffffffn;
      hash ^= hash >> 15n;
      hash = (hash * 0x85ebca77n) & 0xffffffffn;
      hash ^= hash >> 13n;
      found.add(Number(hash >> BigInt(32 - BITS)));
    }
  }
  const total = [...found].reduce((sum, bucket) => sum + weight(bucket), 0);
  return BIAS + (SCALE * total) / Math.sqrt(found.size);
}

for (const [turns, plain] of [
  [["A  b"], " a b "],
  [["Ä", "𐐨 🔥𠀀", ""], " a \n 𐐨 🔥𠀀 \n  "],
  [["\ud83d"], " \ud83d "],
  [[""], "  "],
] as const) {
  test(`a score is the mean weight times the root of how many: ${JSON.stringify(turns)}`, async () => {
    const ngrams = await opened(file());
    const sent = turns.map((turn) => new Sent(turn));

    assert.ok(Math.abs(ngrams.logOdds(sent) - expected(plain)) < 1e-12);
    assert.equal(ngrams.score(sent), 1 / (1 + Math.exp(-ngrams.logOdds(sent))));
  });
}

for (const [what, weights, says] of [
  ["nothing", new Uint8Array(), /no weights/],
  ["another file", Uint8Array.from(Buffer.from(`PK\x03\x04${"\0".repeat(40)}`)), /no weights/],
  ["another version", file(2), /version 2, not 1/],
  ["what was cut off", file().slice(0, -3), /damaged/],
  ["no compressed data", Uint8Array.from([...file().slice(0, 16), 1, 2, 3]), /damaged/],
  ["too few weights", Uint8Array.from([...file().slice(0, 16), ...deflateSync(new Uint8Array(5))]), /cut off/],
] as const) {
  test(`${what} is refused, and nothing is said without weights`, async () => {
    let isBroken = true;
    const engine = new IntentEngine(
      async (name) => new Response(name !== "ngrams.bin" ? read(name) : isBroken ? weights : file()),
      (library) => library.ngrams(),
    );
    await assert.rejects(engine.assess("put her in a bikini"), says);

    isBroken = false;
    assert.equal((await engine.assess("put her in a bikini")).hasText, true);
  });
}

test("a long text takes no longer than it is", async () => {
  const ngrams = await opened(read("ngrams.bin"));
  const long = new Sent("the quick brown 狐 jumps over 42 lazy dogs; ".repeat(800));
  const started = performance.now();

  assert.ok(Number.isFinite(ngrams.logOdds([long])));
  assert.ok(performance.now() - started < 2000);
});
