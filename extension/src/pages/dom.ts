/** The few things that every page does with its document. */

type Child = Node | string | null;
type Attributes = Readonly<Record<string, string | number | boolean | ((event: Event) => void)>>;

/** The element with this id. A page without it is a fault of ours. */
export function part<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no #${id}`);
  }
  return found as T;
}

/** An element. `true` sets a bare attribute, `false` leaves it out, a function listens (`click: ...`); a null child is left out. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name, value);
    } else if (value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A drawing of symbols.svg. It says nothing to a screen reader: words stand beside it. */
export function symbol(name: string): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("class", "symbol");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `../symbols.svg#${name}`);
  drawing.append(use);
  return drawing;
}

/** Say something in a live region; only when it changes, so that a screen reader does not repeat itself. */
export function say(region: HTMLElement, words: string, look: "plain" | "good" | "bad" = "plain"): void {
  if (region.textContent !== words) {
    region.textContent = words;
  }
  region.classList.toggle("good", look === "good");
  region.classList.toggle("bad", look === "bad");
}

/** A tinted box with a symbol, for what she should not overlook. */
export function note(look: "good" | "ask" | "bad" | "plain", drawing: string, ...children: readonly Child[]): HTMLElement {
  return make("div", { class: `note ${look}` }, symbol(drawing), make("div", {}, ...children));
}

/** What a form's field holds. */
export function value(id: string): string {
  return part<HTMLInputElement>(id).value;
}

/** Do something once at a time: the button rests while it runs. */
export async function busy<T>(button: HTMLButtonElement, work: () => Promise<T>): Promise<T> {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}
