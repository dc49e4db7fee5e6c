/** Which pictures of a page are looked at, and in which order. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { absolute, cssAddresses, isPrivate, isWorthLooking, readerOf } from "../src/domain/feed/addresses.ts";
import { Queue } from "../src/domain/feed/queue.ts";

const PAGE = "https://x.com/home";

test("every address of a CSS value is found, however it is quoted", () => {
  const value = `linear-gradient(red, blue), url("https://a/1.jpg"), url('b c.png'), url(d.webp), image-set(url("e.avif") 1dppx)`;
  assert.deepEqual(cssAddresses(value), ["https://a/1.jpg", "b c.png", "d.webp", "e.avif"]);
  assert.deepEqual(cssAddresses(String.raw`url("a\"b.jpg")`), ['a"b.jpg']);
  assert.deepEqual(cssAddresses("none"), []);
});

test("a fragment is not part of what is fetched", () => {
  assert.equal(absolute("/a.jpg#x", PAGE), "https://x.com/a.jpg");
  assert.equal(absolute("http://[", PAGE), null);
});

for (const [address, reader] of [
  ["https://pbs.twimg.com/media/a.jpg", "background"],
  ["http://cdn.example.org/a", "background"],
  ["data:image/png;base64,iVBORw0KGgo=", "here"],
  ["blob:https://x.com/0b1", "here"],
  ["data:text/html,<b>", "no"],
  ["data:image/svg+xml,<svg/>", "no"],
  ["https://abs.twimg.com/emoji/v2/svg/1f600.svg", "no"],
  ["https://abs.twimg.com/sticky/default_profile_images/default.png", "no"],
  ["chrome-extension://abc/a.png", "no"],
  ["http://192.168.0.1/a.jpg", "no"],
  ["http://localhost:8080/a.jpg", "no"],
] as const) {
  test(`${address} is read: ${reader}`, () => {
    assert.equal(readerOf(address, PAGE), reader);
  });
}

test("a page in her own network may show what lies there", () => {
  assert.equal(readerOf("http://127.0.0.1:8802/a.jpg", "http://localhost:8801/"), "background");
});

for (const host of ["localhost", "a.localhost", "nas", "nas.local", "10.0.0.9", "127.1.2.3", "172.16.0.1", "172.31.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[::1]", "[fd00::1]", "[fe80::1]", "[::ffff:7f00:1]"]) {
  test(`${host} is private`, () => assert.equal(isPrivate(host), true));
}

for (const host of ["x.com", "172.32.0.1", "100.63.0.1", "11.0.0.1", "[2606:4700::1111]", ""]) {
  test(`${host || "no host"} is not private`, () => assert.equal(isPrivate(host), false));
}

test("what is smaller than a face that can be told apart is left out", () => {
  assert.equal(isWorthLooking(40, 40), true);
  assert.equal(isWorthLooking(400, 39), false);
});

/** A queue whose looks end when told to. */
function staged(options?: { atOnce?: number; remembered?: number; mostWaiting?: number }) {
  const begun: string[] = [];
  const ends = new Map<string, (outcome: string) => void>();
  const queue = new Queue<string>((address) => {
    begun.push(address);
    return new Promise((resolve, reject) => {
      ends.set(address, (outcome) => (outcome === "fails" ? reject(new Error(outcome)) : resolve(outcome)));
    });
  }, options);
  const end = async (address: string, outcome = "seen") => {
    ends.get(address)?.(outcome);
    await new Promise(setImmediate);
  };
  return { begun, end, queue };
}

test("a picture is looked at once, however often it is wished for", async () => {
  const { begun, end, queue } = staged();
  queue.want("a");
  queue.want("a");
  await end("a");
  queue.want("a");
  assert.deepEqual(begun, ["a"]);
  assert.equal(queue.outcome("a"), "seen");
});

test("the newest wish is next, and no more are looked at at once than allowed", async () => {
  const { begun, end, queue } = staged({ atOnce: 1 });
  for (const address of ["a", "b", "c"]) {
    queue.want(address);
  }
  queue.want("b");
  assert.deepEqual(begun, ["a"]);
  await end("a");
  await end("b");
  await end("c");
  assert.deepEqual(begun, ["a", "b", "c"]);
  assert.equal(queue.waiting, 0);
});

test("what was taken down before its turn is never looked at", async () => {
  const { begun, end, queue } = staged({ atOnce: 1 });
  queue.want("a");
  queue.want("b");
  queue.withdraw("b");
  queue.withdraw("a");
  await end("a");
  assert.deepEqual(begun, ["a"]);
  assert.equal(queue.outcome("b"), undefined);
  assert.equal(queue.outcome("a"), "seen");
});

test("a look that failed is no outcome, and is tried again when wished for again", async () => {
  const { begun, end, queue } = staged();
  queue.want("a");
  await end("a", "fails");
  assert.equal(queue.outcome("a"), undefined);
  queue.want("a");
  assert.deepEqual(begun, ["a", "a"]);
});

test("of too many that wait the oldest are dropped, and may be wished for again", async () => {
  const { begun, end, queue } = staged({ atOnce: 1, mostWaiting: 2 });
  for (const address of ["a", "b", "c", "d"]) {
    queue.want(address);
  }
  for (const address of ["a", "d", "c"]) {
    await end(address);
  }
  assert.deepEqual(begun, ["a", "d", "c"]);
  queue.want("b");
  assert.deepEqual(begun, ["a", "d", "c", "b"]);
});

test("while it is paused nothing begins", async () => {
  const { begun, queue } = staged();
  queue.pause();
  queue.want("a");
  assert.deepEqual(begun, []);
  queue.resume();
  assert.deepEqual(begun, ["a"]);
});

test("only so many outcomes are remembered, the newest", async () => {
  const { end, queue } = staged({ remembered: 2 });
  for (const address of ["a", "b", "c"]) {
    queue.want(address);
    await end(address, address);
  }
  assert.deepEqual(queue.outcomes, ["b", "c"]);
});

test("what is forgotten is looked at anew", async () => {
  const { begun, end, queue } = staged();
  queue.want("a");
  await end("a", "locked");
  queue.forget((outcome) => outcome === "locked");
  queue.want("a");
  assert.deepEqual(begun, ["a", "a"]);
});
