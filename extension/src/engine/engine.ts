/** The engine's worker: one ask at a time, answered on the port that came with it. */

import type { EngineAnswer, EngineAsk } from "./protocol.ts";

self.addEventListener("message", (event: MessageEvent<EngineAsk>) => {
  const [port] = event.ports;
  const answer: EngineAnswer = event.data.op === "load" ? { ok: true } : { ok: false, why: "engine_unavailable" };
  port?.postMessage(answer);
});
