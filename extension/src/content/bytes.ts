/** Files as text for messages, made by the browser off the page's thread. */

import type { Base64 } from "../messages.ts";

/** @throws {DOMException} If the file cannot be read, for example because it was changed on disk. */
export function base64Of(blob: Blob): Promise<Base64> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(reader.error ?? new DOMException("unreadable", "NotReadableError"));
    reader.readAsDataURL(blob);
  });
}
