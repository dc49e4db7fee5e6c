/** A small mark on each picture that shows her. It lies over the page, not in it, and follows the picture. */

import { word } from "../../pages/text.ts";
import { type Layer, drawn } from "../layer.ts";

export const BADGE_CSS = `
  .badge { position: absolute; width: 22px; height: 22px; margin: 0; border-radius: 50%; pointer-events: none; background: var(--you);
    border: 2px solid var(--card); box-shadow: 0 1px 4px rgb(0 0 0 / 35%); }
  .badge svg { display: block; width: 100%; height: 100%; fill: none; stroke: var(--you-ink); stroke-width: 2; stroke-linecap: round; }
`;

/** Distance from the picture's corner. */
const INSET_PX = 6;
/** A page moves things without scrolling; a mark may be late by this much. */
const FOLLOW_MS = 400;

export class Badges {
  readonly #layer: Layer;
  readonly #marks = new Map<Element, HTMLElement>();
  readonly #onScreen: IntersectionObserver;
  #isPlacing = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(layer: Layer) {
    this.#layer = layer;
    // Knows about clipping by scrolled containers, which a rectangle does not.
    this.#onScreen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        this.#marks.get(target)?.toggleAttribute("data-off", !isIntersecting);
      }
      this.#place();
    });
  }

  /** The pictures that are marked, in the order of the page. */
  get pictures(): readonly Element[] {
    const after = (a: Element, b: Element) =>
      a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1;
    return [...this.#marks.keys()].filter((picture) => picture.isConnected).sort(after);
  }

  mark(picture: Element): void {
    if (this.#marks.has(picture)) {
      return;
    }
    const badge = drawn("div", { class: "badge", role: "img", "aria-label": word("feed_badge") });
    badge.append(eye());
    this.#marks.set(picture, badge);
    this.#layer.root.append(badge);
    this.#onScreen.observe(picture);
    if (this.#timer === undefined) {
      this.#timer = setInterval(this.#follow, FOLLOW_MS);
      window.addEventListener("scroll", this.#follow, { capture: true, passive: true });
      window.addEventListener("resize", this.#follow, { passive: true });
    }
    this.#place();
  }

  unmark(picture: Element): void {
    this.#marks.get(picture)?.remove();
    this.#marks.delete(picture);
    this.#onScreen.unobserve(picture);
    if (this.#marks.size === 0) {
      this.#rest();
    }
  }

  clear(): void {
    for (const picture of [...this.#marks.keys()]) {
      this.unmark(picture);
    }
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    window.removeEventListener("scroll", this.#follow, { capture: true });
    window.removeEventListener("resize", this.#follow);
  }

  readonly #follow = (): void => this.#place();

  #place(): void {
    if (this.#isPlacing) {
      return;
    }
    this.#isPlacing = true;
    requestAnimationFrame(() => {
      this.#isPlacing = false;
      this.#layer.attach();
      const corner = this.#layer.corner();
      // All reading before all writing: the page is laid out once.
      const places = [...this.#marks].map(([picture, badge]) => ({ picture, badge, at: picture.getBoundingClientRect() }));
      for (const { picture, badge, at } of places) {
        if (!picture.isConnected) {
          this.unmark(picture);
          continue;
        }
        badge.hidden = badge.hasAttribute("data-off") || at.width === 0 || at.height === 0;
        badge.style.insetBlockStart = `${at.top - corner.top + INSET_PX}px`;
        badge.style.left = `${at.left - corner.left + INSET_PX}px`;
      }
    });
  }
}

/** The extension's sign. It has no words, so it is the same in every language. */
export function eye(): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", "M5 12c2-4 4.5-5.5 7-5.5s5 1.5 7 5.5c-2 4-4.5 5.5-7 5.5S7 16 5 12Z M12 10.4a1.6 1.6 0 1 0 .01 0Z");
  drawing.append(line);
  return drawing;
}
