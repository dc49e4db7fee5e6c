/** The background: which handler answers which kind. Builds the parts and decides nothing. */

import { Engine, OffscreenHost, WorkerHost } from "./engine.ts";
import { listen } from "./router.ts";

const engine = new Engine(BROWSER === "chromium" ? new OffscreenHost() : new WorkerHost());

listen({
  "engine.state": async () => {
    await engine.load();
    return { state: engine.state, engine: "browser", model: engine.model };
  },
});
