/** Protected names are found in words as the server finds them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { checkedName, isNamed } from "../src/domain/requests/names.ts";

const file = new URL("../../tests/vectors/names_v1.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf-8")).tests as readonly {
  readonly id: string;
  readonly input: { readonly name: string; readonly text?: string };
  readonly result: "valid" | "invalid";
  readonly output?: unknown;
}[];

for (const { id, input, result, output } of vectors) {
  test(`${id}: ${input.name} ${input.text ?? ""}`, () => {
    if (input.text === undefined) {
      assert.equal(checkedName(input.name), result === "valid" ? output : null);
    } else {
      assert.equal(isNamed(input.text, [input.name]), output);
    }
  });
}

test("without names nobody is named", () => assert.equal(isNamed("anybody", []), false));
