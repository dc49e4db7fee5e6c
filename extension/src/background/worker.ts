/** The background: which handler answers which kind. Builds the parts and decides nothing. */

import { Door } from "./door.ts";
import { Engine, OffscreenHost, WorkerHost } from "./engine.ts";
import { welcomeOnce } from "./first-run.ts";
import { guardHandlers } from "./guard.ts";
import { Holds } from "./holds.ts";
import { tellEveryone } from "./notices.ts";
import { listen } from "./router.ts";
import { Sites } from "./sites.ts";
import { toolbarHandlers } from "./toolbar.ts";

const engine = new Engine(BROWSER === "chromium" ? new OffscreenHost() : new WorkerHost());
const now = (): number => Math.floor(Date.now() / 1000);
const sites = new Sites(now, () => void tellEveryone("sites"));
const door = new Door();
const holds = new Holds(chrome.storage.session, now);

welcomeOnce();
sites.watch();
door.watch();
listen({
  ...sites.handlers(),
  ...guardHandlers(door, holds),
  ...toolbarHandlers(),
  "text.assess": ({ text, turns }) => engine.assess(text, turns ?? []),
  "engine.state": async () => {
    await engine.load();
    return { state: engine.state, engine: "browser", model: engine.model };
  },
});
