/** What a file says of itself, which way up it is, and every way in which it can be shown. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { orientationOf, upright } from "../src/domain/pictures/orientation.ts";
import { outline } from "../src/domain/pictures/outline.ts";
import { ViewCollector } from "../src/domain/pictures/views.ts";

const bytes = (...parts: (string | number[])[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : part)));
const exif = (order: "II" | "MM", value: number): number[] =>
  order === "II"
    ? [...bytes("II*\0"), 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, value, 0, 0, 0]
    : [...bytes("MM\0*"), 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0];
const jpeg = (tiff: number[]): Uint8Array<ArrayBuffer> => {
  const app1 = bytes("Exif\0\0", tiff);
  return bytes([0xff, 0xd8, 0xff, 0xe1, 0, app1.length + 2], [...app1], [0xff, 0xc0, 0, 11, 8, 0, 200, 1, 44, 1, 1, 0x11, 0]);
};

test("a JPEG says its size and which way up it is, in either byte order", () => {
  for (const order of ["II", "MM"] as const) {
    const file = jpeg(exif(order, 6));
    const found = outline(file.buffer);
    assert.deepEqual([found?.format, found?.size, found?.orientation?.value], ["jpeg", { width: 300, height: 200 }, 6]);
    // Written over with what stands there, the file is upright, and nothing else of it has changed.
    const { at, upright: patch } = found?.orientation ?? assert.fail();
    file.set(patch, at);
    assert.equal(outline(file.buffer)?.orientation?.value, 1);
    assert.deepEqual(file, jpeg(exif(order, 1)));
  }
});

test("metadata that is cut short or nonsense says nothing", () => {
  const whole = Uint8Array.from(exif("II", 6));
  for (let length = 0; length < 20; length++) {
    assert.equal(orientationOf(whole.slice(0, length)), null);
  }
  assert.equal(orientationOf(Uint8Array.from(exif("MM", 9))), null);
});

test("files that end inside their header, and what is no picture, are none", () => {
  const whole = jpeg(exif("II", 6));
  for (let length = 0; length < whole.length - 6; length++) {
    assert.equal(outline(whole.slice(0, length).buffer), null);
  }
  for (const text of ["", "<svg/>", "GIF8", "RIFF....WEBPVP8 ", "BM", "%PDF-1.7"]) {
    assert.equal(outline(bytes(text).buffer), null, text);
  }
});

test("a GIF of two pictures is animated, of one it is not", () => {
  const head = bytes("GIF89a", [3, 0, 2, 0, 0, 0, 0]);
  const frame = [0x2c, 0, 0, 0, 0, 3, 0, 2, 0, 0, 2, 1, 0x44, 0];
  const size = { width: 3, height: 2 };
  assert.deepEqual(outline(bytes([...head], frame, [0x3b]).buffer), { format: "gif", size, isAnimated: false, orientation: null });
  assert.equal(outline(bytes([...head], frame, frame, [0x3b]).buffer)?.isAnimated, true);
});

test("every orientation is put upright as EXIF says", () => {
  // A picture of 2 x 3 whose pixels are 0 to 5; what a viewer shows for each orientation.
  const picture = { width: 2, height: 3, data: Uint8Array.from([0, 1, 2, 3, 4, 5].flatMap((v) => [v, v, v])) };
  const shown: Record<number, readonly [number, number[]]> = {
    1: [2, [0, 1, 2, 3, 4, 5]],
    2: [2, [1, 0, 3, 2, 5, 4]],
    3: [2, [5, 4, 3, 2, 1, 0]],
    4: [2, [4, 5, 2, 3, 0, 1]],
    5: [3, [0, 2, 4, 1, 3, 5]],
    6: [3, [4, 2, 0, 5, 3, 1]],
    7: [3, [5, 3, 1, 4, 2, 0]],
    8: [3, [1, 3, 5, 0, 2, 4]],
  };
  for (const [orientation, [width, values]] of Object.entries(shown)) {
    const turned = upright(picture, Number(orientation));
    assert.deepEqual([turned.width, [...turned.data].filter((_, i) => i % 3 === 0)], [width, values], orientation);
  }
});

test("a transparent picture is looked at on white, on black, and as if it were not", () => {
  const collector = new ViewCollector(1000);
  collector.add({ width: 1, height: 2, rgba: Uint8Array.from([200, 100, 0, 128, 9, 9, 9, 0]) }, 1);
  assert.deepEqual(
    collector.views.map(({ data }) => [...data]),
    [
      [227, 177, 127, 255, 255, 255],
      [100, 50, 0, 0, 0, 0],
      [200, 100, 0, 9, 9, 9],
    ],
  );
});

test("ways that look the same are looked at once, and too many are refused", () => {
  const frame = { width: 2, height: 2, rgba: new Uint8Array(16).fill(255) };
  const collector = new ViewCollector(6);
  assert.ok(collector.add(frame, 3) && collector.add(frame, 6));
  assert.equal(collector.views.length, 1);
  assert.equal(collector.add({ ...frame, rgba: frame.rgba.with(0, 7) }, 1), false);
});
