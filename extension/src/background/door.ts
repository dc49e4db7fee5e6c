/**
 * The door of a tab, shut while its guard holds a picture: nothing with a body leaves the tab then.
 *
 * The guard stops a page's script where it can; a worker, a form, a beacon or an empty frame's own `fetch` it cannot all
 * stop. A rule of the browser can, for as long as it is there. Rules live in the session; which guard holds what is kept
 * beside them, so that a worker that was ended in between finds both again.
 */

import { LINE } from "../messages.ts";

const KEY = "door";
const RULES_PER_TAB = 4;
/** Rules are numbered up to 2^31, and so are tabs. */
const MAX_TABS = 500_000_000;
/** A hold that is older was left behind by a page that went without a word. */
const MAX_HOLD_MS = 15 * 60_000;

/** Tab -> hold -> since when, milliseconds. */
type Held = Record<string, Record<string, number>>;

export class Door {
  /** Changes come one after the other: two at once would overwrite each other. */
  #last: Promise<unknown> = Promise.resolve();

  /** Shut the tab's door for one hold more. When this resolves the rule is in force. */
  shut(tabId: number, hold: string, page: string): Promise<void> {
    return this.#change(async (held) => {
      held[tabId] = { ...held[tabId], [hold]: Date.now() };
      await chrome.declarativeNetRequest.updateSessionRules({
        removeRuleIds: ruleIds(tabId),
        addRules: rules(tabId, URL.parse(page)?.hostname ?? null),
      });
    });
  }

  /** One hold less. Resolves to whether others still keep the door shut. */
  open(tabId: number, hold: string): Promise<boolean> {
    return this.#change(async (held) => {
      delete held[tabId]?.[hold];
      return this.#tidy(held, tabId);
    });
  }

  /** The tab shows another page, or is closed: nothing is held any more. */
  leave(tabId: number): Promise<void> {
    return this.#change(async (held) => {
      if (held[tabId] !== undefined) {
        held[tabId] = {};
        await this.#tidy(held, tabId);
      }
    });
  }

  /** Listen for tabs that go, and sweep out what was left behind. To be called when the worker starts. */
  watch(): void {
    chrome.tabs.onRemoved.addListener((tabId) => void this.leave(tabId));
    // A frame that held something may be thrown out of its page, and says nothing then; its line breaks.
    chrome.runtime.onConnect.addListener((line) => {
      const tabId = line.sender?.tab?.id;
      if (line.name.startsWith(LINE) && tabId !== undefined) {
        line.onDisconnect.addListener(() => void this.open(tabId, line.name.slice(LINE.length)));
      }
    });
    void this.#change(async (held) => {
      for (const [tabId, holds] of Object.entries(held)) {
        held[tabId] = Object.fromEntries(Object.entries(holds).filter(([, since]) => Date.now() - since < MAX_HOLD_MS));
        await this.#tidy(held, Number(tabId));
      }
    });
  }

  async #tidy(held: Held, tabId: number): Promise<boolean> {
    const isShut = Object.keys(held[tabId] ?? {}).length > 0;
    if (!isShut) {
      delete held[tabId];
      await chrome.declarativeNetRequest.updateSessionRules({ removeRuleIds: ruleIds(tabId) });
    }
    return isShut;
  }

  #change<T>(change: (held: Held) => Promise<T>): Promise<T> {
    const next = this.#last.then(async () => {
      const held = ((await chrome.storage.session.get(KEY))[KEY] ?? {}) as Held;
      const result = await change(held);
      await chrome.storage.session.set({ [KEY]: held });
      return result;
    });
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** With a body, by any means: a page's own script, a frame, a worker, a beacon, a form. */
const METHODS = ["post", "put", "patch"];
/** Channels that are opened once and then carry anything. Those that are open already the guard itself watches. */
const CHANNELS = BROWSER === "firefox" ? ["websocket"] : ["websocket", "webtransport"];

function rules(tabId: number, host: string | null): chrome.declarativeNetRequest.Rule[] {
  const tabIds = [tabId];
  const conditions: unknown[] = [
    // Without types a rule is about everything but whole pages.
    { tabIds, requestMethods: METHODS },
    { tabIds, requestMethods: METHODS, resourceTypes: ["main_frame"] },
    { tabIds, resourceTypes: CHANNELS },
  ];
  if (host !== null) {
    // Shared workers and service workers belong to no tab.
    conditions.push({ tabIds: [chrome.tabs.TAB_ID_NONE], initiatorDomains: [host], requestMethods: METHODS });
  }
  const ids = ruleIds(tabId);
  // The types of the API are enums, whose values are these words.
  return conditions.map((condition, index) => ({
    id: ids[index],
    action: { type: "block" },
    condition,
  })) as chrome.declarativeNetRequest.Rule[];
}

function ruleIds(tabId: number): number[] {
  const first = (tabId % MAX_TABS) * RULES_PER_TAB + 1;
  return Array.from({ length: RULES_PER_TAB }, (_, index) => first + index);
}
