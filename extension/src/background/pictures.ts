/** Reads a picture that a page shows, from the page's own host, as a stranger would: no cookies, no referrer. */

import { isPrivate } from "../domain/feed/addresses.ts";
import { Failure } from "../failure.ts";

export const MAX_PICTURE_BYTES = 20_000_000;
const TIMEOUT_MS = 20_000;

/**
 * Fetch a picture. Mostly it comes out of the browser's own cache.
 *
 * @param page Address of the document that shows it, as the browser knows it.
 * @throws {Failure} `forbidden` if she has not allowed the host, or it lies in her own network and the page does not;
 *   `picture_unreachable`, `picture_too_large`, `picture_unreadable` if it is no picture.
 */
export async function fetchPicture(address: string, page: string): Promise<ArrayBuffer> {
  const url = URL.parse(address);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new Failure("picture_unreachable");
  }
  if (isPrivate(url.hostname) && !isPrivate(URL.parse(page)?.hostname ?? "")) {
    throw new Failure("forbidden");
  }
  // A match pattern has no port.
  if (!(await chrome.permissions.contains({ origins: [`${url.protocol}//${url.hostname}/*`] }))) {
    throw new Failure("forbidden");
  }
  let response: Response;
  try {
    response = await fetch(url, {
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "force-cache",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new Failure("picture_unreachable", { cause: error });
  }
  if (!response.ok || response.body === null) {
    throw new Failure("picture_unreachable");
  }
  const type = response.headers.get("content-type") ?? "";
  if (/^(?:text|application\/(?:json|javascript)|video|audio)\b/i.test(type)) {
    throw new Failure("picture_unreadable");
  }
  return readUpTo(response.body, MAX_PICTURE_BYTES);
}

/** A length that a server declares is not believed; what comes is counted. */
async function readUpTo(body: ReadableStream<Uint8Array<ArrayBuffer>>, most: number): Promise<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = body.getReader();
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      size += value?.length ?? 0;
      if (size > most) {
        await reader.cancel();
        throw new Failure("picture_too_large");
      }
      if (value !== undefined) {
        parts.push(value);
      }
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure("picture_unreachable", { cause: error });
  }
  return new Blob(parts).arrayBuffer();
}
