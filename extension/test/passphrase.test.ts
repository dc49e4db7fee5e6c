/** A hint about a passphrase warns where it must, and what is suggested is strong. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { MIN_CHARACTERS, strengthOf, suggestPassphrase } from "../src/domain/passphrase.ts";

for (const weak of ["password1234", "aaaaaaaaaaaaaaaa", "1234567890123456", "abcdefghijklmnop", "Passwort2026!", "qwertyuiop", "abcabcabcabcabc", "كلمة السر 12"]) {
  test(`obvious: ${weak}`, () => assert.ok(strengthOf(weak) <= 1, `rated ${strengthOf(weak)}`));
}

for (const good of ["velvet harbour nineteen crumb", "Giraffe Teelöffel Montag Nebel", "زرافة ملعقة ضباب نافذة", "kT9#mQ2!vR7x"]) {
  test(`hard to guess: ${good}`, () => assert.ok(strengthOf(good) >= 3, `rated ${strengthOf(good)}`));
}

test("three words are fair, and each word more is better", () => {
  const levels = ["velvet harbour nineteen", "velvet harbour nineteen crumb", "velvet harbour nineteen crumb pencil"].map(strengthOf);
  assert.deepEqual(levels, [2, 3, 4]);
});

test("a word said again adds nothing", () => {
  assert.ok(strengthOf("giraffe giraffe giraffe giraffe") <= 2);
});

test("below the vault's minimum nothing is strong", () => {
  assert.equal(strengthOf("kT9#mQ2!v"), 0);
  assert.ok(strengthOf("kT9#mQ2!vR") > 0);
  assert.equal([..."kT9#mQ2!vR"].length, MIN_CHARACTERS);
});

test("characters are counted, not their code units", () => {
  assert.equal(strengthOf("😀😁😂🤣😃"), 0);
});

test("a suggestion is strong, and no two are alike", () => {
  const made = Array.from({ length: 50 }, () => suggestPassphrase());
  assert.equal(new Set(made).size, made.length);
  for (const each of made) {
    assert.match(each, /^([a-z]{4}-){5}[a-z]{4}$/);
    assert.equal(strengthOf(each), 4);
  }
});

test("no letter of a suggestion is likelier than another", () => {
  // 255 is the one byte that five vowels cannot share fairly: thrown again, else it would be one more "a".
  const bytes = [0, 255, 4, 0, 0];
  const text = suggestPassphrase((filled) => filled.fill(bytes.shift() ?? 0));
  assert.equal(text.slice(0, 4), "buba");
});
