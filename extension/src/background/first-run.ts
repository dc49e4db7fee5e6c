/** The pages that are opened unasked: only the first one, when she has just installed it. */

/** To be called when the worker starts, on its first turn. */
export function welcomeOnce(): void {
  chrome.runtime.onInstalled.addListener(({ reason }) => {
    if (reason === "install") {
      void chrome.tabs.create({ url: chrome.runtime.getURL("pages/welcome/welcome.html") });
    }
  });
}
