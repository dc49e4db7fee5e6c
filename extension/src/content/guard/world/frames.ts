/**
 * Frames that a page makes and uses in the same breath: an empty frame has a `fetch` of its own, and no script of ours
 * has run in it yet. It is guarded when the page first reaches for its window.
 */

import { type Call, replace, replaceGetter } from "./native.ts";

type Realm = Window & typeof globalThis;

export function guardFrames(realm: Realm, guard: (inner: Realm) => void): void {
  const known = new WeakSet<object>();
  const guarded = (inner: unknown): unknown => {
    if (isOurs(inner) && !known.has(inner)) {
      known.add(inner);
      guard(inner);
    }
    return inner;
  };
  const viaWindow = (native: Call): Call => (self, args) => guarded(native(self, args));
  const viaDocument = (native: Call): Call => (self, args) => {
    const document = native(self, args) as Document | null;
    guarded(document?.defaultView ?? null);
    return document;
  };
  for (const owner of [realm.HTMLIFrameElement, realm.HTMLFrameElement, realm.HTMLObjectElement]) {
    replaceGetter(owner?.prototype, "contentWindow", viaWindow);
    replaceGetter(owner?.prototype, "contentDocument", viaDocument);
  }
  replace(realm, "open", viaWindow);
}

/** Whether it is a window of the page's own origin, which alone the page could use. */
function isOurs(inner: unknown): inner is Realm {
  try {
    return typeof inner === "object" && inner !== null && typeof (inner as Realm).fetch === "function";
  } catch {
    // A SecurityError: a window of another origin.
    return false;
  }
}
