/** Asking a background that may be ended at any time: again where that is safe, and never taking silence for a yes. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { AskFailed, ask } from "../src/ask.ts";

let replies: (() => unknown)[] = [];
let sent = 0;
Object.assign(globalThis, {
  chrome: {
    runtime: {
      sendMessage: async () => {
        sent += 1;
        return (replies.shift() ?? (() => undefined))();
      },
    },
  },
});
const ended = () => {
  throw new Error("The message port closed before a response was received.");
};
const upload = { id: "1", pictures: [], prompt: null, page: "https://generator.example/" };

beforeEach(() => {
  replies = [];
  sent = 0;
});

test("a check that was interrupted is asked again", async () => {
  replies = [ended, () => undefined, () => ({ answer: { verdict: "refuse" } })];

  assert.deepEqual(await ask("upload.check", upload), { verdict: "refuse" });
  assert.equal(sent, 3);
});

test("a background that never answers is a failure, not an answer", async () => {
  replies = [ended, ended, ended, ended];

  await assert.rejects(ask("upload.check", upload), (error) => error instanceof AskFailed && error.code === "interrupted");
  assert.equal(sent, 3);
});

test("what changes something is never asked twice", async () => {
  replies = [ended];

  await assert.rejects(ask("vault.destroy", {}), (error) => error instanceof AskFailed && error.code === "interrupted");
  assert.equal(sent, 1);
});

test("a failure is told by its code, and not asked about again", async () => {
  replies = [() => ({ error: "locked" })];

  await assert.rejects(ask("picture.check", { id: "1", picture: { url: "" }, page: "" }), (error) => error instanceof AskFailed && error.code === "locked");
  assert.equal(sent, 1);
});
