/** What a body is made of, as parts for the guard; and a copy of it that its page cannot change while it is held. */

import type { Part } from "../gate.ts";

/** Strings shorter than this can hold neither a picture nor, beside one, a request that matters. */
const MIN_TEXT = 3;
const MAX_DEPTH = 4;
const MAX_NODES = 500;
/** Strings this long, inside of messages, may be pictures. */
const MIN_PICTURE_TEXT = 80;

type Realm = Window & typeof globalThis;
const { isView } = ArrayBuffer;
const { apply } = Reflect;
const { cloneNode } = Node.prototype;
const { serializeToString } = XMLSerializer.prototype;
const serializer = new XMLSerializer();

/**
 * A body of `send` and its like, copied where a page could still change it. What is of no kind that has a meaning there is
 * sent as the text that it turns into: it turns into it here, once.
 */
export function frozen(body: unknown, realm: Realm): unknown {
  switch (kindOf(body)) {
    case "FormData": {
      const copy = new realm.FormData();
      for (const [name, value] of (body as FormData).entries()) {
        if (typeof value === "string") {
          copy.append(name, value);
        } else {
          copy.append(name, value, value.name);
        }
      }
      return copy;
    }
    case "URLSearchParams":
      return new realm.URLSearchParams(String(body));
    case "ArrayBuffer":
      return (body as ArrayBuffer).slice(0);
    case "Blob":
    case "File":
    case "SharedArrayBuffer":
    case "":
      return body;
    case "Document":
    case "HTMLDocument":
    case "XMLDocument":
      return apply(cloneNode, body, [true]);
    default:
      return isView(body) ? bytesOf(body).slice() : String(body);
  }
}

/** The parts of a body; empty if there is nothing in it to look at. */
export function partsOf(body: unknown): Part[] {
  if (typeof body === "string") {
    return body.length < MIN_TEXT ? [] : [{ text: body }];
  }
  switch (kindOf(body)) {
    case "FormData": {
      const parts: Part[] = [];
      for (const [, value] of (body as FormData).entries()) {
        parts.push(...partsOf(value));
      }
      return parts;
    }
    case "URLSearchParams":
      return partsOf(String(body));
    case "Blob":
    case "File":
      return (body as Blob).size === 0 ? [] : [{ blob: body as Blob }];
    case "ArrayBuffer":
    case "SharedArrayBuffer":
      return [{ blob: new Blob([new Uint8Array(body as ArrayBuffer)]) }];
    case "Document":
    case "HTMLDocument":
    case "XMLDocument":
      return partsOf(apply(serializeToString, serializer, [body]));
    default:
      return isView(body) ? [{ blob: new Blob([bytesOf(body).slice()]) }] : [];
  }
}

/** The parts of a message to a worker that may be pictures: most messages have none, and are not held up. */
export function pictureParts(message: unknown): Part[] {
  const parts: Part[] = [];
  const seen = new Set<unknown>();
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === "string") {
      if (value.length >= MIN_PICTURE_TEXT) {
        parts.push({ text: value });
      }
    } else if (typeof value === "object" && value !== null && !seen.has(value) && seen.size < MAX_NODES && depth <= MAX_DEPTH) {
      seen.add(value);
      const own = kindOf(value) === "FormData" ? [] : partsOf(value);
      if (own.length > 0) {
        parts.push(...own);
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

function bytesOf(view: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}

/** By its tag and not by its class: a page's frames have classes of their own. */
function kindOf(value: unknown): string {
  const hasKind = (typeof value === "object" && value !== null) || typeof value === "function";
  return hasKind ? Object.prototype.toString.call(value).slice(8, -1) : "";
}
