/**
 * File inputs and forms: the choice is held before the page's scripts run, and the input stands empty meanwhile.
 *
 * `input` events cross shadow roots, `change` events do not: at the first `input` from a root, that root is listened to.
 */

import { shadowOf } from "../roots.ts";
import type { Gate } from "./gate.ts";

/** Shadow roots in shadow roots, so deep and no deeper. */
const MAX_DEPTH = 16;

export class Inputs {
  readonly #gate: Gate;
  /** Events that we send ourselves, for what may go on. */
  readonly #released = new WeakSet<Event>();
  readonly #held = new WeakSet<HTMLInputElement>();
  readonly #roots = new WeakSet<Node>();

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  watch(): void {
    window.addEventListener("input", this.#onChoice, true);
    window.addEventListener("change", this.#onChoice, true);
  }

  /** Put files into an input that she gave them to, once they may go on. */
  async fill(input: HTMLInputElement, files: FileList): Promise<void> {
    this.#held.add(input);
    try {
      if (await this.#gate.passes([...files])) {
        input.files = files;
        for (const type of ["input", "change"]) {
          const event = new Event(type, { bubbles: true, composed: type === "input" });
          this.#released.add(event);
          input.dispatchEvent(event);
        }
      }
    } finally {
      this.#held.delete(input);
    }
  }

  readonly #onChoice = (event: Event): void => {
    if (this.#released.has(event)) {
      return;
    }
    const input = fileInputOf(event);
    if (input === null) {
      return;
    }
    this.#listenTo(input.getRootNode());
    if (this.#held.has(input)) {
      event.stopImmediatePropagation();
      return;
    }
    if (input.files === null || input.files.length === 0) {
      return;
    }
    event.stopImmediatePropagation();
    const files = copyOf(input.files);
    input.value = "";
    void this.fill(input, files);
  };

  #listenTo(root: Node): void {
    if (root !== document && !this.#roots.has(root)) {
      this.#roots.add(root);
      root.addEventListener("input", this.#onChoice, true);
      root.addEventListener("change", this.#onChoice, true);
    }
  }
}

/** A list with the same files: the input's own empties with it. */
export function copyOf(files: Iterable<File>): FileList {
  const transfer = new DataTransfer();
  for (const file of files) {
    transfer.items.add(file);
  }
  return transfer.files;
}

/** The file input that an event is about, through open and closed shadow roots. */
export function fileInputOf(event: Event): HTMLInputElement | null {
  const [target] = event.composedPath();
  return target instanceof Element ? inside(target, 0) : null;
}

function inside(element: Element, depth: number): HTMLInputElement | null {
  if (element instanceof HTMLInputElement) {
    return element.type === "file" ? element : null;
  }
  const root = shadowOf(element);
  if (root === null || depth > MAX_DEPTH) {
    return null;
  }
  // The event names the outermost host only; the input that was chosen in is the one that has files.
  for (const inner of root.querySelectorAll("*")) {
    if (inner instanceof HTMLInputElement ? inner.type === "file" && inner.files?.length : shadowOf(inner) !== null) {
      const found = inside(inner, depth + 1);
      if (found !== null) {
        return found;
      }
    }
  }
  return null;
}
