/**
 * `fetch`, `XMLHttpRequest` and `sendBeacon`: what has a body waits until the guard says that it may go.
 *
 * A synchronous request cannot wait, and a page that is being left is not there any more when an answer comes. Text in which
 * there is nothing to ask about goes at once, everything else does not: the request fails, the beacon waits.
 *
 * Here and beside: `await` and never `then`, which a page can put something else in the place of.
 */

import type { AtOnce } from "../at-once.ts";
import type { Part } from "../gate.ts";
import type { Verdicts } from "../port.ts";
import { getter, isOf } from "./brands.ts";
import { type Call, replace } from "./native.ts";
import { copied, partsOf } from "./parts.ts";

type Realm = Window & typeof globalThis;
const { apply } = Reflect;

export function guardBodies(realm: Realm, isAsked: Verdicts, isPlain: AtOnce): void {
  guardFetch(realm, isAsked);
  guardXhr(realm, isAsked, isPlain);
  replace(realm.Navigator.prototype, "sendBeacon", (native) => (self, args) => {
    if (args.length < 2) {
      return native(self, args);
    }
    const url = args[0];
    const { body, parts } = copied(args[1], "beacon");
    if (arePlain(parts, isPlain)) {
      return native(self, [url, body]);
    }
    void (async () => {
      if (await isAsked(parts, "sent")) {
        native(self, [url, body]);
      }
    })();
    // A beacon's answer is only whether it was queued, and that it is.
    return true;
  });
}

/** Whether all of it is text in which there is nothing to ask about. By index: a page can replace `every`. */
function arePlain(parts: readonly Part[], isPlain: AtOnce): boolean {
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index];
    if (part === undefined || !("text" in part) || !isPlain(part.text)) {
      return false;
    }
  }
  return true;
}

function guardFetch(realm: Realm, isAsked: Verdicts): void {
  const { Request: Asked, TypeError: Failed } = realm;
  const { clone, text, formData, blob } = Asked.prototype;
  const { get } = realm.Headers.prototype;
  const headers = getter(Asked.prototype, "headers");
  // Firefox has none: there every request is read.
  const bodyOf = "body" in Asked.prototype ? getter(Asked.prototype, "body") : undefined;
  replace(realm, "fetch", (native) => (self, args) => {
    const [input, init] = args as [unknown, RequestInit | undefined];
    if (!isOf(headers, input) && (typeof init !== "object" || init === null || (init.body ?? null) === null)) {
      return native(self, args);
    }
    let request: Request;
    try {
      // From here on the body is ours: nothing that the page does to what it passed in changes it.
      request = new Asked(input as RequestInfo, init);
    } catch {
      return native(self, args);
    }
    if (bodyOf !== undefined && apply(bodyOf, request as never, []) === null) {
      return native(self, args);
    }
    return send(request, () => native(self, [request]));
  });

  async function send(request: Request, native: () => unknown): Promise<unknown> {
    const found = await parts(apply(clone, request, []));
    if (found.length > 0 && !(await isAsked(found, "sent"))) {
      throw new Failed("Failed to fetch");
    }
    return native();
  }

  async function parts(request: Request) {
    const type = (apply(get, apply(headers, request as never, []), ["content-type"]) as string | null) ?? "";
    if (/^multipart\/form-data/i.test(type)) {
      return partsOf(await apply(formData, request, []));
    }
    if (/json|^text\/|urlencoded|graphql/i.test(type)) {
      return partsOf(await apply(text, request, []));
    }
    return partsOf(await apply(blob, request, []));
  }
}

function guardXhr(realm: Realm, isAsked: Verdicts, isPlain: AtOnce): void {
  const { prototype } = realm.XMLHttpRequest;
  const { ProgressEvent: Progress, DOMException: Failed } = realm;
  /** Requests that cannot wait, and requests that wait; `abort` and `open` end the waiting. */
  const isSync = new WeakSet<object>();
  const waiting = new WeakMap<object, object>();
  replace(prototype, "open", (native) => (self, args) => {
    const xhr = self as object;
    waiting.delete(xhr);
    isSync.delete(xhr);
    if (args.length > 2 && !args[2]) {
      isSync.add(xhr);
    }
    return native(self, args);
  });
  replace(prototype, "abort", (native) => (self, args) => {
    waiting.delete(self as object);
    return native(self, args);
  });
  replace(prototype, "send", (native: Call) => (self, args) => {
    const xhr = self as XMLHttpRequest;
    const { body, parts } = copied(args[0], "request");
    if (parts.length === 0) {
      return native(self, [body]);
    }
    if (isSync.has(xhr)) {
      if (arePlain(parts, isPlain)) {
        return native(self, [body]);
      }
      throw new Failed("A network error occurred.", "NetworkError");
    }
    const turn = {};
    waiting.set(xhr, turn);
    void (async () => {
      const goesOn = await isAsked(parts, "sent");
      if (waiting.get(xhr) !== turn) {
        return;
      }
      waiting.delete(xhr);
      if (goesOn) {
        native(xhr, [body]);
        return;
      }
      for (const target of [xhr.upload, xhr]) {
        target.dispatchEvent(new Progress("error"));
        target.dispatchEvent(new Progress("loadend"));
      }
    })();
    return undefined;
  });
}
