/** Questions in tabs that she does not see: a notification stands as long as one of them does, and names no private host. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import type { Notification } from "../src/background/notifications.ts";
import { Waiting } from "../src/background/waiting.ts";
import { QUESTION_LINE } from "../src/messages.ts";

const TAB = 7;
const MINIMISED = 2;
const URL_OF_TAB = "https://grok.com/chat";

/** An event of the browser that a test lets happen. */
class Happening<T extends unknown[]> {
  #listeners: ((...values: T) => unknown)[] = [];
  addListener(listener: (...values: T) => unknown): void {
    this.#listeners.push(listener);
  }
  dispatch(...values: T): void {
    this.#listeners.forEach((listener) => listener(...values));
  }
}

let pressed: Happening<[string]>;
let focused: Happening<[number]>;
let connected: Happening<[unknown]>;
let tab: { id: number; active: boolean; windowId: number; url: string; incognito: boolean };
let raised: Notification[];
let shown: Set<string>;
let waiting: Waiting;

beforeEach(() => {
  tab = { id: TAB, active: false, windowId: 1, url: URL_OF_TAB, incognito: false };
  raised = [];
  shown = new Set();
  pressed = new Happening();
  focused = new Happening();
  connected = new Happening();
  const stored = new Map<string, unknown>();
  const storage = {
    get: async (key: string) => ({ [key]: stored.get(key) }),
    set: async (values: object) => Object.entries(values).forEach(([key, value]) => stored.set(key, value)),
  };
  Object.assign(globalThis, {
    chrome: {
      notifications: { onClicked: pressed, clear: async (id: string) => shown.delete(id) },
      runtime: { onConnect: connected },
      tabs: {
        onActivated: new Happening(),
        onRemoved: new Happening(),
        get: async () => tab,
        update: async () => tab,
        query: async ({ windowId }: { windowId: number }) => (tab.active && tab.windowId === windowId ? [tab] : []),
      },
      windows: {
        WINDOW_ID_NONE: -1,
        onFocusChanged: focused,
        get: async (id: number) => ({ state: id === MINIMISED ? "minimized" : "normal" }),
        update: async () => undefined,
      },
    },
  });
  waiting = new Waiting({
    storage: storage as unknown as chrome.storage.StorageArea,
    raise: async (notification) => {
      raised.push(notification);
      shown.add(notification.id);
    },
  });
  waiting.watch();
});

const says = async (id: string, isWaiting: boolean, frameId = 0): Promise<unknown> =>
  waiting.handlers()["guard.waits"]?.({ id, isWaiting }, { isOwnPage: false, tabId: TAB, frameId, url: URL_OF_TAB });
/** Whatever is under way has been done once another tab has been left. */
const done = async (): Promise<void> => {
  await new Promise(setImmediate);
  await waiting.leave(TAB + 1);
};

test("a notification stands until the last question of its tab is over", async () => {
  await says("a", true, 0);
  await says("b", true, 3);
  assert.equal(raised.length, 1);

  await says("a", false, 0);
  assert.equal(shown.size, 1);
  await says("b", false, 3);
  assert.equal(shown.size, 0);

  await says("c", true);
  assert.equal(raised.length, 2);
});

test("a question that she saw keeps no notification of another", async () => {
  tab.active = true;
  await says("a", true);
  tab.active = false;
  await says("b", true, 3);
  assert.equal(raised.length, 1);
  await says("b", false, 3);
  assert.equal(shown.size, 0);
});

test("a document that goes takes its own question along, and no other", async () => {
  const gone = new Happening<[]>();
  connected.dispatch({ name: `${QUESTION_LINE}a`, sender: { tab: { id: TAB } }, onDisconnect: gone });
  await says("a", true, 0);
  await says("b", true, 3);

  gone.dispatch();
  await done();
  assert.equal(shown.size, 1);
  await says("b", false, 3);
  assert.equal(shown.size, 0);
});

test("another page in the tab has none of the questions of the page before, and raises its own", async () => {
  await says("a", true, 0);
  await says("b", true, 3);

  await waiting.leave(TAB);
  assert.equal(shown.size, 0);

  await says("c", true);
  assert.equal(raised.length, 2);
  assert.equal(shown.size, 1);
});

test("whoever presses it is told no more, though her tab was the active one of a minimised window", async () => {
  Object.assign(tab, { active: true, windowId: MINIMISED });
  await says("a", true);
  const [notification] = shown;
  assert.ok(notification !== undefined);

  pressed.dispatch(notification);
  await done();
  assert.equal(shown.size, 0);
});

test("whoever brings the window back is told no more; another window is another matter", async () => {
  Object.assign(tab, { active: true, windowId: MINIMISED });
  await says("a", true);

  focused.dispatch(-1);
  focused.dispatch(1);
  await done();
  assert.equal(shown.size, 1);
  focused.dispatch(MINIMISED);
  await done();
  assert.equal(shown.size, 0);
});

test("the host of a private window is not named, nor one that is not known", async () => {
  await says("a", true);
  tab.incognito = true;
  await waiting.leave(TAB);
  await says("b", true);
  Object.assign(tab, { incognito: false, url: "about:blank" });
  await waiting.leave(TAB);
  await says("c", true);

  assert.deepEqual(
    raised.map(({ what, host }) => [what, host]),
    [
      ["notice_waiting_what", "grok.com"],
      ["notice_waiting_unnamed", ""],
      ["notice_waiting_unnamed", ""],
    ],
  );
});
