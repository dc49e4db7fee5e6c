/**
 * Finds the pictures of a page, whatever carries them, as they come onto the screen:
 * `img` (lazy, srcset), `video` posters, SVG images, image buttons, CSS backgrounds, in shadow roots too.
 *
 *     mutations, loads  --roots-->  walk in idle slices  --elements-->  on the screen?  --addresses-->  `onSeen`
 *
 * A feed changes all the time, so the callbacks of the browser only note what to look at; the looking waits for idle time.
 */

import { absolute, cssAddresses, isWorthLooking, readerOf } from "../../domain/feed/addresses.ts";
import { shadowOf } from "../roots.ts";
import type { Idle } from "./idle.ts";

/** Pictures this far from the screen are looked at, so that most are known when she gets there. */
const AHEAD = "400px 200px";
const WATCHED = ["src", "srcset", "poster", "style", "class", "href", "xlink:href", "data", "hidden"];
/** A custom element may make its shadow root long after it was put into the page, and nothing tells. */
const LATE_ROOTS_MS = [500, 3000];
/** A changed attribute gives backgrounds to what lies below it, rarely to much; pages change the body's class all the time. */
const AFFECTED = 200;
const NO_PICTURE = new Set(["SCRIPT", "STYLE", "LINK", "META", "HEAD", "TITLE", "TEMPLATE", "NOSCRIPT", "BR", "SOURCE"]);

export interface Seen {
  /** A picture is on or near the screen. Called again when an element shows another one. */
  onSeen(element: Element, addresses: readonly string[]): void;
  /** It has left. */
  onGone(element: Element): void;
}

export class Finder {
  readonly #seen: Seen;
  readonly #idle: Idle;
  readonly #near: IntersectionObserver;
  readonly #changes: MutationObserver;
  /** Elements with a picture that were too small to look at; most had not been laid out yet. */
  readonly #growing: ResizeObserver;
  readonly #roots = new WeakSet<Node>();
  readonly #addresses = new WeakMap<Element, readonly string[]>();
  readonly #late = new Set<Element>();
  readonly #pending = new Set<Node>();

  constructor(seen: Seen, idle: Idle) {
    this.#seen = seen;
    this.#idle = idle;
    this.#near = new IntersectionObserver((entries) => this.#onNear(entries), { rootMargin: AHEAD });
    this.#changes = new MutationObserver((records) => this.#onChange(records));
    this.#growing = new ResizeObserver((entries) => this.#onGrow(entries));
  }

  start(): void {
    this.#adopt(document);
    this.#later(document);
    // A style sheet that arrives late gives backgrounds to elements that did not change.
    window.addEventListener("load", this.#again, { once: true });
    document.addEventListener("load", this.#onStyle, true);
  }

  stop(): void {
    this.#changes.disconnect();
    this.#near.disconnect();
    this.#growing.disconnect();
    this.#idle.clear();
    this.#pending.clear();
    window.removeEventListener("load", this.#again);
    document.removeEventListener("load", this.#onStyle, true);
  }

  readonly #again = (): void => this.#later(document);

  readonly #onStyle = (event: Event): void => {
    if (event.target instanceof HTMLLinkElement) {
      this.#later(document);
    }
  };

  /** An `img` is loaded, perhaps with another picture than before; `load` does not leave a shadow root. */
  readonly #onLoad = (event: Event): void => {
    if (event.target instanceof Element && !(event.target instanceof HTMLLinkElement)) {
      this.#later(event.target);
    }
  };

  #adopt(root: Document | ShadowRoot): void {
    if (this.#roots.has(root)) {
      return;
    }
    this.#roots.add(root);
    root.addEventListener("load", this.#onLoad, true);
    this.#changes.observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: WATCHED });
  }

  #onChange(records: readonly MutationRecord[]): void {
    for (const record of records) {
      if (record.type === "childList") {
        for (const node of record.addedNodes) {
          if (node instanceof Element) {
            this.#later(node);
          }
        }
      } else {
        this.#later(record.target, AFFECTED);
      }
    }
  }

  /** Walk a part of the page when there is time. A part that waits already is walked once. */
  #later(root: Node, most = Infinity): void {
    if (!this.#pending.has(root)) {
      this.#pending.add(root);
      this.#idle.add(this.#walk(root, most));
    }
  }

  *#walk(root: Node, most: number): Generator<undefined, void> {
    this.#pending.delete(root);
    if (root instanceof Element) {
      this.#examine(root);
    }
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT);
    for (let count = 0, node = walker.nextNode(); node !== null && count < most; count++) {
      this.#examine(node as Element);
      node = walker.nextNode();
      yield;
    }
  }

  #examine(element: Element): void {
    if (!element.isConnected || NO_PICTURE.has(element.tagName.toUpperCase())) {
      return;
    }
    const root = shadowOf(element);
    if (root !== null && !this.#roots.has(root)) {
      this.#adopt(root);
      this.#later(root);
    } else if (root === null && element.localName.includes("-") && !this.#late.has(element)) {
      this.#lookAgainAt(element);
    }
    const addresses = addressesOf(element);
    const before = this.#addresses.get(element);
    if (addresses.length === 0) {
      if (before !== undefined) {
        this.#addresses.delete(element);
        this.#near.unobserve(element);
        this.#seen.onGone(element);
      }
      return;
    }
    if (before?.join() !== addresses.join()) {
      this.#addresses.set(element, addresses);
      // Observing anew makes the observer tell where the element is, although it has not moved.
      this.#near.unobserve(element);
      this.#near.observe(element);
    }
  }

  #lookAgainAt(element: Element): void {
    this.#late.add(element);
    for (const delay of LATE_ROOTS_MS) {
      setTimeout(() => this.#later(element), delay);
    }
    setTimeout(() => this.#late.delete(element), Math.max(...LATE_ROOTS_MS) + 1000);
  }

  #onNear(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const addresses = this.#addresses.get(target);
      if (isIntersecting && addresses !== undefined) {
        if (isWorthLooking(boundingClientRect.width, boundingClientRect.height)) {
          this.#seen.onSeen(target, addresses);
        } else {
          this.#growing.observe(target);
        }
      } else {
        this.#growing.unobserve(target);
        this.#seen.onGone(target);
      }
    }
  }

  #onGrow(entries: readonly ResizeObserverEntry[]): void {
    for (const { target } of entries) {
      const { width, height } = target.getBoundingClientRect();
      const addresses = this.#addresses.get(target);
      if (addresses === undefined) {
        this.#growing.unobserve(target);
      } else if (isWorthLooking(width, height)) {
        this.#growing.unobserve(target);
        this.#seen.onSeen(target, addresses);
      }
    }
  }
}

/** The absolute addresses of the pictures that an element shows, but for such as show nobody. */
function addressesOf(element: Element): string[] {
  const found = new Set<string>();
  for (const address of [...ownAddresses(element), ...backgrounds(element)]) {
    const whole = absolute(address, document.baseURI);
    if (whole !== null && readerOf(whole, location.href) !== "no") {
      found.add(whole);
    }
  }
  return [...found];
}

function ownAddresses(element: Element): readonly string[] {
  if (element instanceof HTMLImageElement) {
    // Until it is loaded neither its size nor the choice from srcset is known; its load event comes back here.
    const isLoaded = element.complete && element.currentSrc !== "";
    return isLoaded && isWorthLooking(element.naturalWidth, element.naturalHeight) ? [element.currentSrc] : [];
  }
  if (element instanceof HTMLVideoElement) {
    return element.poster === "" ? [] : [element.poster];
  }
  if (element instanceof SVGImageElement) {
    return [element.href.baseVal];
  }
  if (element instanceof HTMLInputElement) {
    return element.type === "image" ? [element.src] : [];
  }
  if (element instanceof HTMLObjectElement) {
    return element.type.startsWith("image/") ? [element.data] : [];
  }
  return [];
}

function backgrounds(element: Element): readonly string[] {
  const found = [];
  for (const pseudo of [null, "::before", "::after"]) {
    const style = getComputedStyle(element, pseudo);
    for (const value of [style.backgroundImage, style.content]) {
      if (value.includes("url(")) {
        found.push(...cssAddresses(value));
      }
    }
  }
  return found;
}
