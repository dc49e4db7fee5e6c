/**
 * What is known of pictures that were looked at, so that each is looked at once: by content, and by address to save the
 * download.
 *
 * Memory only, and no longer than this worker lives; neither addresses nor digests are kept, only digests under a secret
 * of this worker, so that nothing here says what she looked at. A companion's locked vault, a new face or a deleted
 * one empties it.
 */

import { toBase64 } from "../domain/base64.ts";

const MAX_ENTRIES = 4000;

export class SeenPictures<Outcome> {
  readonly #outcomes = new Map<string, Outcome>();
  readonly #running = new Map<string, Promise<Outcome>>();
  readonly #salt = crypto.getRandomValues(new Uint8Array(32));
  #age = 0;

  /**
   * What is known of `subject`, else what `look` finds. Two questions at once look once.
   *
   * @param isLasting Whether an outcome may be answered again; a passing failure may not.
  */
  async once(
    subject: string | ArrayBuffer,
    look: () => Promise<Outcome>,
    isLasting: (outcome: Outcome) => boolean,
  ): Promise<Outcome> {
    const age = this.#age;
    const key = `${age}:${await this.#key(subject)}`;
    const known = this.#outcomes.get(key) ?? this.#running.get(key);
    if (known !== undefined) {
      return known;
    }
    const running = look();
    this.#running.set(key, running);
    try {
      const outcome = await running;
      if (isLasting(outcome) && age === this.#age) {
        this.#keep(key, outcome);
      }
      return outcome;
    } finally {
      this.#running.delete(key);
    }
  }

  /** Everything is looked at anew. */
  clear(): void {
    this.#age += 1;
    this.#outcomes.clear();
  }

  #keep(key: string, outcome: Outcome): void {
    this.#outcomes.set(key, outcome);
    const [oldest] = this.#outcomes.keys();
    if (this.#outcomes.size > MAX_ENTRIES && oldest !== undefined) {
      this.#outcomes.delete(oldest);
    }
  }

  async #key(subject: string | ArrayBuffer): Promise<string> {
    const bytes = typeof subject === "string" ? new TextEncoder().encode(subject) : new Uint8Array(subject);
    const kind = typeof subject === "string" ? 0 : 1;
    const data = await new Blob([this.#salt, Uint8Array.of(kind), bytes]).arrayBuffer();
    return toBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", data)));
  }
}
