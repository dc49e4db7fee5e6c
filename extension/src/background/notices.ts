/** Telling every page and content script that something changed. They ask again; a notice carries no content. */

import type { Notice } from "../messages.ts";

export async function tellEveryone(what: Notice["notice"]): Promise<void> {
  const notice: Notice = { to: "everyone", notice: what };
  const tabs = await chrome.tabs.query({});
  // A tab without us in it, or no page of ours that is open, is no failure: nobody had to be told.
  const told = tabs.map(({ id }) => (id === undefined ? null : chrome.tabs.sendMessage(id, notice)));
  await Promise.allSettled([chrome.runtime.sendMessage(notice), ...told]);
}
