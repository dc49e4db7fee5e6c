/** The small window of the toolbar: is it open, does it work here, and the way to stop everything at once. */

import { ask } from "../../ask.ts";
import type { AlertSummary, EngineState, FeedCounts, FeedQuestion, SiteState, VaultState } from "../../messages.ts";
import { make, part, say, symbol } from "../dom.ts";
import { unlockForm, wrong } from "../secret.ts";
import { onNotice } from "../shell.ts";
import { type Key, hour, number, translate, word } from "../text.ts";

const ENGINE: Readonly<Record<EngineState["state"], Key>> = {
  idle: "engine_idle",
  loading: "engine_loading",
  ready: "engine_ready",
  unavailable: "engine_unavailable",
};

let tab: { readonly id: number; readonly host: string } | null = null;
let site: SiteState | null = null;
/** The newest alert from this site that has no picture yet. */
let bare: AlertSummary | null = null;

async function start(): Promise<void> {
  translate();
  openLinksInTabs();
  tab = await currentTab();
  part("site-switch").addEventListener("change", () => void attempt(turn));
  part("guard-switch").addEventListener("change", () => void attempt(turnGuard));
  part("site-allow").addEventListener("click", () => void attempt(allow));
  part("pause-hour").addEventListener("click", () => void attempt(() => pause("hour")));
  part("pause-always").addEventListener("click", () => void attempt(() => pause("always")));
  part("site-resume").addEventListener("click", () => void attempt(() => pause("end")));
  part("keep-screen").addEventListener("click", () => void attempt(keepScreen));
  part("panic").addEventListener("click", () => void attempt(panic));
  for (const what of ["vault", "engine", "companion", "inbox", "sites"] as const) {
    onNotice(what, () => attempt(look));
  }
  await attempt(look);
}

async function look(): Promise<void> {
  const [vault, engine] = await Promise.all([ask("vault.state", {}), ask("engine.state", {})]);
  showVault(vault);
  say(part("engine"), vault.state === "open" ? engineWords(engine) : "");
  await showInbox(vault);
  if (tab !== null) {
    site = await ask("site.state", { page: `https://${tab.host}/` });
    showSite(site);
    if (site.isAllowed && site.feed) {
      await showCounts(tab.id);
    }
  }
}

function engineWords(engine: EngineState): string {
  const where = word(engine.engine === "companion" ? "engine_in_companion" : "engine_in_browser");
  return `${where} ${word(ENGINE[engine.state])}`;
}

function showVault(vault: VaultState): void {
  const lamp = part("lamp");
  const place = part("vault");
  switch (vault.state) {
    case "open":
      lamp.replaceChildren(make("span", { class: "lamp open" }, symbol("open"), word("state_open")));
      place.replaceChildren();
      break;
    case "locked":
      lamp.replaceChildren(make("span", { class: "lamp wait" }, symbol("lock"), word("state_locked")));
      // What she has begun to type stays.
      if (place.querySelector("form") === null) {
        place.replaceChildren(
          make("div", { class: "card" }, make("p", { class: "hint" }, word("locked_hint")), unlockForm(() => void attempt(look))),
        );
        place.querySelector("input")?.focus();
      }
      break;
    case "none":
      lamp.replaceChildren(make("span", { class: "lamp off" }, word("state_none")));
      place.replaceChildren(
        make(
          "div",
          { class: "card" },
          make("p", {}, word("not_set_up_hint")),
          make("a", { class: "button wide", href: "../welcome/welcome.html" }, word("set_up")),
        ),
      );
      openLinksInTabs(place);
      break;
  }
  part<HTMLButtonElement>("panic").disabled = vault.state === "none";
}

async function showInbox(vault: VaultState): Promise<void> {
  const { alerts, unread } = vault.state === "open" ? await ask("inbox.list", {}) : { alerts: [], unread: 0 };
  const badge = part("unread");
  badge.hidden = unread === 0;
  badge.textContent = number(unread);
  bare = alerts.find(({ host, hasCrop }) => host === tab?.host && !hasCrop) ?? null;
  part("keep").hidden = bare === null;
}

/** What is on the screen is read now, because she pressed here (`activeTab`), and sealed with the alert. */
async function keepScreen(): Promise<void> {
  if (bare !== null) {
    const picture = await chrome.tabs.captureVisibleTab({ format: "png" });
    await ask("inbox.illustrate", { alert: bare.alert, crop: picture.slice(picture.indexOf(",") + 1) });
    await look();
  }
}

function showSite(state: SiteState): void {
  part("site").hidden = false;
  part("site-name").replaceChildren(make("bdi", {}, state.name));
  const toggle = part<HTMLInputElement>("site-switch");
  const isPaused = state.pausedUntil !== null;
  toggle.checked = state.isAllowed && !isPaused;
  say(part("site-state"), siteWords(state));
  toggle.hidden = !state.isAllowed;
  part("site-allow").hidden = state.isAllowed;
  part("site-working").hidden = !state.isAllowed || isPaused;
  part("site-guard").hidden = !state.offers.includes("guard");
  part<HTMLInputElement>("guard-switch").checked = state.guard;
  part("site-resume").hidden = !state.isAllowed || !isPaused;
}

function siteWords(state: SiteState): string {
  if (!state.isAllowed) {
    return word("site_not_allowed");
  }
  if (state.pausedUntil === "always") {
    return word("site_paused");
  }
  return state.pausedUntil === null ? word("site_on") : word("site_paused_until", hour(state.pausedUntil));
}

/** The feed watch of the tab itself counts. A page that was open before it was allowed has none until it is loaded again. */
async function showCounts(id: number): Promise<void> {
  const question: FeedQuestion = { to: "feed", question: "counts" };
  const counts = await chrome.tabs
    .sendMessage<FeedQuestion, FeedCounts | null>(id, question, { frameId: 0 })
    .catch(() => null);
  part("counts").hidden = counts === null;
  if (counts === null) {
    return;
  }
  part("count-mine").textContent = number(counts.mine);
  part("count-possible").textContent = number(counts.possible);
  part("count-looked").textContent = number(counts.looked);
  part("count-not-checked").textContent = number(counts.notChecked);
}

async function turn(): Promise<void> {
  await pause(part<HTMLInputElement>("site-switch").checked ? "end" : "always");
}

async function pause(how: "hour" | "always" | "end"): Promise<void> {
  if (site !== null) {
    showSite(await ask("site.set", { host: site.host, change: { pause: how } }));
  }
}

/** Where every site is allowed, this is how she asks for the guard on one of them. It is there from the page's beginning or not. */
async function turnGuard(): Promise<void> {
  if (site !== null && tab !== null) {
    const isOn = part<HTMLInputElement>("guard-switch").checked;
    showSite(await ask("site.set", { host: site.host, change: { feature: "guard", isOn } }));
    await chrome.tabs.reload(tab.id);
  }
}

/** The browser asks in a window of its own, during which this one may close: what follows is up to the background. */
async function allow(): Promise<void> {
  if (site !== null && tab !== null && (await chrome.permissions.request({ origins: [...site.origins] }))) {
    await chrome.tabs.reload(tab.id);
    await look();
  }
}

async function panic(): Promise<void> {
  await ask("vault.lock", {});
  await look();
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
    say(part("failed"), "");
  } catch (error) {
    say(part("failed"), wrong(error), "bad");
  }
}

/** The address is there because she pressed the toolbar's button (`activeTab`). Pages of the browser itself have none for us. */
async function currentTab(): Promise<{ readonly id: number; readonly host: string } | null> {
  const [current] = await chrome.tabs.query({ active: true, currentWindow: true });
  const url = URL.parse(current?.url ?? "");
  if (current?.id === undefined || url === null || !/^https?:$/.test(url.protocol)) {
    return null;
  }
  return { id: current.id, host: url.hostname };
}

function openLinksInTabs(root: ParentNode = document): void {
  for (const link of root.querySelectorAll("a")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      void chrome.tabs.create({ url: link.href }).then(() => close());
    });
  }
}

void start();
