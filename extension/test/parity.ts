/**
 * Run the browser's engine on raw pictures, for tests/extension/test_engine_parity.py.
 *
 *     node parity.ts FOLDER MODELS    FOLDER/cases.json -> what was seen, as JSON on standard output
 */

import { readFile } from "node:fs/promises";
import path from "node:path";

import { observe } from "../src/domain/faces/pipeline.ts";
import { resized } from "../src/domain/faces/resample.ts";
import { RECIPE } from "../src/engine/recipe.ts";
import { openNetworks } from "../src/engine/runtime.ts";

interface Case {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly thorough?: boolean;
  readonly resize?: readonly [number, number];
}

const [folder = "", models = ""] = process.argv.slice(2);
const cases: Case[] = JSON.parse(await readFile(path.join(folder, "cases.json"), "utf-8"));
const bytes = async (file: string): Promise<ArrayBuffer> => Uint8Array.from(await readFile(file)).buffer;
const runtime = new URL("../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", import.meta.url);

const networks = cases.some(({ resize }) => resize === undefined)
  ? await openNetworks((file) => bytes(path.join(models, file)), await bytes(runtime.pathname))
  : null;
const results: unknown[] = [];
for (const { file, width, height, thorough = false, resize } of cases) {
  const picture = { width, height, data: new Uint8Array(await bytes(path.join(folder, file))) };
  if (resize !== undefined) {
    results.push(Buffer.from(resized(picture, ...resize).data).toString("base64"));
  } else if (networks !== null) {
    const started = performance.now();
    const faces = await observe(networks, RECIPE, picture, thorough);
    results.push({
      ms: performance.now() - started,
      faces: faces.map((face) => ({ ...face, embedding: face.embedding && [...face.embedding] })),
    });
  }
}
process.stdout.write(JSON.stringify(results));
