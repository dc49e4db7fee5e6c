/** Every way into the page comes through here: what is it, may it go on, and if so with what is it remembered. */

import { AskFailed, ask } from "../../ask.ts";
import { contentsOf } from "../../domain/guard/body.ts";
import { HEAD_BYTES, embedded, isPicture } from "../../domain/guard/sniff.ts";
import { fromBase64 } from "../../domain/base64.ts";
import { bytesOf } from "../bytes.ts";
import { hold, triesAgain } from "./hold.ts";
import { Memory } from "./memory.ts";
import { promptInPage } from "./prompt.ts";

/** One piece of what a page is about to send, as the page's side hands it over. */
export type Part =
  | { readonly blob: Blob }
  /** A field of a form, or a whole body that is text. */
  | { readonly text: string };

interface Entering {
  readonly files: readonly Blob[];
  readonly addresses: readonly string[];
  /** What is asked of them, if it comes along; else what stands in the page's prompt box. */
  readonly words: string | null;
}

/** Text this long is looked through for pictures and words; what is longer counts as binary. */
const MAX_TEXT_BYTES = 60_000_000;

export class Gate {
  readonly #memory = new Memory();
  readonly #isOn: () => Promise<boolean>;

  /** @param isOn Whether she has the guard on for this site; nothing passes before that is known. */
  constructor(isOn: () => Promise<boolean>) {
    this.#isOn = isOn;
  }

  /** Files that she gives to the page. */
  async passes(files: readonly Blob[], addresses: readonly string[] = []): Promise<boolean> {
    return this.#enters({ files, addresses, words: null });
  }

  /** Files and words that a page sends away. */
  async sends(parts: readonly Part[]): Promise<boolean> {
    if (!(await this.#isOn())) {
      return true;
    }
    const files: Blob[] = [];
    const words: string[] = [];
    const addresses: string[] = [];
    for (const part of parts) {
      const text = "text" in part ? part.text : await textOf(part.blob);
      if (text !== null) {
        const contents = contentsOf(text);
        files.push(...contents.pictures.map((bytes) => new Blob([bytes])));
        words.push(...contents.words);
        // Pages report on themselves and name their own pictures; what is asked of a picture comes with words.
        addresses.push(...(contents.words.length > 0 ? contents.addresses : []));
      } else if ("blob" in part) {
        files.push(part.blob, ...(await picturesInside(part.blob)));
      }
    }
    return this.#enters({ files, addresses, words: words.length === 0 ? null : words.join("\n") });
  }

  async #enters(what: Entering): Promise<boolean> {
    if (!(await this.#isOn())) {
      return true;
    }
    for (;;) {
      try {
        return await this.#decide(what);
      } catch (error) {
        // A file that vanished from the disk, a picture that no memory holds, a fault of ours: whatever it is, she is asked.
        console.error("an upload could not be checked", error instanceof Error ? error.name : typeof error);
        if (!(await triesAgain())) {
          return false;
        }
      }
    }
  }

  async #decide(what: Entering): Promise<boolean> {
    const pictures: Blob[] = [];
    for (const file of what.files) {
      if (isPicture(await headOf(file)) && !(await this.#isKnownPiece(file))) {
        pictures.push(file);
      }
    }
    for (const address of what.addresses) {
      const picture = await fetched(address);
      // A page names its own copy of what it was given before, on hosts of its own; that picture is remembered here.
      if (picture !== null ? isPicture(await headOf(picture)) : this.#memory.pictures.length === 0) {
        pictures.push(picture ?? UNREADABLE);
      }
    }
    const about = pictures.length > 0 ? pictures : this.#memory.pictures;
    if (pictures.length === 0 && what.words === null) {
      return true;
    }
    if (about.length === 0 && !(await concernsHer(what.words))) {
      return true;
    }
    const words = what.words ?? promptInPage();
    if (await this.#memory.knows(about, words)) {
      return true;
    }
    const goesOn = await hold(about, words);
    if (goesOn) {
      await this.#memory.remember(about, words);
    }
    return goesOn;
  }

  /** A part of a picture that went on, cut off somewhere: as a file of its own nobody could read it. */
  async #isKnownPiece(file: Blob): Promise<boolean> {
    return !this.#memory.pictures.some(({ size }) => size === file.size) && this.#memory.isPiece(file);
  }
}

/** Whether words without a picture name her. If that cannot be learned, she is asked (`#enters`). */
async function concernsHer(words: string | null): Promise<boolean> {
  return words !== null && (await ask("words.concern", { words })).concerns;
}

async function headOf(file: Blob): Promise<Uint8Array> {
  return bytesOf(file.slice(0, HEAD_BYTES));
}

/** The file as text if it is one, else null. */
async function textOf(file: Blob): Promise<string | null> {
  if (file.size > MAX_TEXT_BYTES || isPicture(await headOf(file))) {
    return null;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await bytesOf(file));
  } catch {
    return null;
  }
}

/** Pictures in a body of some other binary format. What only looks like one by chance cannot be decoded, and is not one. */
async function picturesInside(file: Blob): Promise<Blob[]> {
  if (isPicture(await headOf(file))) {
    return [];
  }
  const found = [];
  for (const at of embedded(await bytesOf(file))) {
    const candidate = file.slice(at);
    try {
      (await createImageBitmap(candidate)).close();
      found.push(candidate);
    } catch {
      continue;
    }
  }
  return found;
}

/** A picture that is named by its address, or null if it cannot be had. */
async function fetched(address: string): Promise<Blob | null> {
  try {
    if (address.startsWith("data:")) {
      return await (await fetch(address)).blob();
    }
    return new Blob([fromBase64((await ask("guard.fetch", { url: address })).bytes)]);
  } catch (error) {
    if (error instanceof AskFailed || error instanceof TypeError) {
      return null;
    }
    throw error;
  }
}

/** The beginning of a picture and nothing more: no decoder takes it, so the check says that it cannot be read. */
const UNREADABLE = new Blob([Uint8Array.of(0xff, 0xd8, 0xff)]);
