/** Searching few people: who is found, how surely, and that many comparisons make it harder. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Curve, search } from "../src/domain/faces/search.ts";
import data from "../src/engine/engine.json" with { type: "json" };

const curve: Curve = data.curve.points;
const points = data.points;

/** A unit vector whose cosine with (1, 0, 0, …) is as given. */
function at(cosine: number, length = 8): Float32Array {
  return Float32Array.from({ length }, (_, i) => (i === 0 ? cosine : i === 1 ? Math.sqrt(1 - cosine ** 2) : 0));
}
const me = { subject: "sub_me", embedding: at(1) };

test("a sure likeness is a match, a fair one possible, a weak one nothing", () => {
  const levels = [0.9, 0.37, 0.1].map((cosine) => search([at(cosine)], [me], curve, points)[0]?.[0]?.level);
  assert.deepEqual(levels, ["match", "possible", undefined]);
});

test("a face counts with its best reference, and the likest person comes first", () => {
  const other = { subject: "sub_other", embedding: at(0.8) };
  const [found] = search([at(0.99)], [other, { ...me, embedding: at(0.2) }, me], curve, points);

  assert.deepEqual(found?.map(({ subject }) => subject), ["sub_me", "sub_other"]);
});

test("in a crowd nobody is named on the same likeness", () => {
  const probes = [at(0.6), ...Array.from({ length: 400 }, () => at(0))];

  assert.equal(search([at(0.6)], [me], curve, points)[0]?.[0]?.level, "match");
  assert.equal(search(probes, [me], curve, points)[0]?.[0]?.level, "possible");
});

test("embeddings of different lengths are never compared", () => {
  assert.throws(() => search([at(1, 9)], [me], curve, points), RangeError);
});

test("where nobody is enrolled nobody is found", () => {
  assert.deepEqual(search([at(1)], [], curve, points), [[]]);
});
