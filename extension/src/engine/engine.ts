/** The engine's worker: one ask at a time, answered on the port that came with it. */

import { IntentEngine } from "../domain/intent/engine.ts";
import { observe } from "../domain/faces/pipeline.ts";
import type { Networks } from "../domain/faces/networks.ts";
import { decode, PictureRefused } from "./decode.ts";
import type { EngineAnswer, EngineAsk, Look, SeenView } from "./protocol.ts";
import { MAX_FACES, RECIPE } from "./recipe.ts";
import { NetworksUnavailable, openNetworks } from "./runtime.ts";

const bytesOf = async (path: string): Promise<ArrayBuffer> => {
  const response = await fetch(new URL(path, self.location.href));
  return response.arrayBuffer();
};

const intent = new IntentEngine(
  (file) => fetch(new URL(`../intent/${file}`, self.location.href)),
  (library) => library.ngrams(),
);

let loading: Promise<Networks> | undefined;

async function networks(): Promise<Networks> {
  loading ??= bytesOf("ort-wasm-simd-threaded.wasm").then((runtime) =>
    openNetworks((file) => bytesOf(`../models/${file}`), runtime),
  );
  try {
    return await loading;
  } catch (error) {
    // The next ask tries again.
    loading = undefined;
    throw error instanceof NetworksUnavailable ? error : new NetworksUnavailable("not loaded", { cause: error });
  }
}

async function look({ file, thorough }: Look): Promise<readonly SeenView[]> {
  const engine = await networks();
  const views: SeenView[] = [];
  for (const picture of await decode(file, thorough)) {
    const faces = await observe(engine, RECIPE, picture, thorough);
    if (faces.length > MAX_FACES) {
      // As unreadable as a picture with too many pixels: nothing in it passes unexamined.
      throw new PictureRefused("picture_too_large");
    }
    views.push({
      width: picture.width,
      height: picture.height,
      faces: faces.map(({ box, score, quality, embedding }) => ({
        box,
        score,
        quality: quality.score,
        issues: quality.issues,
        embedding,
      })),
    });
  }
  return views;
}

async function answer(ask: EngineAsk): Promise<EngineAnswer> {
  try {
    if (ask.op === "load") {
      await networks();
      return { ok: true };
    }
    if (ask.op === "assess") {
      return { ok: true, assessment: await intent.assess(ask.text, ask.turns) };
    }
    return { ok: true, views: await look(ask) };
  } catch (error) {
    if (error instanceof PictureRefused) {
      return { ok: false, why: error.why };
    }
    console.error("the engine failed", error instanceof Error ? error.message : typeof error);
    return { ok: false, why: "engine_unavailable" };
  }
}

self.addEventListener("message", (event: MessageEvent<EngineAsk>) => {
  const [port] = event.ports;
  void answer(event.data).then((result) => port?.postMessage(result));
});
