/**
 * Questions of the guard that come up in a tab that she does not see: one notification a tab, which leads there.
 *
 * What she sees she need not be told; what she has been told of once she is not told again until she was there.
 */

import { Failure } from "../failure.ts";
import { QUESTION_LINE } from "../messages.ts";
import type { Notification } from "./notifications.ts";
import type { Handlers } from "./router.ts";

const PREFIX = "waiting/";
const KEY = "waiting";

/** Tab of which she has been told -> the questions that wait behind its notification. Frames of one tab ask each for itself. */
type Told = Readonly<Record<string, readonly string[]>>;

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
        void this.#lead(Number(id.slice(PREFIX.length)));
      }
    });
    chrome.tabs.onActivated.addListener(({ tabId }) => void this.leave(tabId));
    // A window that was minimised has its active tab already.
    chrome.windows.onFocusChanged.addListener((windowId) => void this.#comeTo(windowId));
    chrome.tabs.onRemoved.addListener((tabId) => void this.leave(tabId));
    // A document that goes takes its question along, and says nothing; its line breaks.
    chrome.runtime.onConnect.addListener((line) => {
      const tabId = line.sender?.tab?.id;
      if (line.name.startsWith(QUESTION_LINE) && tabId !== undefined) {
        line.onDisconnect.addListener(() => void this.#over(tabId, line.name.slice(QUESTION_LINE.length)));
      }
    });
  }

  /** She is in the tab, or it shows another page, or is closed: nothing there waits unseen. */
  leave(tabId: number): Promise<void> {
    return this.#change(async (told) => {
      if (told[tabId] === undefined) {
        return told;
      }
      await chrome.notifications.clear(PREFIX + tabId);
      return without(told, tabId);
    });
  }

  /** The handler of `guard.waits`. */
  handlers(): Handlers {
    return {
      "guard.waits": async ({ id, isWaiting }, { tabId, url }) => {
        if (tabId === null) {
          throw new Failure("forbidden");
        }
        await (isWaiting ? this.#tell(tabId, id, url) : this.#over(tabId, id));
        return {};
      },
    };
  }

  #tell(tabId: number, question: string, url: string): Promise<void> {
    return this.#change(async (told) => {
      const tab = await unseen(tabId);
      if (tab === null) {
        return told;
      }
      const questions = told[tabId];
      if (questions === undefined) {
        await this.#parts.raise({ id: PREFIX + tabId, title: "notice_waiting_title", ...where(tab, url) });
      }
      return { ...told, [tabId]: [...(questions ?? []), question] };
    });
  }

  /** One question less. The notification goes with the last. */
  #over(tabId: number, question: string): Promise<void> {
    return this.#change(async (told) => {
      const questions = told[tabId];
      if (questions?.includes(question) !== true) {
        return told;
      }
      const others = questions.filter((each) => each !== question);
      if (others.length > 0) {
        return { ...told, [tabId]: others };
      }
      await chrome.notifications.clear(PREFIX + tabId);
      return without(told, tabId);
    });
  }

  async #lead(tabId: number): Promise<void> {
    await show(tabId);
    // Nothing may tell of it: the tab was the active one of a minimised window, or is gone.
    await this.leave(tabId);
  }

  async #comeTo(windowId: number): Promise<void> {
    if (windowId === chrome.windows.WINDOW_ID_NONE) {
      return;
    }
    const [tab] = await chrome.tabs.query({ active: true, windowId });
    if (tab?.id !== undefined) {
      await this.leave(tab.id);
    }
  }

  #change(change: (told: Told) => Promise<Told>): Promise<void> {
    const next = this.#last.then(async () => {
      const told = ((await this.#parts.storage.get(KEY))[KEY] ?? {}) as Told;
      const after = await change(told);
      if (after !== told) {
        await this.#parts.storage.set({ [KEY]: after });
      }
    });
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** The system keeps what it was shown, also when a private window is gone: the host of one is not named. */
function where(tab: chrome.tabs.Tab, url: string): Pick<Notification, "what" | "host"> {
  // A frame that the page wrote itself has no host of its own; she knows the tab by the page in it.
  const host = tab.incognito ? "" : (URL.parse(tab.url ?? url)?.hostname ?? "");
  return { what: host === "" ? "notice_waiting_unnamed" : "notice_waiting_what", host };
}

function without(told: Told, tabId: number): Told {
  return Object.fromEntries(Object.entries(told).filter(([each]) => each !== String(tabId)));
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
