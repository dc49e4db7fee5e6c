/** The list of sites with a switch each. Switching one on asks the browser for its permission, in the browser's own words. */

import { ask } from "../ask.ts";
import type { SiteState } from "../messages.ts";
import { make, say } from "./dom.ts";
import { wrong } from "./secret.ts";
import { hour, word } from "./text.ts";

/** The host that stands for every site (domain/site-rules.ts). */
const EVERYWHERE = "*";
const FEATURES = ["feed", "requests", "guard"] as const;

/** Fill `list` with every site that is known or was added. */
export async function showSites(list: HTMLElement, status: HTMLElement): Promise<void> {
  const again = (): Promise<void> => showSites(list, status);
  try {
    const { sites } = await ask("site.list", {});
    // The switch that she has just used keeps the focus.
    const focused = document.activeElement?.id ?? "";
    list.replaceChildren(...sites.map((site) => item(site, status, again)));
    document.getElementById(focused)?.focus();
  } catch (error) {
    say(status, wrong(error), "bad");
  }
}

/** Ask the browser to allow what a site needs. Must be called straight from a click. */
export async function allow(origins: readonly string[]): Promise<boolean> {
  return chrome.permissions.request({ origins: [...origins] });
}

function item(site: SiteState, status: HTMLElement, again: () => Promise<void>): HTMLElement {
  const id = `site-${site.host}`;
  const toggle = make("input", {
    type: "checkbox",
    role: "switch",
    class: "switch",
    id,
    checked: isSwitchedOn(site),
    "aria-labelledby": `${id}-name`,
    "aria-describedby": `${id}-what`,
  });
  toggle.addEventListener("change", () => void turn(site, toggle.checked, status).then(again));
  return make(
    "li",
    {},
    make(
      "div",
      { class: "row" },
      make(
        "div",
        { class: "grow" },
        make("h3", { id: `${id}-name` }, make("bdi", {}, nameOf(site))),
        make("p", { class: "hint", id: `${id}-what` }, what(site)),
      ),
      toggle,
    ),
    isSwitchedOn(site) ? features(site, status, again) : null,
  );
}

function nameOf(site: SiteState): string {
  return site.host === EVERYWHERE ? word("site_everywhere") : site.name;
}

function isSwitchedOn(site: SiteState): boolean {
  return site.isAllowed && site.pausedUntil !== "always";
}

/** What the permission is for, in plain words; once it is given its switches say so. */
function what(site: SiteState): string {
  if (site.pausedUntil !== null) {
    return site.pausedUntil === "always" ? word("site_paused") : word("site_paused_until", hour(site.pausedUntil));
  }
  if (site.isAllowed) {
    return word("site_on");
  }
  if (site.host === EVERYWHERE) {
    return word("site_everywhere_hint");
  }
  return FEATURES.filter((feature) => site.offers.includes(feature))
    .map((feature) => word(`feature_${feature}`))
    .join(" ");
}

function features(site: SiteState, status: HTMLElement, again: () => Promise<void>): HTMLElement {
  const boxes = FEATURES.filter((feature) => site.offers.includes(feature)).map((feature) => {
    const box = make("input", { type: "checkbox", id: `site-${site.host}-${feature}`, checked: site[feature] });
    box.addEventListener("change", () => {
      void attempt(status, () => ask("site.set", { host: site.host, change: { feature, isOn: box.checked } })).then(again);
    });
    return make("label", { class: "tick" }, box, word(`feature_${feature}_short`));
  });
  const resume =
    site.pausedUntil === null
      ? null
      : make("button", { type: "button", class: "quiet small" }, word("pause_end"));
  resume?.addEventListener("click", () => {
    void attempt(status, () => ask("site.set", { host: site.host, change: { pause: "end" } })).then(again);
  });
  return make("div", { class: "row features" }, ...boxes, resume);
}

async function turn(site: SiteState, isOn: boolean, status: HTMLElement): Promise<void> {
  await attempt(status, async () => {
    const name = nameOf(site);
    if (!isOn) {
      // Where every site is allowed the browser cannot take one away, and says so in ways of its own; then it is paused.
      await chrome.permissions.remove({ origins: [...site.origins] }).catch(() => false);
      if (await chrome.permissions.contains({ origins: [...site.origins] })) {
        await ask("site.set", { host: site.host, change: { pause: "always" } });
      }
      say(status, word("site_now_off", name));
    } else if (await allow(site.origins)) {
      await ask("site.set", { host: site.host, change: { pause: "end" } });
      say(status, word("site_now_on", name), "good");
    } else {
      say(status, word("site_refused", name));
    }
  });
}

async function attempt(status: HTMLElement, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    say(status, wrong(error), "bad");
  }
}
