/** What a body is made of, as parts for the guard; and a copy of it that its page cannot change while it is held. */

import type { Part } from "../gate.ts";
import { type Brand, blobSize, bodyKind, bytesKind, getter, isObject } from "./brands.ts";

/** Strings shorter than this can hold neither a picture nor, beside one, a request that matters. */
const MIN_TEXT = 3;
const MAX_DEPTH = 4;
const MAX_NODES = 500;
/** Strings this long, inside of messages, may be pictures. */
const MIN_PICTURE_TEXT = 80;

// All that looks into a body, taken before a page can put something else in its place.
const { apply, defineProperty } = Reflect;
const { iterator } = Symbol;
const { append, forEach: eachEntry } = FormData.prototype;
const { toString: textOfFields } = URLSearchParams.prototype;
const { cloneNode } = Node.prototype;
const { serializeToString } = XMLSerializer.prototype;
const { set: fill } = Uint8Array.prototype;
const serializer = new XMLSerializer();
const [Bytes, Blobs, Form, Fields] = [Uint8Array, Blob, FormData, URLSearchParams];
const ofArrays = Reflect.getPrototypeOf(Bytes.prototype) as object;
const arrayKind = getter(ofArrays, Symbol.toStringTag);
const array = placeOf(ofArrays);
const view = placeOf(DataView.prototype);

/**
 * By which way a body goes: a beacon takes no document, and a channel only bytes. What a way does not take is sent as the
 * text that it turns into.
 */
export type Way = "request" | "beacon" | "channel";

/** What is sent in a body's place, and what the guard asks about: one is read from the other, and the page reaches neither. */
export interface Copy {
  readonly body: unknown;
  /** Empty if there is nothing in it to look at. */
  readonly parts: readonly Part[];
}

/**
 * Copy a body of `send` and its like. What is of no kind that has a meaning there turns into text here, once, and no page
 * decides what kind it is.
 */
export function copied(body: unknown, way: Way): Copy {
  if (!isObject(body)) {
    return { body, parts: typeof body === "string" ? textParts(body) : [] };
  }
  const kind = bodyKind(body);
  if (kind === "blob") {
    return { body, parts: blobParts(body as Blob) };
  }
  if (kind === "view" || kind === "buffer") {
    const bytes = bytesOf(body, kind === "view");
    return { body: bytes, parts: bytesParts(bytes) };
  }
  if (kind === "form" && way !== "channel") {
    const copy = new Form();
    const parts: Part[] = [];
    apply(eachEntry, body, [
      (value: string | File, name: string) => {
        apply(append, copy, [name, value]);
        addAll(parts, typeof value === "string" ? textParts(value) : blobParts(value));
      },
    ]);
    return { body: copy, parts };
  }
  if (kind === "fields" && way !== "channel") {
    const text = apply(textOfFields, body, []);
    return { body: new Fields(text), parts: textParts(text) };
  }
  if (kind === "document" && way === "request") {
    const copy = apply(cloneNode, body, [true]);
    return { body: copy, parts: textParts(apply(serializeToString, serializer, [copy])) };
  }
  const text = `${body as unknown as string}`;
  return { body: text, parts: textParts(text) };
}

/** The parts of a body that no page can change any more. */
export function partsOf(body: unknown): readonly Part[] {
  return copied(body, "request").parts;
}

/** The parts of a message to a worker that may be pictures: most messages have none, and are not held up. */
export function pictureParts(message: unknown): readonly Part[] {
  const parts: Part[] = [];
  const seen = new Set<unknown>();
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === "string") {
      if (value.length >= MIN_PICTURE_TEXT) {
        addAll(parts, [{ text: value }]);
      }
    } else if (isObject(value) && typeof value !== "function" && !seen.has(value) && seen.size < MAX_NODES && depth <= MAX_DEPTH) {
      seen.add(value);
      const kind = bytesKind(value);
      if (kind !== undefined) {
        addAll(parts, kind === "blob" ? blobParts(value as Blob) : bytesParts(bytesOf(value, kind === "view")));
        return;
      }
      for (const inner of Object.values(value)) {
        visit(inner, depth + 1);
      }
    }
  };
  visit(message, 0);
  return parts;
}

function textParts(text: string): Part[] {
  return text.length < MIN_TEXT ? [] : [{ text }];
}

function blobParts(blob: Blob): Part[] {
  return apply(blobSize, blob as never, []) === 0 ? [] : [{ blob }];
}

/** A blob is given its one piece by an iterator of ours: how arrays are walked through, a page can replace. */
function bytesParts(bytes: Uint8Array<ArrayBuffer>): Part[] {
  let isOver = false;
  const next = () => {
    const given = { done: isOver, value: bytes };
    isOver = true;
    return given;
  };
  return [{ blob: new Blobs({ [iterator]: () => ({ next }) } as unknown as BlobPart[]) }];
}

/** Not by `slice`, which asks the page's object what to put the copy into. */
function bytesOf(value: object, isView: boolean): Uint8Array<ArrayBuffer> {
  const source = isView ? viewed(value) : new Bytes(value as ArrayBuffer);
  const copy = new Bytes(apply(array.byteLength, source as never, []) as number);
  apply(fill, copy, [source]);
  return copy;
}

function viewed(value: object): Uint8Array {
  const place = apply(arrayKind, value as never, []) === undefined ? view : array;
  const read = (brand: Brand): unknown => apply(brand, value as never, []);
  return new Bytes(read(place.buffer) as ArrayBuffer, read(place.byteOffset) as number, read(place.byteLength) as number);
}

/** Where a view lies, told by what no property that the page puts onto the view can hide. */
function placeOf(owner: object) {
  return { buffer: getter(owner, "buffer"), byteOffset: getter(owner, "byteOffset"), byteLength: getter(owner, "byteLength") };
}

/** Not by `push`, nor by assigning: a page can replace the one, and catch the other. */
function addAll(parts: Part[], more: readonly Part[]): void {
  for (let index = 0; index < more.length; index += 1) {
    defineProperty(parts, parts.length, { value: more[index], writable: true, enumerable: true, configurable: true });
  }
}
