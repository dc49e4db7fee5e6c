/** Which sites there are, what the browser allows on them, and where each kind of script belongs. No `chrome.*`. */

import type { SiteState, UnixTime } from "../messages.ts";
import { type Feature, KNOWN_SITES, type KnownSite } from "../sites/catalogue.ts";

/** Stands for every site, those that are not known by name too. */
export const EVERYWHERE = "*";
/** Where a companion listens. Allowed so that it can be asked, which makes it no site to be watched. */
export const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost"]);
const ALL: readonly string[] = ["http://*/*", "https://*/*"];
const FEATURES: readonly Feature[] = ["feed", "requests", "guard"];

/** What she has set for one site; nothing is kept for a site that she has left as it is. */
export interface Setting {
  readonly off: readonly Feature[];
  /** What is off by itself there, and she wants: the guard where only "every site" is allowed. Older settings lack it. */
  readonly on?: readonly Feature[];
  readonly pausedUntil: UnixTime | "always" | null;
}

export const AS_IT_IS: Setting = { off: [], pausedUntil: null };

/** What the browser and she have said, at one moment. */
export interface Choices {
  /** Match patterns that the browser allows. */
  readonly allowed: readonly string[];
  /** By host. */
  readonly settings: Readonly<Record<string, Setting>>;
  readonly now: UnixTime;
}

/** The site that a page belongs to. */
export function siteOf(hostname: string, choices: Choices): SiteState {
  const known = KNOWN_SITES.find(({ hosts }) => hosts.some((host) => isBelow(hostname, host)));
  return known === undefined ? otherSite(hostname, choices) : knownSite(known, choices);
}

/** Everything that the list of sites shows: those known by name, those that she added, and every site at once. */
export function sitesOf(choices: Choices): readonly SiteState[] {
  const known = KNOWN_SITES.map((site) => knownSite(site, choices));
  const covered = new Set(known.flatMap((site) => site.origins));
  const asked = Object.entries(choices.settings).filter(([host, { on = [] }]) => host !== EVERYWHERE && on.length > 0);
  const added = choices.allowed
    .filter((pattern) => !covered.has(pattern) && !isEverywhere(pattern))
    .map((pattern) => URL.parse(pattern.replace("://*.", "://").replace("*://", "https://"))?.hostname ?? "")
    .concat(asked.map(([host]) => host).filter((host) => siteOf(host, choices).host === host && !siteOf(host, choices).isKnown))
    .filter((hostname) => hostname !== "" && !LOOPBACK.has(hostname));
  // A page that takes pictures is no generator: a bank, a doctor. There the guard is for her to ask for.
  const everywhere = state({ host: EVERYWHERE, name: EVERYWHERE, origins: ALL, offers: FEATURES, unasked: ["guard"] }, choices);
  return [...known, ...new Set(added)].map((site) => (typeof site === "string" ? otherSite(site, choices) : site)).concat(everywhere);
}

/** Where the script of one feature belongs; `matches` is empty where nowhere. */
export function placesOf(feature: Feature, choices: Choices): { readonly matches: string[]; readonly excludeMatches: string[] } {
  const sites = sitesOf(choices).filter((site) => site.offers.includes(feature));
  const isOn = (site: SiteState): boolean => site.isAllowed && site[feature] && site.pausedUntil !== "always";
  const pages = (chosen: readonly SiteState[]): string[] => [...new Set(chosen.flatMap(pagesOf))];
  if (sites.some((site) => site.host === EVERYWHERE && isOn(site))) {
    const off = settled(choices).filter((site) => !isOn(site));
    return { matches: [...ALL], excludeMatches: pages(off) };
  }
  return { matches: pages(sites.filter((site) => site.host !== EVERYWHERE && isOn(site))), excludeMatches: [] };
}

/** Sites that she has set something for. */
function settled(choices: Choices): readonly SiteState[] {
  return Object.keys(choices.settings)
    .filter((host) => host !== EVERYWHERE)
    .map((host) => siteOf(host, choices));
}

function pagesOf(site: SiteState): readonly string[] {
  const known = KNOWN_SITES.find(({ hosts }) => hosts[0] === site.host);
  return known === undefined ? site.origins : known.hosts.map(pattern);
}

function knownSite(site: KnownSite, choices: Choices): SiteState {
  const origins = [...site.hosts, ...site.pictures].map(pattern);
  return state({ host: site.hosts[0], name: site.name, origins, offers: site.offers, unasked: [] }, choices);
}

function otherSite(hostname: string, choices: Choices): SiteState {
  const origins = [`*://${hostname}/*`];
  const isAmongAll = choices.allowed.some(isEverywhere) && !isAllowedBy(origins, choices.allowed.filter((each) => !isEverywhere(each)));
  const unasked: readonly Feature[] = isAmongAll && choices.settings[EVERYWHERE]?.on?.includes("guard") !== true ? ["guard"] : [];
  return state({ host: hostname, name: hostname, origins, offers: FEATURES, unasked }, choices);
}

interface Site {
  readonly host: string;
  readonly name: string;
  readonly origins: readonly string[];
  readonly offers: readonly Feature[];
  /** What is off until she asks for it. */
  readonly unasked: readonly Feature[];
}

function state({ host, name, origins, offers, unasked }: Site, choices: Choices): SiteState {
  const { off, on = [], pausedUntil } = choices.settings[host] ?? AS_IT_IS;
  const isOver = typeof pausedUntil === "number" && pausedUntil <= choices.now;
  const isOn = (feature: Feature): boolean =>
    offers.includes(feature) && !off.includes(feature) && (!unasked.includes(feature) || on.includes(feature));
  return {
    host,
    name,
    origins,
    offers,
    isKnown: name !== host,
    isAllowed: isAllowedBy(origins, choices.allowed),
    feed: isOn("feed"),
    requests: isOn("requests"),
    guard: isOn("guard"),
    pausedUntil: isOver ? null : pausedUntil,
  };
}

const isAllowedBy = (origins: readonly string[], allowed: readonly string[]): boolean =>
  origins.every((origin) => isAllowed(origin, allowed));

/** Whether a pattern is that of every site. */
function isEverywhere(allowed: string): boolean {
  return allowed === "<all_urls>" || hostOf(allowed) === "*";
}

function pattern(host: string): string {
  return `https://*.${host}/*`;
}

/** Whether a pattern is within one that is allowed. Both are of the forms that are made here, or that a browser grants. */
function isAllowed(wanted: string, allowed: readonly string[]): boolean {
  const schemes = wanted.startsWith("*://") ? ["http", "https"] : [wanted.slice(0, wanted.indexOf(":"))];
  const host = hostOf(wanted);
  return schemes.every((scheme) =>
    allowed.some((each) => {
      const fits = each === "<all_urls>" || each.startsWith("*://") || each.startsWith(`${scheme}://`);
      const given = each === "<all_urls>" ? "*" : hostOf(each);
      return fits && (given === "*" || given === host || (given.startsWith("*.") && isBelow(host.replace("*.", ""), given.slice(2))));
    }),
  );
}

function hostOf(matchPattern: string): string {
  return matchPattern.slice(matchPattern.indexOf("://") + 3).replace(/\/\*$/, "");
}

function isBelow(hostname: string, host: string): boolean {
  return hostname === host || hostname.endsWith(`.${host}`);
}
