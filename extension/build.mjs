/**
 * Builds the extension for both browsers: dist/chromium, dist/firefox, and a zip of each for the stores.
 *
 *     node build.mjs --models FOLDER [--out FOLDER] [--no-zip]
 *
 * What becomes a script is found by its place:
 *
 *     src/background/worker.ts                     background.js            service worker, event page in Firefox
 *     src/engine/offscreen.ts, engine.ts           engine/*.js              offscreen document, the engine's worker
 *     src/content/<name>/{isolated,main-world}.ts  content/<name>/*.js      content scripts
 *     src/pages/<name>/<name>.ts and .html         pages/<name>/            pages; a folder's other .css goes along
 *
 * The networks are copied from the models folder (`consentry models build`) once their SHA-256 is the pinned one.
 */

import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import * as esbuild from "esbuild";

import { drawIcons } from "./icons.mjs";
import { zip } from "./zip.mjs";

const ROOT = import.meta.dirname;
const { values: options } = parseArgs({
  options: {
    models: { type: "string" },
    out: { type: "string", default: path.join(ROOT, "dist") },
    "no-zip": { type: "boolean", default: false },
  },
});
const TARGETS = { chromium: "chrome137", firefox: "firefox140" };
const RUNTIME = "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm";

const read = (name) => JSON.parse(fs.readFileSync(path.join(ROOT, name), "utf-8"));

/** Scripts by where they go, without the ending. */
function entries(kinds) {
  const found = {};
  for (const file of fs.globSync("src/{background/worker,engine/offscreen,engine/engine}.ts", { cwd: ROOT })) {
    found[file.replace(/^src\//, "").replace(/\.ts$/, "").replace("background/worker", "background")] = file;
  }
  for (const file of fs.globSync("src/pages/*/*.ts", { cwd: ROOT })) {
    const [, , folder, name] = file.split(path.sep);
    if (name === `${folder}.ts`) {
      found[`pages/${folder}/${folder}`] = file;
    }
  }
  const content = {};
  for (const file of fs.globSync("src/content/*/{isolated,main-world}.ts", { cwd: ROOT })) {
    content[file.replace(/^src\//, "").replace(/\.ts$/, "")] = file;
  }
  return kinds === "content" ? content : found;
}

function manifest(target) {
  const base = read("manifest/base.json");
  const own = read(`manifest/${target}.json`);
  const permissions = [...base.permissions, ...(own.permissions ?? [])].sort();
  return { ...base, ...own, permissions, version: read("package.json").version };
}

function copyModels(out) {
  const folder = options.models;
  if (folder === undefined) {
    throw new Error("say where the networks are: --models FOLDER (consentry models build makes them)");
  }
  fs.mkdirSync(path.join(out, "models"));
  for (const { file, sha256 } of read("src/engine/engine.json").networks) {
    const bytes = fs.readFileSync(path.join(folder, file));
    if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
      throw new Error(`${file} is not the pinned one (SHA-256 differs); run: consentry models build`);
    }
    fs.writeFileSync(path.join(out, "models", file), bytes);
  }
}

/** Whose work is in the package, and on which terms. */
function copyLicences(out) {
  fs.mkdirSync(out);
  fs.copyFileSync(path.join(ROOT, "..", "LICENSE"), path.join(out, "consentry.txt"));
  fs.copyFileSync(path.join(ROOT, "node_modules/hash-wasm/LICENSE"), path.join(out, "hash-wasm.txt"));
  const { license, repository } = read("node_modules/onnxruntime-web/package.json");
  const words = `onnxruntime-web: ${license}, ${repository.url}\n`;
  fs.writeFileSync(path.join(out, "onnxruntime-web.txt"), words);
  const networks = read("src/engine/engine.json").networks.map(({ file, licence, package: source }) => ({ file, licence, source }));
  fs.writeFileSync(path.join(out, "models.json"), `${JSON.stringify(networks, null, 1)}\n`);
}

async function build(target) {
  const done = path.join(options.out, target);
  // Built aside and moved when whole, so that a browser that has the folder loaded never sees half of it.
  fs.mkdirSync(options.out, { recursive: true });
  const out = fs.mkdtempSync(path.join(options.out, `.${target}-`));
  const shared = {
    absWorkingDir: ROOT,
    bundle: true,
    outdir: out,
    target: TARGETS[target],
    define: { BROWSER: JSON.stringify(target) },
    // ONNX Runtime looks for Node first; in a browser nothing of that is reached.
    external: ["node:*"],
    legalComments: "linked",
    charset: "utf8",
    logLevel: "warning",
  };
  await Promise.all([
    esbuild.build({ ...shared, entryPoints: entries("modules"), format: "esm" }),
    esbuild.build({ ...shared, entryPoints: entries("content"), format: "iife" }),
  ]);
  for (const file of fs.globSync("src/{engine,pages}/**/*.{html,css,svg,png}", { cwd: ROOT })) {
    const to = path.join(out, file.replace(/^src[/\\]/, ""));
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.copyFileSync(path.join(ROOT, file), to);
  }
  fs.cpSync(path.join(ROOT, "_locales"), path.join(out, "_locales"), { recursive: true });
  fs.cpSync(path.join(ROOT, "src/domain/intent/data"), path.join(out, "intent"), { recursive: true });
  drawIcons(path.join(out, "icons"));
  fs.copyFileSync(path.join(ROOT, RUNTIME), path.join(out, "engine", path.basename(RUNTIME)));
  copyModels(out);
  copyLicences(path.join(out, "licences"));
  fs.writeFileSync(path.join(out, "manifest.json"), `${JSON.stringify(manifest(target), null, 2)}\n`);
  fs.chmodSync(out, 0o755);
  fs.rmSync(done, { recursive: true, force: true });
  fs.renameSync(out, done);
  if (!options["no-zip"]) {
    zip(done, path.join(options.out, `consentry-${target}.zip`));
  }
}

for (const target of Object.keys(TARGETS)) {
  await build(target);
}
