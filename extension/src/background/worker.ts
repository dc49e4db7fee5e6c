/** The background: which handler answers which kind. Builds the parts and decides nothing. */

import { Engine, OffscreenHost, WorkerHost } from "./engine.ts";
import { welcomeOnce } from "./first-run.ts";
import { tellEveryone } from "./notices.ts";
import { listen } from "./router.ts";
import { Sites } from "./sites.ts";

const engine = new Engine(BROWSER === "chromium" ? new OffscreenHost() : new WorkerHost());
const sites = new Sites(
  () => Math.floor(Date.now() / 1000),
  () => void tellEveryone("sites"),
);

welcomeOnce();
sites.watch();
listen({
  ...sites.handlers(),
  "engine.state": async () => {
    await engine.load();
    return { state: engine.state, engine: "browser", model: engine.model };
  },
});
