/** What stands on the toolbar beside the extension's sign: how many pictures of the tab show her. */

import type { Handlers } from "./router.ts";

const COLOUR = "#b4512f";

/** The handler of `feed.found`. The browser forgets it with the page. */
export function toolbarHandlers(): Handlers {
  return {
    "feed.found": async ({ mine }, { tabId, frameId }) => {
      if (tabId !== null && frameId === 0) {
        await chrome.action.setBadgeBackgroundColor({ tabId, color: COLOUR });
        await chrome.action.setBadgeText({ tabId, text: mine === 0 ? "" : String(Math.min(mine, 99)) });
      }
      return {};
    },
  };
}
