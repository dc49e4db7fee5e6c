/** Drops and pastes: held with all they carry, and dispatched again, as they were, when they may go on. */

import { isPictureAddress } from "../../domain/guard/body.ts";
import type { Gate } from "./gate.ts";
import { type Inputs, copyOf, fileInputOf } from "./inputs.ts";

export class Transfers {
  readonly #gate: Gate;
  readonly #inputs: Inputs;
  readonly #released = new WeakSet<Event>();

  constructor(gate: Gate, inputs: Inputs) {
    this.#gate = gate;
    this.#inputs = inputs;
  }

  watch(): void {
    window.addEventListener("drop", (event) => this.#onDrop(event), true);
    window.addEventListener("paste", (event) => this.#onPaste(event), true);
  }

  #onDrop(event: DragEvent): void {
    const { dataTransfer } = event;
    if (this.#released.has(event) || dataTransfer === null) {
      return;
    }
    const addresses = addressesIn(dataTransfer);
    if (dataTransfer.files.length === 0 && addresses.length === 0) {
      return;
    }
    event.stopImmediatePropagation();
    event.preventDefault();
    const input = fileInputOf(event);
    if (input !== null && dataTransfer.files.length > 0) {
      void this.#inputs.fill(input, copyOf(dataTransfer.files));
      return;
    }
    const { clientX, clientY, screenX, screenY, ctrlKey, shiftKey, altKey, metaKey } = event;
    const at = { clientX, clientY, screenX, screenY, ctrlKey, shiftKey, altKey, metaKey };
    const again = (copy: DataTransfer) =>
      new DragEvent("drop", { bubbles: true, cancelable: true, composed: true, dataTransfer: copy, ...at });
    const target = event.composedPath()[0] ?? event.target;
    void this.#pass({ transfer: dataTransfer, addresses, target, again, dropped: true });
  }

  #onPaste(event: ClipboardEvent): void {
    const { clipboardData } = event;
    if (this.#released.has(event) || clipboardData === null) {
      return;
    }
    const addresses = addressesIn(clipboardData);
    if (clipboardData.files.length === 0 && addresses.length === 0) {
      return;
    }
    event.stopImmediatePropagation();
    event.preventDefault();
    const again = (copy: DataTransfer) =>
      new ClipboardEvent("paste", { bubbles: true, cancelable: true, composed: true, clipboardData: copy });
    const target = event.composedPath()[0] ?? event.target;
    void this.#pass({ transfer: clipboardData, addresses, target, again, dropped: false });
  }

  async #pass({ transfer, addresses, target, again, dropped }: Held): Promise<void> {
    // The browser empties the original when its event ends.
    const copy = new DataTransfer();
    for (const file of transfer.files) {
      copy.items.add(file);
    }
    for (const type of transfer.types.filter((each) => each !== "Files")) {
      copy.setData(type, transfer.getData(type));
    }
    if (await this.#gate.passes([...copy.files], addresses)) {
      const event = again(copy);
      this.#released.add(event);
      target?.dispatchEvent(event);
    } else if (dropped) {
      // So that the page takes away the frame that it drew for the drop.
      target?.dispatchEvent(new DragEvent("dragleave", { bubbles: true, composed: true }));
    }
  }
}

interface Held {
  readonly transfer: DataTransfer;
  readonly addresses: readonly string[];
  readonly target: EventTarget | null;
  readonly again: (copy: DataTransfer) => Event;
  readonly dropped: boolean;
}

/** Pictures that are dragged or copied by their address, out of another page. */
function addressesIn(transfer: DataTransfer): string[] {
  const html = transfer.getData("text/html");
  const shown = html === "" ? [] : [...new DOMParser().parseFromString(html, "text/html").images].map(({ src }) => src);
  const named = [...transfer.getData("text/uri-list").split(/\r?\n/), transfer.getData("text/plain").trim()];
  return [...new Set([...shown.filter((address) => /^(?:https?|data):/i.test(address)), ...named.filter(isPictureAddress)])];
}
