/**
 * What she allows on which site. The browser keeps the permissions; here are her switches and pauses, and the content
 * scripts are registered where, and only where, both say yes.
 */

import type { SiteChange, SiteState } from "../messages.ts";
import { AS_IT_IS, type Choices, type Setting, placesOf, siteOf, sitesOf } from "../domain/site-rules.ts";
import type { Feature } from "../sites/catalogue.ts";
import { Failure } from "../failure.ts";
import type { Handlers, Sender } from "./router.ts";

const KEY = "sites";
const HOUR_S = 3600;
const ALARM = "site-pause-ends";

type Script = chrome.scripting.RegisteredContentScript & { readonly js: string[]; readonly feature: Feature };

/** In every frame, also those that a page writes itself. */
const FRAMES = { allFrames: true, matchOriginAsFallback: true } as const;
const SCRIPTS: readonly Script[] = [
  { id: "feed", feature: "feed", js: ["content/feed/isolated.js"], runAt: "document_idle", ...FRAMES },
  { id: "requests", feature: "requests", js: ["content/requests/isolated.js"], runAt: "document_idle" },
  { id: "guard", feature: "guard", js: ["content/guard/isolated.js"], runAt: "document_start", ...FRAMES },
  {
    id: "guard-main",
    feature: "guard",
    js: ["content/guard/main-world.js"],
    runAt: "document_start",
    world: "MAIN",
    ...FRAMES,
  },
];

export class Sites {
  readonly #now: () => number;
  readonly #tell: () => void;
  /** Registering is not atomic: one after the other. */
  #last: Promise<void> = Promise.resolve();

  /**
   * @param now Seconds since 1970.
   * @param tell Tells everybody that something about the sites is otherwise.
   */
  constructor(now: () => number, tell: () => void) {
    this.#now = now;
    this.#tell = tell;
  }

  /** Follow the browser's permissions and the end of pauses. To be called when the worker starts, on its first turn. */
  watch(): void {
    chrome.permissions.onAdded.addListener(() => void this.#changed());
    chrome.permissions.onRemoved.addListener(() => void this.#changed());
    chrome.alarms.onAlarm.addListener(({ name }) => {
      if (name === ALARM) {
        void this.#changed();
      }
    });
    chrome.runtime.onInstalled.addListener(() => void this.#changed());
    chrome.runtime.onStartup.addListener(() => void this.#changed());
  }

  /** The handlers of `site.*`. */
  handlers(): Handlers {
    return {
      "site.state": async ({ page }, sender) => siteOf(hostnameOf(page, sender), await this.#choices()),
      "site.list": async () => ({ sites: sitesOf(await this.#choices()) }),
      "site.set": ({ host, change }) => this.#set(host, change),
    };
  }

  async #set(host: string, change: SiteChange): Promise<SiteState> {
    const { settings } = await this.#choices();
    const before = settings[host] ?? AS_IT_IS;
    const after = this.#changedBy(before, change);
    const isAsItIs = after.off.length + (after.on?.length ?? 0) === 0 && after.pausedUntil === null;
    const others = Object.fromEntries(Object.entries(settings).filter(([other]) => other !== host));
    await chrome.storage.local.set({ [KEY]: isAsItIs ? others : { ...others, [host]: after } });
    await this.#changed();
    const site = sitesOf(await this.#choices()).find((each) => each.host === host);
    return site ?? siteOf(host, await this.#choices());
  }

  #changedBy(before: Setting, change: SiteChange): Setting {
    if ("feature" in change) {
      const without = (features: readonly Feature[]): readonly Feature[] => features.filter((feature) => feature !== change.feature);
      const [off, on] = [without(before.off), without(before.on ?? [])];
      // Nothing but the guard is ever off by itself.
      const asked = change.isOn && change.feature === "guard" ? [...on, change.feature] : on;
      return { ...before, off: change.isOn ? off : [...off, change.feature], on: asked };
    }
    switch (change.pause) {
      case "hour":
        return { ...before, pausedUntil: this.#now() + HOUR_S };
      case "always":
        return { ...before, pausedUntil: "always" };
      case "end":
        return { ...before, pausedUntil: null };
    }
  }

  async #choices(): Promise<Choices> {
    const [{ origins }, stored] = await Promise.all([chrome.permissions.getAll(), chrome.storage.local.get(KEY)]);
    return {
      allowed: origins ?? [],
      settings: (stored[KEY] ?? {}) as Readonly<Record<string, Setting>>,
      now: this.#now(),
    };
  }

  #changed(): Promise<void> {
    this.#last = this.#last.catch(() => undefined).then(async () => {
      const choices = await this.#choices();
      await register(choices);
      await wakeAtEnd(choices);
      this.#tell();
    });
    return this.#last;
  }
}

async function register(choices: Choices): Promise<void> {
  const scripts = SCRIPTS.map(({ feature, ...script }) => ({ ...script, ...placesOf(feature, choices) })).filter(
    ({ matches }) => matches.length > 0,
  );
  await chrome.scripting.unregisterContentScripts();
  if (scripts.length > 0) {
    await chrome.scripting.registerContentScripts(scripts);
  }
}

async function wakeAtEnd({ settings, now }: Choices): Promise<void> {
  const ends = Object.values(settings)
    .map(({ pausedUntil }) => pausedUntil)
    .filter((until) => typeof until === "number")
    .filter((until) => until > now);
  if (ends.length > 0) {
    await chrome.alarms.create(ALARM, { when: Math.min(...ends) * 1000 });
  } else {
    await chrome.alarms.clear(ALARM);
  }
}

/** One of our own pages says which page it means; a content script is asked for its own, whatever it says. */
function hostnameOf(page: string | undefined, sender: Sender): string {
  const url = URL.parse(sender.isOwnPage && page !== undefined ? page : sender.url);
  if (url === null || url.hostname === "") {
    throw new Failure("not_found");
  }
  return url.hostname;
}
