/** Two fields for a new passphrase: how strong it is, one to take, and whether both say the same. */

import { MIN_CHARACTERS, strengthOf, suggestPassphrase } from "../domain/passphrase.ts";
import { part, say } from "./dom.ts";
import { type Key, number, word } from "./text.ts";

const STRENGTHS: readonly Key[] = ["strength_0", "strength_1", "strength_2", "strength_3", "strength_4"];

export class NewPassphrase {
  readonly #first: HTMLInputElement;
  readonly #again: HTMLInputElement;
  readonly #meter: HTMLElement;
  readonly #words: HTMLElement;

  constructor(ids: { readonly first: string; readonly again: string; readonly meter: string; readonly words: string }) {
    this.#first = part(ids.first);
    this.#again = part(ids.again);
    this.#meter = part(ids.meter);
    this.#words = part(ids.words);
    this.#first.addEventListener("input", () => this.#rate());
  }

  /** Put a strong one into both fields, readable, so that she can write it down. */
  suggest(): void {
    const made = suggestPassphrase();
    for (const field of [this.#first, this.#again]) {
      field.value = made;
      field.type = "text";
    }
    this.#rate();
    this.#first.select();
  }

  /** The passphrase, or null after saying what is wrong with it. */
  read(status: HTMLElement): string | null {
    if ([...this.#first.value.normalize("NFKC")].length < MIN_CHARACTERS) {
      return this.#refuse(status, this.#first, word("error_passphrase_too_short"));
    }
    if (this.#first.value !== this.#again.value) {
      return this.#refuse(status, this.#again, word("passphrase_differs"));
    }
    return this.#first.value;
  }

  clear(): void {
    for (const field of [this.#first, this.#again]) {
      field.value = "";
      field.type = "password";
    }
    this.#meter.dataset["level"] = "0";
    say(this.#words, "");
  }

  #refuse(status: HTMLElement, field: HTMLInputElement, words: string): null {
    say(status, words, "bad");
    field.setAttribute("aria-invalid", "true");
    field.addEventListener("input", () => field.removeAttribute("aria-invalid"), { once: true });
    field.focus();
    return null;
  }

  #rate(): void {
    const strength = strengthOf(this.#first.value);
    this.#meter.dataset["level"] = String(strength);
    const key = STRENGTHS[strength];
    if (key !== undefined) {
      say(this.#words, this.#first.value === "" ? "" : word(key, number(MIN_CHARACTERS)));
    }
  }
}
