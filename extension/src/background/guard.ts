/** What the upload guard of a page asks of the background, besides the check itself. */

import { toBase64 } from "../domain/base64.ts";
import type { Door } from "./door.ts";
import { Failure } from "../failure.ts";
import type { Holds } from "./holds.ts";
import { fetchPicture } from "./pictures.ts";
import type { Handlers, Sender } from "./router.ts";
import type { Waiting } from "./waiting.ts";

const PAGES = {
  settings: "pages/settings/settings.html",
  inbox: "pages/inbox/inbox.html",
  unlock: "pages/popup/popup.html",
} as const;
const APPROVE = "pages/approve/approve.html";
const WINDOW = { type: "popup", width: 460, height: 640 } as const;

/** The handlers of `guard.*`, `upload.outcome`, `upload.approve` and `page.open`. */
export function guardHandlers(door: Door, holds: Holds, waiting: Pick<Waiting, "leave">): Handlers {
  return {
    "guard.arrive": async (_ask, sender) => {
      if (sender.frameId === 0) {
        await Promise.all([door.leave(tabOf(sender)), waiting.leave(tabOf(sender))]);
      }
      return {};
    },
    "guard.hold": async ({ id }, sender) => {
      await door.shut(tabOf(sender), id, sender.url);
      return {};
    },
    "guard.let-go": async ({ id }, sender) => ({ isBlocked: await door.open(tabOf(sender), id) }),
    "guard.fetch": async ({ url }, sender) => ({
      bytes: toBase64(new Uint8Array(await fetchPicture(url, sender.url))),
    }),
    "upload.outcome": ({ hold }, sender) => holds.outcome(hold, sender.tabId),
    "upload.approve": async ({ hold }, sender) => {
      const { tabId } = await holds.waiting(hold);
      if (tabId !== sender.tabId) {
        throw new Failure("not_found");
      }
      await openWindow(`${APPROVE}?hold=${encodeURIComponent(hold)}`);
      return {};
    },
    "page.open": async ({ page }) => {
      if (page === "unlock") {
        await openWindow(PAGES.unlock);
      } else {
        await chrome.tabs.create({ url: chrome.runtime.getURL(PAGES[page]) });
      }
      return {};
    },
  };
}

/** One window for one question: asked twice, it comes to the front. */
async function openWindow(path: string): Promise<void> {
  const url = chrome.runtime.getURL(path);
  const [open] = await chrome.tabs.query({ url });
  if (open !== undefined) {
    await chrome.windows.update(open.windowId, { focused: true });
  } else {
    await chrome.windows.create({ ...WINDOW, url });
  }
}

function tabOf({ tabId }: Sender): number {
  if (tabId === null) {
    throw new Failure("forbidden");
  }
  return tabId;
}
