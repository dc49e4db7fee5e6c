/** The button in the corner of a page, and the calm panel that it opens: what was looked at, and what shows her. */

import { type Key, word } from "../../pages/text.ts";
import { type Layer, drawn, pressable } from "../layer.ts";
import { eye } from "./badges.ts";

/** Always there and always the same size, so that a page which probes its corner learns nothing about its pictures. */
export const PANEL_CSS = `
  .opener { position: fixed; inset-block-end: 16px; inset-inline-end: 16px; display: grid; place-items: center; width: 44px; height: 44px; min-height: 0; padding: 0; pointer-events: auto;
    background: var(--card); color: var(--soft); border: 1px solid var(--line); box-shadow: 0 2px 10px rgb(0 0 0 / 18%); opacity: .85; }
  .opener.found { color: var(--you); opacity: 1; }
  .opener svg { width: 26px; height: 26px; fill: none; stroke: currentcolor; stroke-width: 1.8; }
  .opener .count { position: absolute; inset-block-start: 1px; inset-inline-end: 1px; min-width: 17px; height: 17px; padding: 0 4px; border-radius: 9px;
    background: var(--you); color: var(--you-ink); font-size: 11px; line-height: 17px; text-align: center; }
  .panel { position: fixed; inset-block-end: 70px; inset-inline-end: 16px; width: min(21rem, calc(100vw - 32px)); max-height: calc(100vh - 100px); overflow: auto;
    pointer-events: auto; background: var(--card); border: 1px solid var(--line); border-radius: 18px; padding: 1.1em 1.2em; box-shadow: 0 10px 34px -12px rgb(0 0 0 / 40%); }
  .panel ul { list-style: none; margin: 0 0 .8em; padding: 0; }
  .panel li { display: flex; justify-content: space-between; gap: 1em; padding: .3em 0; border-top: 1px solid var(--line); }
  .panel li:first-child { border-top: 0; }
  .panel .hint { color: var(--soft); font-size: .92em; }
  @media (prefers-reduced-motion: no-preference) { .panel { animation: rise .16s ease-out; } @keyframes rise { from { opacity: 0; transform: translateY(6px); } } }
`;

/** What the panel says. */
export interface Report {
  readonly looked: number;
  readonly mine: readonly Element[];
  readonly possible: number;
  readonly waiting: number;
  /** Why pictures were not checked, and how many. */
  readonly notChecked: ReadonlyMap<string, number>;
  readonly isLocked: boolean;
}

export class Panel {
  readonly #opener: HTMLButtonElement;
  readonly #count: HTMLElement;
  readonly #status: HTMLElement;
  readonly #box: HTMLElement;
  readonly #list = drawn("ul", {});
  readonly #reasons = drawn("div", { class: "hint" });
  readonly #ways = drawn("div", { class: "actions" });
  /** The pictures that it offers a way to. */
  #offered: readonly Element[] = [];
  readonly #settings: () => void;
  #report: Report | undefined;

  /** @param settings Opens the extension's settings for this site. */
  constructor(layer: Layer, settings: () => void) {
    this.#settings = settings;
    this.#count = drawn("span", { class: "count", "aria-hidden": "true", hidden: "" });
    this.#opener = pressable("", "", () => this.#toggle());
    this.#opener.className = "opener words";
    this.#opener.setAttribute("aria-expanded", "false");
    this.#opener.append(eye(), this.#count);
    this.#status = drawn("div", { role: "status", style: "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)" });
    this.#box = drawn("section", { class: "panel words", "aria-label": word("feed_panel_title"), hidden: "" });
    this.#box.append(drawn("h2", {}, word("feed_panel_title")), this.#list, this.#reasons, this.#ways);
    this.#box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.#close();
      }
    });
    layer.root.append(this.#opener, this.#status, this.#box);
  }

  show(report: Report): void {
    const had = this.#report?.mine.length ?? 0;
    this.#report = report;
    const mine = report.mine.length;
    this.#opener.classList.toggle("found", mine > 0);
    this.#opener.setAttribute("aria-label", sentence(report));
    this.#count.hidden = mine === 0;
    this.#count.textContent = mine > 99 ? "99+" : String(mine);
    if (mine > had) {
      this.#status.textContent = sentence(report);
    }
    if (!this.#box.hidden) {
      this.#fill(report);
    }
  }

  #toggle(): void {
    if (!this.#box.hidden || this.#report === undefined) {
      this.#close();
      return;
    }
    this.#fill(this.#report);
    this.#box.hidden = false;
    this.#opener.setAttribute("aria-expanded", "true");
  }

  #close(): void {
    this.#box.hidden = true;
    this.#opener.setAttribute("aria-expanded", "false");
    this.#opener.focus();
  }

  /** Numbers change all the time while she reads: what she can press is replaced only when it is otherwise. */
  #fill(report: Report): void {
    const rows: readonly (readonly [Key, number])[] = [
      ["feed_looked", report.looked],
      ["feed_mine", report.mine.length],
      ["feed_possible", report.possible],
      ["feed_waiting", report.waiting],
    ];
    this.#list.replaceChildren(
      ...rows.map(([key, count]) => drawn("li", {}, drawn("span", {}, word(key)), drawn("strong", {}, String(count)))),
    );
    this.#reasons.replaceChildren(
      ...[...report.notChecked].map(([why, count]) => drawn("p", {}, word("feed_not_checked", count, reason(why)))),
      drawn("p", {}, report.isLocked ? word("feed_locked") : word("feed_kept")),
    );
    const isSame = report.mine.length === this.#offered.length && report.mine.every((each, i) => each === this.#offered[i]);
    if (!isSame || !this.#ways.hasChildNodes()) {
      this.#offered = report.mine;
      const toPictures = report.mine.map((picture, index) =>
        pressable(word("feed_show", index + 1), "quiet", () => picture.scrollIntoView({ block: "center" })),
      );
      this.#ways.replaceChildren(
        ...toPictures,
        pressable(word("feed_settings"), "quiet", this.#settings),
        pressable(word("feed_close"), "", () => this.#close()),
      );
    }
  }
}

function sentence({ mine, isLocked }: Report): string {
  if (isLocked) {
    return word("feed_locked");
  }
  return mine.length === 0 ? word("feed_none") : word("feed_some", mine.length);
}

/** The reason in her words; one that has none is a fault of ours, and said as such. */
function reason(code: string): string {
  return chrome.i18n.getMessage(`error_${code}`) || word("feed_why_failed");
}
