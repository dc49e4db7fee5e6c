/** A panel with nothing in it: why, and what would change that. */

import { make, symbol } from "../dom.ts";
import { codeOf, wrong } from "../secret.ts";
import { type Key, word } from "../text.ts";

/** Why the companion's answer is not there. That none is paired, and that it was paired long ago, is no failure. */
export function unavailable(error: unknown): HTMLElement {
  const code = codeOf(error);
  if (code === "companion_not_paired") {
    return empty("companion_none", "companion_none_hint");
  }
  if (code === "forbidden") {
    return empty("companion_old", "companion_old_hint");
  }
  return make("p", { class: "wrong" }, wrong(error));
}

export function empty(title: Key, hint: Key): HTMLElement {
  return make("div", { class: "card empty" }, symbol("inbox"), make("h2", {}, word(title)), make("p", {}, word(hint)));
}
