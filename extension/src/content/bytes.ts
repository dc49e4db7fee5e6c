/** Files as bytes and as text for messages, read by the browser off the page's thread. */

import type { Bytes } from "../domain/sealed-template.ts";
import type { Base64 } from "../messages.ts";

/**
 * The bytes of a file, in memory of our own: in Firefox a file's own `arrayBuffer()` gives memory of the page's world,
 * which can be looked at and not worked with.
 */
export function bytesOf(blob: Blob): Promise<Bytes> {
  return blob.bytes();
}

/** @throws {DOMException} If the file cannot be read, for example because it was changed on disk. */
export function base64Of(blob: Blob): Promise<Base64> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(reader.error ?? new DOMException("unreadable", "NotReadableError"));
    reader.readAsDataURL(blob);
  });
}
