/** Shadow roots, closed ones too: an extension may look into them, and a feed may be built of them. */

/** The shadow root of an element, or null. */
export function shadowOf(element: Element): ShadowRoot | null {
  if (BROWSER === "firefox") {
    return (element as FirefoxElement).openOrClosedShadowRoot ?? null;
  }
  return element instanceof HTMLElement ? chrome.dom.openOrClosedShadowRoot(element) : null;
}

/** Firefox gives content scripts what Chromium has in `chrome.dom`. */
interface FirefoxElement extends Element {
  readonly openOrClosedShadowRoot?: ShadowRoot | null;
}
