/** The browser's half of the sealed template runs the vectors that the server's half runs. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  type Bytes,
  type Place,
  SealBroken,
  importDataKey,
  sealTemplate,
  unsealTemplate,
} from "../src/domain/sealed-template.ts";

interface Vector {
  readonly id: string;
  readonly input: Place & { readonly key: string; readonly dimension: number; readonly sealed: string };
  readonly result: "valid" | "invalid";
  readonly error: string | null;
  readonly output?: { readonly nonce: string; readonly embedding: string };
}

const file = new URL("../../tests/vectors/sealed_template_v1.json", import.meta.url);
const vectors: Vector[] = JSON.parse(readFileSync(file, "utf-8")).tests;

const hex = (bytes: ArrayBufferView): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
const unhex = (text: string): Bytes => Uint8Array.from(Buffer.from(text, "hex"));
const place = { subject: "sub_a", template: "tpl_a", model: "m@1" };
const key = await importDataKey(unhex("07".repeat(32)));

test("there are vectors, and more say no than yes", () => {
  const invalid = vectors.filter((vector) => vector.result === "invalid");
  assert.ok(invalid.length > 20);
  assert.ok(invalid.length > vectors.length - invalid.length);
});

for (const { id, input, result, error, output } of vectors) {
  test(`sealed_template_v1: ${id}`, async () => {
    const vectorKey = await importDataKey(unhex(input.key));
    const open = () => unsealTemplate(unhex(input.sealed), vectorKey, input, input.dimension);

    if (result === "invalid") {
      assert.equal(error, "SealBroken");
      await assert.rejects(open, SealBroken);
      return;
    }
    assert.ok(output !== undefined);
    const embedding = await open();
    assert.equal(hex(embedding), output.embedding);
    const again = await sealTemplate(embedding, vectorKey, input, () => unhex(output.nonce));
    assert.equal(hex(again), input.sealed);
  });
}

test("each seal has its own nonce", async () => {
  const [one, other] = await Promise.all([
    sealTemplate(Float32Array.of(1), key, place),
    sealTemplate(Float32Array.of(1), key, place),
  ]);
  assert.notEqual(hex(one.subarray(1, 13)), hex(other.subarray(1, 13)));
  assert.deepEqual(await unsealTemplate(one, key, place, 1), Float32Array.of(1));
});

test("all causes have one message", async () => {
  const sealed = await sealTemplate(Float32Array.of(0.6, 0.8), key, place);
  const attempts = [
    unsealTemplate(sealed.subarray(1), key, place, 2),
    unsealTemplate(sealed, key, { ...place, subject: "sub_b" }, 2),
    unsealTemplate(sealed, key, place, 3),
  ];
  const messages = await Promise.all(attempts.map((attempt) => attempt.catch((error) => error.message)));
  assert.deepEqual(new Set(messages), new Set([new SealBroken().message]));
});

test("a data key cannot be exported", async () => {
  await assert.rejects(crypto.subtle.exportKey("raw", key));
});

test("what is no embedding is not sealed", async () => {
  for (const vector of [Float32Array.of(), Float32Array.of(1, 1), Float32Array.of(Number.NaN)]) {
    await assert.rejects(sealTemplate(vector, key, place), RangeError);
  }
});

test("names that bind nothing are refused", async () => {
  for (const subject of ["", "\ud800", "x".repeat(65536)]) {
    await assert.rejects(sealTemplate(Float32Array.of(1), key, { ...place, subject }), RangeError);
  }
});

test("a key of another length is refused", async () => {
  await assert.rejects(importDataKey(new Uint8Array(16)), RangeError);
});
