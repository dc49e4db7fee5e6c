/** Uploads that wait for her: an answer is given once, by her, and lets through nothing else. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Failure } from "../src/failure.ts";
import { Holds } from "../src/background/holds.ts";

const ASKED = {
  tabId: 7,
  thumbnails: ["/9j/"],
  page: "https://grok.com/chat",
  prompt: "a hat",
  category: "none",
  subjects: ["Ada"],
  subjectIds: ["sub_me"],
} as const;

let stored: Map<string, unknown>;
let clock: number;
let holds: Holds;

beforeEach(() => {
  stored = new Map();
  clock = 1000;
  const storage = {
    get: async (key: string | null) => Object.fromEntries([...stored].filter(([each]) => key === null || each === key)),
    set: async (values: object) => Object.entries(values).forEach(([key, value]) => stored.set(key, value)),
    remove: async (keys: string[]) => keys.forEach((key) => stored.delete(key)),
  };
  holds = new Holds(storage as unknown as chrome.storage.StorageArea, () => clock);
});

const gone = (error: unknown): boolean => error instanceof Failure && error.code === "not_found";

test("it waits until she answers, and is told to its own tab only", async () => {
  const id = await holds.open(ASKED);
  assert.deepEqual(await holds.outcome(id, 7), { state: "waiting" });
  assert.deepEqual(await holds.outcome(id, 8), { state: "ended" });
  await holds.settle(id, "released");
  assert.deepEqual(await holds.outcome(id, 7), { state: "released" });
});

test("an answer is never changed", async () => {
  const id = await holds.open(ASKED);
  await holds.settle(id, "cancelled");
  await assert.rejects(holds.settle(id, "released"), gone);
  assert.deepEqual(await holds.outcome(id, 7), { state: "cancelled" });
});

test("after ten minutes, or if it never was, it has ended", async () => {
  const id = await holds.open(ASKED);
  clock += 600;
  assert.deepEqual(await holds.outcome(id, 7), { state: "ended" });
  await assert.rejects(holds.settle(id, "released"), gone);
  assert.deepEqual(await holds.outcome("no such hold", 7), { state: "ended" });
});

test("once it is answered nothing of the picture, the words or the people is left", async () => {
  const id = await holds.open(ASKED);
  await holds.settle(id, "cancelled");
  assert.doesNotMatch(JSON.stringify([...stored.values()]), /9j|hat|Ada|sub_me|grok/);
});

test("who approved acts for five minutes, in that tab and on that site", async () => {
  await holds.settle(await holds.open(ASKED), "released");
  assert.deepEqual(await holds.actors(7, "https://grok.com/other"), new Set(["sub_me"]));
  assert.deepEqual(await holds.actors(8, "https://grok.com/chat"), new Set());
  assert.deepEqual(await holds.actors(7, "https://example.org/"), new Set());
  clock += 300;
  assert.deepEqual(await holds.actors(7, "https://grok.com/chat"), new Set());
});

test("who declined acts for nobody, and what has ended is swept out", async () => {
  await holds.settle(await holds.open(ASKED), "cancelled");
  assert.deepEqual(await holds.actors(7, ASKED.page), new Set());
  await holds.settle(await holds.open(ASKED), "released");
  clock += 600;
  await holds.sweep();
  assert.equal(stored.size, 0);
});
