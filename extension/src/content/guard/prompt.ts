/** What stands in the page's prompt box, read together with the picture. */

import known from "../../sites/prompt-boxes.json" with { type: "json" };
import { shadowOf } from "../roots.ts";

const ANY_BOX = 'textarea, [contenteditable=""], [contenteditable="true"], [contenteditable="plaintext-only"], [role="textbox"]';
const MAX_CHARACTERS = 8000;
/** Boxes that she wrote in, the last one last: they may lie in shadow roots where no search finds them. */
const edited: Element[] = [];
const MAX_EDITED = 5;

/** Remember boxes as she writes in them. To be called once, before the page's scripts. */
export function watchPromptBoxes(): void {
  window.addEventListener(
    "input",
    (event) => {
      const [box] = event.composedPath();
      const inner = box instanceof Element ? (shadowOf(box)?.activeElement ?? box) : null;
      if (inner !== null && textOf(inner) !== null) {
        edited.splice(0, edited.length, ...edited.filter((other) => other !== inner && other.isConnected), inner);
        edited.splice(0, edited.length - MAX_EDITED);
      }
    },
    { capture: true, passive: true },
  );
}

/** The text of the page's visible prompt boxes, or null if there is none. */
export function promptInPage(): string | null {
  const boxes = new Set([...edited.filter((box) => box.isConnected), ...boxesHere()]);
  const texts = [...boxes].filter(isShown).map((box) => textOf(box)?.trim() ?? "");
  const words = [...new Set(texts)].filter((text) => text !== "").join("\n");
  return words === "" ? null : words.slice(0, MAX_CHARACTERS);
}

function boxesHere(): readonly Element[] {
  const [, selectors] =
    Object.entries(known.boxes).find(([host]) => location.hostname === host || location.hostname.endsWith(`.${host}`)) ?? [];
  for (const selector of selectors ?? []) {
    const boxes = [...document.querySelectorAll(selector)].filter(isShown);
    if (boxes.length > 0) {
      return boxes;
    }
  }
  return [...document.querySelectorAll(ANY_BOX)];
}

function isShown(element: Element): boolean {
  return element.checkVisibility();
}

function textOf(box: Element): string | null {
  if (box instanceof HTMLTextAreaElement) {
    return box.value;
  }
  if (box instanceof HTMLInputElement) {
    return ["text", "search"].includes(box.type) ? box.value : null;
  }
  if (box instanceof HTMLElement && (box.isContentEditable || box.role === "textbox")) {
    return box.innerText;
  }
  return null;
}
