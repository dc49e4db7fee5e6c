/** The background: which handler answers which kind. Builds the parts and decides nothing. */

import { BrowserSession, BrowserVaultStore } from "../vault/storage.ts";
import { Vault } from "../vault/vault.ts";
import { DIMENSION, MODEL } from "../engine/recipe.ts";
import type { PictureAnswer } from "../messages.ts";
import version from "../domain/intent/data/version.json" with { type: "json" };
import { Alerts } from "./alerts.ts";
import { Checks } from "./checks.ts";
import { Companion } from "./companion/companion.ts";
import { consentHandlers } from "./companion/consents.ts";
import { Door } from "./door.ts";
import { Enrolment } from "./enrolment.ts";
import { Engine, OffscreenHost, WorkerHost } from "./engine.ts";
import { welcomeOnce } from "./first-run.ts";
import { guardHandlers } from "./guard.ts";
import { Holds } from "./holds.ts";
import { BrowserRows } from "./inbox-rows.ts";
import { Inbox } from "./inbox.ts";
import { tellEveryone } from "./notices.ts";
import { Notifications } from "./notifications.ts";
import { RequestWatch } from "./requests.ts";
import { listen } from "./router.ts";
import { SeenPictures } from "./seen.ts";
import { Sites } from "./sites.ts";
import { toolbarHandlers } from "./toolbar.ts";
import { lockWhenIdle, vaultHandlers } from "./vault.ts";
import { Waiting } from "./waiting.ts";

const engine = new Engine(BROWSER === "chromium" ? new OffscreenHost() : new WorkerHost());
const now = (): number => Math.floor(Date.now() / 1000);
const sites = new Sites(now, () => void tellEveryone("sites"));
const door = new Door();
const holds = new Holds(chrome.storage.session, now);
const seen = new SeenPictures<PictureAnswer>();
const vault = new Vault({
  store: new BrowserVaultStore(),
  session: new BrowserSession(),
  model: MODEL,
  dimension: DIMENSION,
  now: () => new Date(),
  changed: () => {
    seen.clear();
    void tellEveryone("vault");
    void alerts.count();
  },
});
const inbox = new Inbox(new BrowserRows(), vault, () => crypto.randomUUID());
const notifications = new Notifications(chrome.storage.local);
const waiting = new Waiting({ storage: chrome.storage.session, raise: (notification) => notifications.raise(notification) });
const alerts = new Alerts({
  inbox,
  state: () => vault.state(),
  verify: (secret) => vault.verify(secret),
  engine: version.engine,
  now,
  notify: (notification) => notifications.raise(notification),
  tell: () => void tellEveryone("inbox"),
});
const companion = new Companion({
  storage: chrome.storage.local,
  send: (url, init) => fetch(url, init),
  origin: new URL(chrome.runtime.getURL("")).origin,
  name: BROWSER === "chromium" ? "Chromium" : "Firefox",
  now: () => Date.now(),
  changed: () => {
    seen.clear();
    void tellEveryone("companion");
  },
});
const enrolment = new Enrolment(engine, vault, chrome.storage.session);
const checks = new Checks({
  engine,
  vault,
  companion,
  holds,
  seen,
  assess: (text) => engine.assess(text, []),
  called: () => inbox.handles(),
});
const requests = new RequestWatch({
  assess: (text, turns) => engine.assess(text, turns),
  hear: (text, turns) => companion.words(text, turns),
  check: (picture, sender) => checks.picture(picture, sender),
  vault: async () => (await vault.state()).state,
  handles: () => inbox.handles(),
  raise: (sighting) => alerts.raise(sighting),
  now,
});

welcomeOnce();
sites.watch();
door.watch();
void holds.sweep();
alerts.watch();
waiting.watch();
lockWhenIdle(vault);
listen({
  ...vaultHandlers(vault, inbox),
  ...enrolment.handlers(),
  ...checks.handlers(),
  ...companion.handlers(),
  ...consentHandlers(companion, async () => new Map((await vault.state()).subjects.map(({ subject, name }) => [subject, name]))),
  ...sites.handlers(),
  ...guardHandlers(door, holds, waiting),
  ...toolbarHandlers(),
  ...alerts.handlers(),
  ...notifications.handlers(),
  ...waiting.handlers(),
  ...requests.handlers(),
  "text.assess": ({ text, turns }) => engine.assess(text, turns ?? []),
  "engine.state": async () => {
    await engine.load();
    const { state } = await companion.state();
    return { state: engine.state, engine: state === "reachable" ? "companion" : "browser", model: MODEL };
  },
});
