/**
 * What this page was let have: pictures, each with the words it went on with. In this page's memory only.
 *
 * The same picture with the same words is not asked about twice, however many ways a page sends it. A picture that went
 * on stays with the page: what is asked of it later is checked together with it.
 */

import { bytesOf } from "../bytes.ts";

/** So long a conversation is taken to be about the pictures that it was given. */
const ABOUT_MS = 30 * 60_000;
const MOST = 8;

interface Given {
  readonly picture: Blob;
  readonly digest: string;
  readonly at: number;
}

export class Memory {
  readonly #now: () => number;
  #given: readonly Given[] = [];
  /** Digests of pictures and words that may go on. */
  readonly #allowed = new Set<string>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The pictures that what is written in this page is about, newest last. */
  get pictures(): readonly Blob[] {
    return this.#recent.map(({ picture }) => picture);
  }

  /** Whether these pictures may go on with these words, because they did before. */
  async knows(pictures: readonly Blob[], words: string | null): Promise<boolean> {
    return this.#allowed.has(await keyOf(pictures, words));
  }

  /** They went on. */
  async remember(pictures: readonly Blob[], words: string | null): Promise<void> {
    this.#allowed.add(await keyOf(pictures, words));
    const now = this.#now();
    const given = await Promise.all(pictures.map(async (picture) => ({ picture, digest: await digestOf(picture), at: now })));
    const digests = new Set(given.map(({ digest }) => digest));
    this.#given = [...this.#recent.filter(({ digest }) => !digests.has(digest)), ...given].slice(-MOST);
  }

  /**
   * Whether a file is a piece, from its beginning, of a picture that went on: uploads in parts send such.
   */
  async isPiece(part: Blob): Promise<boolean> {
    const whole = this.#recent.filter(({ picture }) => picture.size >= part.size);
    const digest = await digestOf(part);
    for (const { picture } of whole) {
      if ((await digestOf(picture.slice(0, part.size))) === digest) {
        return true;
      }
    }
    return false;
  }

  get #recent(): readonly Given[] {
    return this.#given.filter(({ at }) => this.#now() - at < ABOUT_MS);
  }
}

async function keyOf(pictures: readonly Blob[], words: string | null): Promise<string> {
  const digests = await Promise.all(pictures.map(digestOf));
  return [...digests.sort(), await digestOf(new Blob([words ?? ""]))].join(" ");
}

async function digestOf(blob: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await bytesOf(blob));
  return String.fromCharCode(...new Uint8Array(digest));
}
