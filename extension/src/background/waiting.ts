/**
 * A question of the guard that comes up in a tab that she does not see: one notification a tab, which leads to it.
 *
 * What she sees she need not be told; what she has been told of once she is not told again until she was there.
 */

import { Failure } from "../failure.ts";
import type { Notification } from "./notifications.ts";
import type { Handlers } from "./router.ts";

const PREFIX = "waiting/";
/** Tabs of which she has been told. */
const KEY = "waiting";

export interface WaitingParts {
  /** Memory that outlives this worker. */
  readonly storage: chrome.storage.StorageArea;
  readonly raise: (notification: Notification) => Promise<void>;
}

export class Waiting {
  readonly #parts: WaitingParts;
  /** Changes of what is remembered come one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: WaitingParts) {
    this.#parts = parts;
  }

  /** Lead to the tab when its notification is pressed, and take it back once she is there. To be called on the worker's first turn. */
  watch(): void {
    chrome.notifications.onClicked.addListener((id) => {
      if (id.startsWith(PREFIX)) {
        void show(Number(id.slice(PREFIX.length)));
      }
    });
    chrome.tabs.onActivated.addListener(({ tabId }) => void this.#over(tabId));
    chrome.tabs.onRemoved.addListener((tabId) => void this.#over(tabId));
  }

  /** The handler of `guard.waits`. */
  handlers(): Handlers {
    return {
      "guard.waits": async ({ isWaiting }, { tabId, url }) => {
        if (tabId === null) {
          throw new Failure("forbidden");
        }
        await (isWaiting ? this.#tell(tabId, url) : this.#over(tabId));
        return {};
      },
    };
  }

  #tell(tabId: number, url: string): Promise<void> {
    return this.#change(async (told) => {
      const page = told.includes(tabId) ? null : await unseen(tabId);
      if (page === null) {
        return told;
      }
      // A frame that the page wrote itself has no host of its own; she knows the tab by the page in it.
      const host = URL.parse(page.url ?? url)?.hostname ?? "";
      await this.#parts.raise({ id: PREFIX + tabId, title: "notice_waiting_title", what: "notice_waiting_what", host });
      return [...told, tabId];
    });
  }

  #over(tabId: number): Promise<void> {
    return this.#change(async (told) => {
      if (!told.includes(tabId)) {
        return told;
      }
      await chrome.notifications.clear(PREFIX + tabId);
      return told.filter((each) => each !== tabId);
    });
  }

  #change(change: (told: readonly number[]) => Promise<readonly number[]>): Promise<void> {
    const next = this.#last.then(async () => {
      const told = ((await this.#parts.storage.get(KEY))[KEY] ?? []) as readonly number[];
      const after = await change(told);
      if (after !== told) {
        await this.#parts.storage.set({ [KEY]: after });
      }
    });
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** The tab, unless it lies open before her. One that is gone has nothing to be told of. */
async function unseen(tabId: number): Promise<chrome.tabs.Tab | null> {
  try {
    const tab = await chrome.tabs.get(tabId);
    const isSeen = tab.active && (await chrome.windows.get(tab.windowId)).state !== "minimized";
    return isSeen ? null : tab;
  } catch {
    return null;
  }
}

async function show(tabId: number): Promise<void> {
  try {
    const tab = await chrome.tabs.update(tabId, { active: true });
    if (tab !== undefined) {
      await chrome.windows.update(tab.windowId, { focused: true });
    }
  } catch {
    // It was closed meanwhile, and its question with it.
  }
}
