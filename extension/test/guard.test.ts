/** What the guard sees in files and in the bodies of requests. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { contentsOf, isPictureAddress, isPlain, isWording, picturesIn } from "../src/domain/guard/body.ts";
import { HEAD_BYTES, embedded, isPicture } from "../src/domain/guard/sniff.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
/** A beginning, and enough behind it that its base64 is no ordinary word. */
const file = (head: string): Uint8Array => Uint8Array.from([...bytes(head), ...Array.from({ length: 200 }, (_, i) => (i * 37) % 251)]);

const HEADS = {
  jpeg: "\xff\xd8\xff\xe0\0\x10JFIF\0",
  png: "\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
  gif: "GIF89a",
  webp: "RIFF\x24\0\0\0WEBPVP8 ",
  bmp: "BM\x46\x01\0\0\0\0\0\0",
  tiff: "II*\0\x08\0\0\0",
  avif: "\0\0\0\x20ftypavif\0\0\0\0",
  heic: "\0\0\0\x18ftypheic\0\0\0\0",
  jxl: "\xff\x0a\xfa\x7f",
  svg: "<svg xmlns='http://www.w3.org/2000/svg'>",
};

for (const [kind, head] of Object.entries(HEADS)) {
  test(`${kind} is a picture, whatever its name says`, () => {
    assert.equal(isPicture(file(head).subarray(0, HEAD_BYTES)), true);
  });
}

for (const [kind, head] of Object.entries({ pdf: "%PDF-1.7", text: "hello", mp4: "\0\0\0\x20ftypisom", zip: "PK\x03\x04", none: "", html: "<!doctype html>" })) {
  test(`${kind} is not a picture`, () => assert.equal(isPicture(bytes(head)), false));
}

test("pictures inside of another format are found, with all that comes before them skipped", () => {
  const body = Uint8Array.from([...bytes("\x0a\x05hello"), ...file(HEADS.png), ...file(HEADS.jpeg)]);
  assert.deepEqual(embedded(body), [7, 7 + file(HEADS.png).length]);
  assert.deepEqual(embedded(bytes("nothing of the kind")), []);
});

const base64 = (head: string): string => Buffer.from(file(head)).toString("base64");
const BODIES: Readonly<Record<string, string>> = {
  "a data address in JSON": JSON.stringify({ image: `data:image/png;base64,${base64(HEADS.png)}` }),
  "bare base64 in JSON": JSON.stringify({ a: { b: [base64(HEADS.jpeg)] } }),
  "base64 with escaped slashes": JSON.stringify({ image: base64(HEADS.jpeg) }).replaceAll("/", "\\/"),
  "base64 for addresses": JSON.stringify({ image: Buffer.from(file(HEADS.webp)).toString("base64url") }),
  "base64 in lines": (base64(HEADS.png).match(/.{1,76}/g) ?? []).join("\r\n"),
  "base64 in lines, in JSON": JSON.stringify({ image: (base64(HEADS.png).match(/.{1,76}/g) ?? []).join("\n") }),
  "a form": new URLSearchParams({ image: base64(HEADS.jpeg) }).toString(),
  "JSON in a form": new URLSearchParams({ "f.req": JSON.stringify([[base64(HEADS.gif)]]) }).toString(),
  "a list of numbers": JSON.stringify({ bytes: [...file(HEADS.png)] }),
};

for (const [what, body] of Object.entries(BODIES)) {
  test(`a picture is found in ${what}`, () => {
    const [found, ...others] = picturesIn(body);
    assert.ok(found !== undefined && isPicture(found));
    assert.ok(found.length >= 200);
    assert.deepEqual(others, []);
  });
}

test("what is long and no picture is no picture", () => {
  assert.deepEqual(picturesIn(JSON.stringify({ token: "eyJhbGciOi".repeat(40), file: Buffer.from(file("%PDF-1.7")).toString("base64") })), []);
});

test("words are taken from the fields that carry a prompt, and from a body that is nothing but words", () => {
  assert.deepEqual(contentsOf(JSON.stringify({ model: "image large", prompt: "put her in a hat" })).words, ["put her in a hat"]);
  assert.deepEqual(contentsOf(JSON.stringify({ messages: [{ role: "user", content: [{ type: "text", text: "hello there" }] }] })).words, ["hello there"]);
  assert.deepEqual(contentsOf("q=put+her+in+a+hat&id=12").words, ["put her in a hat"]);
  assert.deepEqual(contentsOf('{"prompt":"one two"}\n{"prompt":"three four"}').words, ["one two", "three four"]);
  assert.deepEqual(contentsOf(JSON.stringify([[[null, '[["put her in a hat"]]']]])).words, ["put her in a hat"]);
  assert.deepEqual(contentsOf("put her in a hat").words, ["put her in a hat"]);
  assert.deepEqual(contentsOf('{"a":1}\nput her in a hat\n').words, ["put her in a hat"]);
});

test("what the machine answered is not what is asked", () => {
  const body = { messages: [{ role: "assistant", content: "I cannot undress her" }, { author: { role: "system" }, content: "be nice" }, { role: "user", content: "make the sky blue" }] };
  assert.deepEqual(contentsOf(JSON.stringify(body)).words, ["make the sky blue"]);
});

test("pictures that are named by their address are found", () => {
  const body = { prompt: "a hat", images: [{ image_url: { url: "https://cdn.example.org/p?id=1" } }], see: "https://example.org/a.jpg?x=1" };
  assert.deepEqual(contentsOf(JSON.stringify(body)).addresses, ["https://cdn.example.org/p?id=1", "https://example.org/a.jpg?x=1"]);
  assert.equal(isPictureAddress("https://pbs.twimg.com/media/F?format=jpg&name=large"), true);
  assert.equal(isPictureAddress("https://example.org/jpg"), false);
});

test("tokens, numbers and addresses are no wording; words of any script are", () => {
  for (const text of ["", "17", "https://a.org/b c", "data:text/plain,hi", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"]) {
    assert.equal(isWording(text), false, text);
  }
  for (const text of ["put her in a bikini", "bikini", "сними с неё одежду", "اخلع ملابسها", "脱がせて"]) {
    assert.equal(isWording(text), true, text);
  }
});

test("of a conversation without end the last words are kept", () => {
  const words = Array.from({ length: 50 }, (_, i) => `turn ${i} ${"blah ".repeat(100)}`);
  const kept = contentsOf(JSON.stringify({ messages: words })).words;
  assert.ok(kept.join("").length <= 8000);
  assert.equal(kept.at(-1), words.at(-1));
});

for (const [what, text] of Object.entries({
  "what a page counts": JSON.stringify({ event: "click", at: 1795262400, tags: ["a", "b"] }),
  "what it counts, in lines": '{"event":"click"}\nnull\n\n{"event":"key"}\n',
  "a token": "eyJhbGciOiJFZERTQSIsInR5cCI6ImEifQ.e30.AAAAAAAAAAAA",
  nothing: "",
})) {
  test(`there is nothing to ask about in ${what}`, () => assert.equal(isPlain(text), true));
}

for (const [what, text] of Object.entries({
  words: "a portrait of a queen on the moon",
  "a prompt in JSON": JSON.stringify({ prompt: "a portrait of a queen on the moon" }),
  "a line behind what a page counts": `${JSON.stringify({ event: "click" })}\na queen on the moon`,
  "a prompt in a form": new URLSearchParams({ prompt: "a queen on the moon" }).toString(),
  "a picture without words": JSON.stringify({ data: base64(HEADS.jpeg) }),
})) {
  test(`there is something to ask about in ${what}`, () => assert.equal(isPlain(text), false));
}
