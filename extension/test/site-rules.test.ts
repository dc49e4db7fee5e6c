/** Where scripts run: only where the browser and she both say yes. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { type Choices, EVERYWHERE, placesOf, siteOf, sitesOf } from "../src/domain/site-rules.ts";
import { KNOWN_SITES } from "../src/sites/catalogue.ts";

const X = ["https://*.x.com/*", "https://*.twitter.com/*", "https://*.twimg.com/*"];
const ALL = ["http://*/*", "https://*/*"];

function choices(allowed: readonly string[], settings: Choices["settings"] = {}): Choices {
  return { allowed, settings, now: 1000 };
}

test("from the start nothing is allowed, and no script runs anywhere", () => {
  assert.ok(sitesOf(choices([])).every((site) => !site.isAllowed));
  for (const feature of ["feed", "requests", "guard"] as const) {
    assert.deepEqual(placesOf(feature, choices([])), { matches: [], excludeMatches: [] });
  }
});

test("a subdomain belongs to its site, a name that only ends alike does not", () => {
  assert.equal(siteOf("mobile.x.com", choices(X)).name, "X");
  assert.equal(siteOf("twitter.com", choices(X)).host, "x.com");
  assert.equal(siteOf("netflix.com", choices(X)).isKnown, false);
  assert.equal(siteOf("x.com.example.org", choices(X)).isAllowed, false);
});

test("a site works only when its pictures are allowed too", () => {
  assert.equal(siteOf("x.com", choices(X)).isAllowed, true);
  assert.equal(siteOf("x.com", choices(X.slice(0, 2))).isAllowed, false);
});

test("scripts go to pages, not to where pictures lie", () => {
  assert.deepEqual(placesOf("feed", choices(X)).matches, ["https://*.x.com/*", "https://*.twitter.com/*"]);
});

test("what a site does not offer is not put there", () => {
  const grok = ["https://*.grok.com/*"];
  assert.deepEqual(placesOf("guard", choices(grok)).matches, grok);
  assert.deepEqual(placesOf("feed", choices(grok)).matches, []);
});

test("a site that she added herself is listed and watched", () => {
  const added = choices(["*://forum.example.org/*"]);
  const site = sitesOf(added).find(({ host }) => host === "forum.example.org");
  assert.deepEqual([site?.isAllowed, site?.isKnown, site?.feed], [true, false, true]);
  assert.deepEqual(placesOf("guard", added).matches, ["*://forum.example.org/*"]);
});

test("a companion that may be asked is no site that is watched", () => {
  const paired = choices(["http://127.0.0.1/*"]);
  assert.ok(sitesOf(paired).every(({ host }) => host !== "127.0.0.1"));
  assert.deepEqual(placesOf("feed", paired).matches, []);
});

test("what she switched off stays off", () => {
  const off = choices(X, { "x.com": { off: ["guard"], pausedUntil: null } });
  assert.deepEqual(placesOf("guard", off).matches, []);
  assert.notDeepEqual(placesOf("feed", off).matches, []);
});

test("a pause ends by itself, on the second", () => {
  const at = (pausedUntil: number | "always" | null): unknown =>
    siteOf("x.com", choices(X, { "x.com": { off: [], pausedUntil } })).pausedUntil;
  assert.deepEqual([at(1001), at(1000), at("always"), at(null)], [1001, null, "always", null]);
});

test("paused always means no script at all; an hour leaves it there, resting", () => {
  const paused = (pausedUntil: number | "always"): readonly string[] =>
    placesOf("feed", choices(X, { "x.com": { off: [], pausedUntil } })).matches;
  assert.deepEqual(paused("always"), []);
  assert.notDeepEqual(paused(4600), []);
});

test("with every site allowed, those that she switched off are left out", () => {
  const everywhere = choices(ALL, {
    "x.com": { off: [], pausedUntil: "always" },
    "forum.example.org": { off: ["guard"], pausedUntil: null },
  });
  assert.deepEqual(placesOf("feed", everywhere), {
    matches: ALL,
    excludeMatches: ["https://*.x.com/*", "https://*.twitter.com/*"],
  });
  assert.equal(siteOf("anything.example", everywhere).isAllowed, true);
  assert.equal(sitesOf(everywhere).at(-1)?.host, EVERYWHERE);
});

test("with every site allowed the guard is at generators, and where she asked for it", () => {
  const everywhere = choices(ALL);
  assert.ok(placesOf("guard", everywhere).matches.includes("https://*.grok.com/*"));
  assert.ok(!placesOf("guard", everywhere).matches.some((each) => ALL.includes(each)));
  assert.equal(siteOf("bank.example", everywhere).guard, false);
  assert.equal(siteOf("grok.com", everywhere).guard, true);

  const asked = choices(ALL, { "studio.example": { off: [], on: ["guard"], pausedUntil: null } });
  assert.ok(placesOf("guard", asked).matches.includes("*://studio.example/*"));
  assert.equal(siteOf("studio.example", asked).guard, true);
  const alone = choices([...ALL, "*://studio.example/*"]);
  assert.equal(siteOf("studio.example", alone).guard, true);
});

test("the guard can be switched on for every site, and off again for one", () => {
  const guarded = choices(ALL, {
    [EVERYWHERE]: { off: [], on: ["guard"], pausedUntil: null },
    "forum.example.org": { off: ["guard"], pausedUntil: null },
  });
  assert.deepEqual(placesOf("guard", guarded), { matches: ALL, excludeMatches: ["*://forum.example.org/*"] });
  assert.equal(siteOf("bank.example", guarded).guard, true);
});

test("every site at once can be paused as well", () => {
  const paused = choices(ALL, { [EVERYWHERE]: { off: [], pausedUntil: "always" } });
  assert.ok(!placesOf("feed", paused).matches.includes(ALL[1] ?? ""));
});

test("no two known sites share a page", () => {
  const hosts = KNOWN_SITES.flatMap((site) => site.hosts);
  assert.equal(new Set(hosts).size, hosts.length);
});

test("a site whose posts can be read can be allowed by name", () => {
  const folder = new URL("../src/sites/", import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  const hosts = files.flatMap((file) => (JSON.parse(readFileSync(new URL(file, folder), "utf-8")) as { hosts?: string[] }).hosts ?? []);
  assert.ok(hosts.length > 5);
  for (const host of hosts) {
    assert.ok(siteOf(host, choices([])).offers.includes("requests") && siteOf(host, choices([])).isKnown, host);
  }
});
