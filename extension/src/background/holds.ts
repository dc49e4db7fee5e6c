/**
 * Uploads that wait for her: what she is asked, and what she answered.
 *
 *     upload.check  --open-->  waiting  --upload.release-->  released
 *                                       --upload.cancel--->  cancelled       after a while: ended
 *
 * In `storage.session`: in memory, so nothing of it is on disk, and not lost when the browser ends this worker. Whoever
 * asks what became of a hold that is not there is told `ended`, which lets nothing through.
 */

import type { Answer, Base64, IntentCategory, UnixTime } from "../messages.ts";
import { Failure } from "../failure.ts";

/** She may have to look for her passphrase; after this she would no longer know what was asked. */
const WAITING_S = 600;
const PREFIX = "hold:";
/** Who approved in a tab, for a while: what she then does with her own picture she does herself (law 4). */
const ACTORS = "actors:";
const ACTING_S = 300;
const THUMBNAIL_PX = 240;
const THUMBNAIL_QUALITY = 0.8;

export interface Hold {
  readonly tabId: number;
  readonly thumbnails: readonly Base64[];
  readonly page: string;
  readonly prompt: string | null;
  readonly category: IntentCategory;
  /** Their names, for her to see, and who they are. */
  readonly subjects: readonly string[];
  readonly subjectIds: readonly string[];
  readonly endsAt: UnixTime;
  readonly state: "waiting" | "released" | "cancelled";
}

interface Acting {
  readonly origin: string;
  readonly subjects: readonly string[];
  readonly until: UnixTime;
}

export class Holds {
  readonly #storage: chrome.storage.StorageArea;
  readonly #now: () => UnixTime;

  constructor(storage: chrome.storage.StorageArea, now: () => UnixTime) {
    this.#storage = storage;
    this.#now = now;
  }

  /** @returns The id under which it waits. */
  async open(asked: Omit<Hold, "endsAt" | "state">): Promise<string> {
    const id = crypto.randomUUID();
    const hold: Hold = { ...asked, endsAt: this.#now() + WAITING_S, state: "waiting" };
    await this.#storage.set({ [PREFIX + id]: hold });
    return id;
  }

  /**
   * The hold, while it waits.
   *
   * @throws {Failure} `not_found`, if it is settled, ended, or never was.
   */
  async waiting(id: string): Promise<Hold> {
    const hold = await this.#read(id);
    if (hold?.state !== "waiting") {
      throw new Failure("not_found");
    }
    return hold;
  }

  /** Her answer. @throws {Failure} `not_found`, as for `waiting`: an answer is never changed. */
  async settle(id: string, state: "released" | "cancelled"): Promise<void> {
    const hold = await this.waiting(id);
    // What she saw is not needed any more; that it was answered is, until the guard has read it.
    await this.#storage.set({ [PREFIX + id]: { ...hold, thumbnails: [], prompt: null, page: "", subjects: [], subjectIds: [], state } });
    if (state === "released") {
      const acting: Acting = { origin: originOf(hold.page), subjects: hold.subjectIds, until: this.#now() + ACTING_S };
      await this.#storage.set({ [ACTORS + hold.tabId]: acting });
    }
  }

  /** Who has approved on this site in this tab within the last minutes. */
  async actors(tabId: number | null, page: string): Promise<ReadonlySet<string>> {
    const key = `${ACTORS}${tabId}`;
    const acting = (await this.#storage.get(key))[key] as Acting | undefined;
    const isActing = acting !== undefined && acting.until > this.#now() && acting.origin === originOf(page);
    return new Set(isActing ? acting.subjects : []);
  }

  /** What became of it, told to its own tab only. */
  async outcome(id: string, tabId: number | null): Promise<Answer<"upload.outcome">> {
    const hold = await this.#read(id);
    return { state: hold === null || hold.tabId !== tabId ? "ended" : hold.state };
  }

  /** Forget what has ended. */
  async sweep(): Promise<void> {
    const all = await this.#storage.get(null);
    const ended = Object.entries(all as Record<string, Partial<Hold & Acting>>).filter(
      ([key, { endsAt, until }]) => (key.startsWith(PREFIX) || key.startsWith(ACTORS)) && (endsAt ?? until ?? 0) <= this.#now(),
    );
    await this.#storage.remove(ended.map(([key]) => key));
  }

  async #read(id: string): Promise<Hold | null> {
    const key = PREFIX + id;
    const hold = (await this.#storage.get(key))[key] as Hold | undefined;
    return hold === undefined || hold.endsAt <= this.#now() ? null : hold;
  }
}

function originOf(page: string): string {
  return URL.parse(page)?.origin ?? "";
}

/** A small copy, so that she sees what is asked about. Empty if the browser cannot read it. */
export async function thumbnail(picture: Blob): Promise<Blob | null> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(picture);
  } catch {
    return null;
  }
  const scale = Math.min(1, THUMBNAIL_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.ceil(bitmap.width * scale), Math.ceil(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality: THUMBNAIL_QUALITY });
}
