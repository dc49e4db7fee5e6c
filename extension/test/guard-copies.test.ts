/** What the guard sends in a body's place, whatever the body calls itself and whatever its page has replaced. */

import assert from "node:assert/strict";
import { test } from "node:test";

// Node has no documents, and none is sent here.
class NoDocument {
  get contentType(): string {
    throw new TypeError("Illegal invocation");
  }
}
class NoSerializer {}
Object.assign(globalThis, { Node: NoDocument, Document: NoDocument, XMLSerializer: NoSerializer });
const { copied, pictureParts } = await import("../src/content/guard/world/parts.ts");

const HERS = "a portrait of Eileen Collins on the moon";
type Copy = ReturnType<typeof copied>;
const tagged = (tag: string, more: object = {}) => ({ [Symbol.toStringTag]: tag, toString: () => HERS, ...more });
const asked = async ({ parts }: Copy): Promise<string[]> => Promise.all(parts.map((part) => ("text" in part ? part.text : part.blob.text())));
const hidden = <T extends object>(body: T, name: PropertyKey, value: unknown): T => Object.defineProperty(body, name, { value });
const bytes = () => new TextEncoder().encode(HERS);

const FORGED: Readonly<Record<string, object>> = {
  nothing: tagged(""),
  "an empty file": tagged("Blob", { size: 0 }),
  bytes: tagged("ArrayBuffer", { slice: () => tagged("") }),
  "shared bytes": tagged("SharedArrayBuffer"),
  "form data": tagged("FormData", { entries: () => [] }),
  "a document": tagged("HTMLDocument"),
  "a function": Object.assign(() => undefined, { toString: () => HERS }),
};
for (const [what, body] of Object.entries(FORGED)) {
  test(`what calls itself ${what} is sent as the text that is asked about`, async () => {
    for (const way of ["request", "beacon", "channel"] as const) {
      const copy = copied(body, way);
      assert.equal(copy.body, HERS);
      assert.deepEqual(await asked(copy), [HERS]);
    }
  });
}

test("what turns into other text the next time is turned once", async () => {
  let turns = 0;
  const copy = copied({ toString: () => `${HERS} ${turns++}` }, "request");
  assert.equal(copy.body, `${HERS} 0`);
  assert.deepEqual(await asked(copy), [copy.body]);
});

const REAL: Readonly<Record<string, () => object>> = {
  "a file": () => hidden(new Blob([HERS]), "size", 0),
  bytes: () => hidden(bytes(), "byteLength", 0),
  "bytes in another view": () => hidden(new DataView(bytes().buffer), "buffer", new ArrayBuffer(0)),
  "bytes without a view": () => hidden(bytes().buffer, "byteLength", 0),
};
for (const [what, body] of Object.entries(REAL)) {
  test(`${what} that denies what it is, is read as what it is`, async () => {
    for (const way of ["request", "beacon", "channel"] as const) {
      const copy = copied(hidden(body(), Symbol.toStringTag, ""), way);
      assert.deepEqual(await asked(copy), [HERS]);
      assert.deepEqual(await new Response(copy.body as BodyInit).text(), HERS);
    }
  });
}

test("a form that denies what it is, is copied with its words and its files", async () => {
  const form = new FormData();
  form.append("prompt", HERS);
  form.append("image", new File(["a picture"], "a.jpg"));
  const copy = copied(hidden(form, Symbol.toStringTag, ""), "request");
  assert.deepEqual(await asked(copy), [HERS, "a picture"]);
  form.set("prompt", "changed since");
  assert.equal((copy.body as FormData).get("prompt"), HERS);
  assert.equal(((copy.body as FormData).get("image") as File).name, "a.jpg");
});

test("a channel sends fields as text, and bytes of the page's are its own no more", async () => {
  assert.equal(copied(new URLSearchParams({ prompt: "a hat" }), "channel").body, "prompt=a+hat");
  assert.ok(copied(new URLSearchParams({ prompt: "a hat" }), "beacon").body instanceof URLSearchParams);
  const page = new Uint8Array(bytes());
  const copy = copied(page, "channel");
  page.fill(0);
  assert.equal(new TextDecoder().decode(copy.body as Uint8Array), HERS);
});

test("bytes that are shared are text in a request, and are looked at in a message", async () => {
  const shared = new SharedArrayBuffer(4);
  new Uint8Array(shared).set([1, 2, 3, 4]);
  assert.equal(copied(shared, "request").body, "[object SharedArrayBuffer]");
  const [part] = pictureParts({ shared });
  assert.ok(part !== undefined && "blob" in part);
  assert.deepEqual([...new Uint8Array(await part.blob.arrayBuffer())], [1, 2, 3, 4]);
});

test("a message's picture is found beneath what calls itself bytes", () => {
  assert.equal(pictureParts({ [Symbol.toStringTag]: "ArrayBuffer", inner: new Blob(["a picture"]) }).length, 1);
  assert.deepEqual(pictureParts({ [Symbol.toStringTag]: "Blob", type: "tick" }), []);
});

test("what a page has replaced since is not used", async () => {
  const form = new FormData();
  form.append("prompt", HERS);
  const bodies = [form, new URLSearchParams({ prompt: HERS }), new Blob([HERS]), bytes(), { toString: () => HERS }];
  const replaced: readonly (readonly [object, PropertyKey, PropertyDescriptor])[] = [
    [Object.prototype, "toString", { value: () => "[object ]" }],
    [Array.prototype, "push", { value: () => 0 }],
    [Object.getPrototypeOf(Uint8Array.prototype), "slice", { value: () => new Uint8Array() }],
    [FormData.prototype, "forEach", { value: () => undefined }],
    [FormData.prototype, "entries", { value: () => [] }],
    [URLSearchParams.prototype, "toString", { value: () => "" }],
    [Blob.prototype, "size", { get: () => 0 }],
    [globalThis, "Blob", { value: class {} }],
    [globalThis, "FormData", { value: class {} }],
  ];
  const before = replaced.map(([owner, name]) => Reflect.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor);
  const copies: Copy[] = [];
  try {
    for (const [owner, name, property] of replaced) {
      Object.defineProperty(owner, name, { configurable: true, ...property });
    }
    for (let index = 0; index < bodies.length; index += 1) {
      copies[index] = copied(bodies[index], "request");
    }
  } finally {
    replaced.forEach(([owner, name], index) => Object.defineProperty(owner, name, before[index] as PropertyDescriptor));
  }
  assert.deepEqual(await Promise.all(copies.map(asked)), [[HERS], [String(new URLSearchParams({ prompt: HERS }))], [HERS], [HERS], [HERS]]);
});
