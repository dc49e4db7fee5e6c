/**
 * What the extension draws over a page: one element with a closed shadow root.
 *
 * A page can see that the element is there, and nothing of what is in it. So that it cannot conclude anything either,
 * the element is there from the start, and what lies over pictures lets every click and every hit test through.
 */

const COLOURS = `
  :host { --card: #fffdfa; --sunk: #efeae2; --ink: #20272a; --soft: #566065; --line: #ddd6ca; --accent: #1b625d;
    --accent-ink: #fff; --you: #b4512f; --you-ink: #fff; --bad: #a02a2c; --bad-soft: #fae8e5; --ask: #7a5000; --ask-soft: #fbf0d8; }
  @media (prefers-color-scheme: dark) {
    :host { --card: #1b2326; --sunk: #151d1f; --ink: #ecece7; --soft: #a8b3b4; --line: #445054; --accent: #80c9c0;
      --accent-ink: #08211e; --you: #f3a583; --you-ink: #2c140a; --bad: #ff9f98; --bad-soft: #3e2323; --ask: #efc570; --ask-soft: #372d17; }
  }
  * { box-sizing: border-box; }
  [hidden] { display: none !important; }
  .words { font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", sans-serif; color: var(--ink); text-align: start; }
  h2 { font-size: 1.1em; line-height: 1.3; margin: 0 0 .5em; }
  p { margin: 0 0 .7em; }
  button { font: inherit; font-weight: 600; cursor: pointer; border-radius: 99px; padding: .45em 1.1em; min-height: 2.5em;
    border: 1px solid var(--accent); background: var(--accent); color: var(--accent-ink); }
  button.quiet { background: transparent; color: inherit; border-color: var(--soft); }
  button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  .actions { display: flex; flex-wrap: wrap; gap: .6em; margin-top: 1em; }
  @media (forced-colors: active) { button { border: 1px solid ButtonText; } }
`;

/** An element of the page's document with a shadow root that only we can reach. */
export class Layer {
  readonly root: ShadowRoot;
  readonly #host: HTMLElement;

  /** @param css Added to the colours and the type that everything here shares. */
  constructor(css: string) {
    this.#host = document.createElement("div");
    const rules = {
      all: "initial",
      position: "absolute",
      inset: "0 auto auto 0",
      width: "0",
      height: "0",
      "z-index": "2147483647",
      "pointer-events": "none",
    };
    for (const [name, value] of Object.entries(rules)) {
      this.#host.style.setProperty(name, value, "important");
    }
    this.#host.dir = chrome.i18n.getMessage("@@bidi_dir");
    this.root = this.#host.attachShadow({ mode: "closed" });
    this.#dress(COLOURS + css);
  }

  /** Put it into the page, again if the page has thrown it out. */
  attach(): void {
    if (!this.#host.isConnected) {
      document.documentElement.append(this.#host);
    }
  }

  detach(): void {
    this.#host.remove();
  }

  /** Where its corner is in the viewport: what is drawn over the page is placed from here. */
  corner(): DOMRect {
    return this.#host.getBoundingClientRect();
  }

  /** A page may forbid style elements; a constructed sheet is not asked. Firefox has none for content scripts. */
  #dress(css: string): void {
    if (BROWSER === "firefox") {
      const style = document.createElement("style");
      style.textContent = css;
      this.root.append(style);
      return;
    }
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    this.root.adoptedStyleSheets = [sheet];
  }
}

/** An element with words: `class` and attributes, then children. */
export function drawn<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>>,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A button that listens to her and not to the page: what a script dispatches is not trusted. */
export function pressable(words: string, look: "" | "quiet", pressed: () => void): HTMLButtonElement {
  const button = drawn("button", { type: "button", class: look }, words);
  button.addEventListener("click", (event) => {
    if (event.isTrusted) {
      pressed();
    }
  });
  return button;
}
