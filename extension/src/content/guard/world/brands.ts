/**
 * What an object is to the browser, whatever it calls itself: a page can write any tag on it, and leave its own methods on it.
 *
 * A function of the browser looks for what only the browser puts into an object, in every frame's classes alike, and throws
 * where it is missing. Taken before any script of the page runs, and never looked up again.
 */

const { apply, getOwnPropertyDescriptor } = Reflect;
const { isView } = ArrayBuffer;
const Any = Object;

/** A function of the browser that works on one kind of object only, and changes nothing. */
export type Brand = (this: never) => unknown;

/** What reads a property in the browser. @throws {TypeError} If the browser has none. */
export function getter(owner: object, name: PropertyKey): Brand {
  const get = getOwnPropertyDescriptor(owner, name)?.get;
  if (get === undefined) {
    throw new TypeError(`no getter: ${String(name)}`);
  }
  return get;
}

export function isOf(brand: Brand, value: unknown): boolean {
  try {
    apply(brand, value, []);
    return true;
  } catch {
    return false;
  }
}

/** Not by `typeof`, which takes `document.all` for nothing. */
export function isObject(value: unknown): value is object {
  return Any(value) === value;
}

export type Kind = "view" | "buffer" | "shared" | "blob" | "form" | "fields" | "document";

export const byteLength = getter(ArrayBuffer.prototype, "byteLength");
export const blobSize = getter(Blob.prototype, "size");
// Pages that are not isolated have no such class.
const shared = typeof SharedArrayBuffer === "undefined" ? undefined : getter(SharedArrayBuffer.prototype, "byteLength");
const BYTES: readonly (readonly [Kind, Brand | undefined])[] = [
  ["blob", blobSize],
  ["buffer", byteLength],
  ["shared", shared],
];
const OTHERS: readonly (readonly [Kind, Brand | undefined])[] = [
  ["form", FormData.prototype.keys],
  ["fields", URLSearchParams.prototype.keys],
  ["document", getter(Document.prototype, "contentType")],
];

/** Which of the kinds that are nothing but bytes an object is. */
export function bytesKind(value: object): Kind | undefined {
  return isView(value) ? "view" : among(BYTES, value);
}

/** Which of the kinds an object is that the browser sends as what they are, and not as the text that they turn into. */
export function bodyKind(value: object): Kind | undefined {
  return bytesKind(value) ?? among(OTHERS, value);
}

/** By index, and never by `for … of` or by taking apart: a page can replace how arrays are walked through. */
function among(kinds: readonly (readonly [Kind, Brand | undefined])[], value: object): Kind | undefined {
  for (let index = 0; index < kinds.length; index += 1) {
    const kind = kinds[index];
    if (kind?.[1] !== undefined && isOf(kind[1], value)) {
      return kind[0];
    }
  }
  return undefined;
}
