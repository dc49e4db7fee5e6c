/** ONNX Runtime is known here and nowhere else: one thread of WebAssembly, the networks that the build copied. */

import * as ort from "onnxruntime-web/wasm";

import type { NetworkName, Networks, Tensor } from "../domain/faces/networks.ts";
import { toHex } from "../domain/hex.ts";
import { NETWORKS } from "./recipe.ts";

const ERRORS_ONLY = 3;
const INPUT = "input";

/** A network's file is missing or not the pinned one, or the runtime does not start. */
export class NetworksUnavailable extends Error {
  override readonly name = "NetworksUnavailable";
}

/**
 * Load every network, each verified by its SHA-256.
 *
 * @param readFile The bytes of a file of the extension: a network by its file name.
 * @param runtime The bytes of ort-wasm-simd-threaded.wasm.
 * @throws {NetworksUnavailable}
 */
export async function openNetworks(
  readFile: (file: string) => Promise<ArrayBuffer>,
  runtime: ArrayBuffer,
): Promise<Networks> {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = runtime;
  ort.env.logLevel = "error";
  const sessions = new Map<NetworkName, ort.InferenceSession>();
  try {
    for (const { name, file, sha256 } of NETWORKS) {
      const bytes = await readFile(file);
      // What is hashed is what is loaded.
      const digest = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
      if (digest !== sha256) {
        throw new NetworksUnavailable(`the file of the network ${name} is not the pinned one`);
      }
      const session = await ort.InferenceSession.create(new Uint8Array(bytes), {
        executionProviders: ["wasm"],
        logSeverityLevel: ERRORS_ONLY,
        // Patterns are planned for one size of picture and kept; pictures come in every size.
        enableMemPattern: false,
      });
      sessions.set(name, session);
    }
  } catch (error) {
    throw error instanceof NetworksUnavailable
      ? error
      : new NetworksUnavailable("a network could not be loaded", { cause: error });
  }
  return {
    async run(name: NetworkName, input: Tensor): Promise<readonly Tensor[]> {
      const session = sessions.get(name);
      if (session === undefined) {
        throw new NetworksUnavailable(`there is no network ${name}`);
      }
      const outputs = await session.run({ [INPUT]: new ort.Tensor("float32", input.data, [...input.dims]) });
      return session.outputNames.map((output) => {
        const { data, dims } = outputs[output] as ort.Tensor;
        return { data: data as Float32Array, dims };
      });
    },
  };
}
