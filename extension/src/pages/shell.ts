/** What stands around every page: the name, the way to the other pages, and whether the vault is open. */

import { ask } from "../ask.ts";
import type { Notice, VaultState } from "../messages.ts";
import { make, note, symbol } from "./dom.ts";
import { unlockForm } from "./secret.ts";
import { type Key, translate, word } from "./text.ts";

type Name = "inbox" | "enrol" | "settings" | "privacy" | "welcome" | "receipt";

const WAYS: readonly { readonly name: Name; readonly title: Key; readonly drawing: string }[] = [
  { name: "inbox", title: "nav_inbox", drawing: "inbox" },
  { name: "enrol", title: "nav_faces", drawing: "face" },
  { name: "settings", title: "nav_settings", drawing: "settings" },
  { name: "privacy", title: "nav_privacy", drawing: "privacy" },
];

/**
 * Put a page into its frame and its words into the page.
 *
 * @param shown Called now, and again whenever the vault was opened, locked or changed.
 */
export async function openPage(name: Name, shown: (vault: VaultState) => void | Promise<void>): Promise<void> {
  translate();
  const main = document.querySelector("main");
  if (main === null) {
    throw new Error("the page has no main");
  }
  const lamp = make("div", { class: "state" });
  const frame = make("div", { class: "page" });
  main.replaceWith(frame);
  main.id = "main";
  main.tabIndex = -1;
  frame.append(side(name, lamp), main);
  document.body.prepend(make("a", { class: "skip", href: "#main" }, word("skip")));

  const look = async (): Promise<void> => {
    const vault = await ask("vault.state", {});
    showLamp(lamp, vault);
    await shown(vault);
  };
  onNotice("vault", look);
  await look();
}

/** Call `changed` when the background says that something changed. */
export function onNotice(what: Notice["notice"], changed: () => void | Promise<void>): void {
  chrome.runtime.onMessage.addListener((message: Partial<Notice>) => {
    if (message.to === "everyone" && message.notice === what) {
      void changed();
    }
  });
}

/** Fill `place` while the vault is locked, or not there yet. Asked again for the same state it stays, with what she has typed. */
export function showDoor(place: HTMLElement, vault: VaultState): void {
  if (place.dataset["state"] !== vault.state) {
    place.dataset["state"] = vault.state;
    place.replaceChildren(...(vault.state === "open" ? [] : [closedDoor(vault)]));
  }
}

function closedDoor(vault: VaultState): HTMLElement {
  if (vault.state === "none") {
    return make(
      "div",
      { class: "card empty" },
      symbol("face"),
      make("h2", {}, word("not_set_up")),
      make("p", {}, word("not_set_up_hint")),
      make("a", { class: "button", href: "../welcome/welcome.html" }, word("set_up")),
    );
  }
  return make(
    "section",
    { class: "card", "aria-labelledby": "locked-title" },
    make("h2", { id: "locked-title" }, word("locked_title")),
    make("p", { class: "hint" }, word("locked_hint")),
    unlockForm(() => undefined),
  );
}

/** Whether an answer of the background could not be had because of us: said plainly, with nothing else to do. */
export function outOfOrder(): HTMLElement {
  return note("bad", "warning", make("p", {}, word("error_failed")));
}

function side(current: Name, lamp: HTMLElement): HTMLElement {
  const ways = WAYS.map(({ name, title, drawing }) =>
    make(
      "li",
      {},
      make(
        "a",
        { href: `../${name}/${name}.html`, ...(name === current ? { "aria-current": "page" } : {}) },
        symbol(drawing),
        word(title),
      ),
    ),
  );
  return make(
    "header",
    { class: "side" },
    make("a", { class: "brand", href: "../inbox/inbox.html" }, mark(), word("name")),
    make("nav", { "aria-label": word("nav") }, make("ul", {}, ...ways)),
    lamp,
  );
}

function mark(): HTMLElement {
  return make("img", { class: "mark", src: "../../icons/icon-128.png", alt: "" });
}

function showLamp(lamp: HTMLElement, vault: VaultState): void {
  switch (vault.state) {
    case "open": {
      const lock = make("button", { type: "button", class: "quiet small" }, word("lock"));
      lock.addEventListener("click", () => void ask("vault.lock", {}));
      lamp.replaceChildren(make("span", { class: "lamp open" }, symbol("open"), word("state_open")), lock);
      break;
    }
    case "locked":
      lamp.replaceChildren(make("span", { class: "lamp wait" }, symbol("lock"), word("state_locked")));
      break;
    case "none":
      lamp.replaceChildren(make("span", { class: "lamp off" }, symbol("info"), word("state_none")));
      break;
  }
}
