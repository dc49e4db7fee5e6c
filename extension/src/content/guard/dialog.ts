/**
 * What the guard says to her, one thing at a time: a modal dialog in a closed shadow root, in the browser's top layer.
 * The browser keeps the focus in it and everything else inert; Escape is always "do not upload".
 */

import { type Key, word } from "../../pages/text.ts";
import { Layer, drawn, pressable } from "../layer.ts";

const CSS = `
  dialog { pointer-events: auto; width: min(27rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem); overflow: auto; padding: 1.4em 1.5em; margin: auto;
    border: 1px solid var(--line); border-radius: 20px; background: var(--card); box-shadow: 0 18px 60px -18px rgb(0 0 0 / 55%); }
  dialog::backdrop { background: rgb(10 14 16 / 55%); }
  .why { border-radius: 12px; padding: .7em .9em; background: var(--ask-soft); color: var(--ink); }
  .refused .why { background: var(--bad-soft); }
  .mark { float: inline-end; color: var(--soft); font-size: .85em; }
  .bar { height: 3px; border-radius: 2px; background: var(--sunk); overflow: hidden; margin: .8em 0; }
  .bar::after { content: ""; display: block; height: 100%; width: 35%; background: var(--accent); border-radius: 2px; }
  @media (prefers-reduced-motion: no-preference) {
    dialog[open] { animation: come .16s ease-out; } @keyframes come { from { opacity: 0; transform: translateY(8px); } }
    .bar::after { animation: pass 1.4s ease-in-out infinite; } @keyframes pass { from { margin-inline-start: -35%; } to { margin-inline-start: 100%; } }
  }
`;

export interface Matter<T extends string> {
  readonly look: "plain" | "refused";
  readonly title: Key;
  /** Paragraphs; the first says why. */
  readonly text: readonly string[];
  /** What she may answer besides "do not upload"; the first gets the focus. */
  readonly choices: readonly { readonly answer: T; readonly words: Key }[];
  /** What she may do that is no answer: the dialog stays. */
  readonly offers?: readonly { readonly words: Key; readonly does: () => void }[];
  readonly isWorking?: boolean;
}

/** A matter that is on the screen until she chooses, or `withdraw`. */
export interface Shown<T extends string> {
  readonly chosen: Promise<T | "cancel">;
  /** Answer in her place. */
  end(answer: T | "cancel"): void;
}

let layer: Layer | undefined;

/** Show a matter, over whatever is shown already. */
export function show<T extends string>(matter: Matter<T>): Shown<T> {
  layer ??= new Layer(CSS);
  layer.attach();
  const before = document.activeElement;
  const dialog = drawn("dialog", { class: `words ${matter.look}`, "aria-labelledby": "title", "aria-describedby": "text" });
  const { promise: chosen, resolve: end } = Promise.withResolvers<T | "cancel">();
  const actions = drawn("div", { class: "actions" });
  for (const { answer, words } of matter.choices) {
    actions.append(pressable(word(words), actions.childElementCount === 0 ? "" : "quiet", () => end(answer)));
  }
  for (const { words, does } of matter.offers ?? []) {
    actions.append(pressable(word(words), "quiet", does));
  }
  const cancel = pressable(word("guard_cancel"), matter.choices.length === 0 ? "" : "quiet", () => end("cancel"));
  if (matter.choices.length === 0) {
    actions.prepend(cancel);
  } else {
    actions.append(cancel);
  }
  actions.querySelector("button")?.setAttribute("autofocus", "");
  dialog.append(
    drawn("span", { class: "mark", "aria-hidden": "true" }, word("name")),
    drawn("h2", { id: "title" }, word(matter.title)),
    drawn("div", { id: "text" }, ...matter.text.map((text, index) => drawn("p", { class: index === 0 ? "why" : "" }, text))),
    ...(matter.isWorking === true ? [drawn("div", { class: "bar", "aria-hidden": "true" })] : []),
    actions,
  );
  // The browser closes a dialog on a second Escape whatever `cancel` says, so closing itself is the answer.
  dialog.addEventListener("close", () => end("cancel"));
  // What she types here is not for the page.
  for (const type of ["keydown", "keyup", "keypress"]) {
    dialog.addEventListener(type, (event) => event.stopPropagation());
  }
  layer.root.append(dialog);
  dialog.showModal();
  void chosen.then(() => {
    dialog.remove();
    if (before instanceof HTMLElement && before.isConnected) {
      before.focus();
    }
  });
  return { chosen, end };
}
