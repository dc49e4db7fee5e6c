/**
 * The small classifier: how requests are spelt, and everything else, in all languages at once.
 *
 * The same weights and arithmetic as server/consentry/intent/ngrams.py, which says what they are and where they come
 * from; so the same score for the same words.
 */

import type { Sent } from "./characters.ts";
import type { Classifier, Thresholds } from "./hearing.ts";
import type { Normaliser } from "./normalise.ts";

const MAGIC = "CNGR";
const VERSION = 1;
const HEAD = 16; // bytes: magic, version, bits, shortest, longest, scale, bias
const HASH_BITS = 32;
const MULTIPLIER = 0x01000193;
const ZERO = 8; // of the sixteen values of a weight
const NEXT_TURN = [" ", "\n", " "];

/** Weights of n-grams, by the upper bits of their hash. */
export class Ngrams implements Classifier {
  readonly thresholds: Thresholds;
  readonly #normaliser: Normaliser;
  readonly #bits: number;
  readonly #shortest: number;
  readonly #longest: number;
  readonly #scale: number;
  readonly #bias: number;
  /** Two a byte, as in the file. */
  readonly #weights: Uint8Array;

  private constructor(head: DataView, weights: Uint8Array, thresholds: Thresholds, normaliser: Normaliser) {
    this.#bits = head.getUint8(5);
    this.#shortest = head.getUint8(6);
    this.#longest = head.getUint8(7);
    this.#scale = head.getFloat32(8, true);
    this.#bias = head.getFloat32(12, true);
    this.#weights = weights;
    this.thresholds = thresholds;
    this.#normaliser = normaliser;
  }

  /**
   * Read what `Ngrams.packed` of the server writes.
   *
   * @throws {Error} If it is something else, of another version, damaged or cut off.
   */
  static async parse(file: ArrayBuffer, thresholds: Thresholds, normaliser: Normaliser): Promise<Ngrams> {
    const head = new DataView(file, 0, Math.min(HEAD, file.byteLength));
    if (head.byteLength < HEAD || new TextDecoder("latin1").decode(file.slice(0, MAGIC.length)) !== MAGIC) {
      throw new Error("these are no weights of n-grams");
    }
    const version = head.getUint8(4);
    if (version !== VERSION) {
      throw new Error(`weights of n-grams of version ${version}, not ${VERSION}`);
    }
    const weights = await inflated(file.slice(HEAD));
    if (weights.length !== 2 ** (head.getUint8(5) - 1)) {
      throw new Error("weights of n-grams that are cut off, or too many");
    }
    return new Ngrams(head, weights, thresholds, normaliser);
  }

  /** How likely a conversation asks for something revealing, 0 to 1; the newest turn comes last. */
  score(turns: readonly Sent[]): number {
    return 1 / (1 + Math.exp(-this.logOdds(turns)));
  }

  /** The logarithm of likely to unlikely; the bias where nothing is written. */
  logOdds(turns: readonly Sent[]): number {
    const buckets = this.#buckets(turns);
    if (buckets.size === 0) {
      return this.#bias;
    }
    let total = 0;
    for (const bucket of buckets) {
      const pair = this.#weights[bucket >>> 1] ?? 0;
      total += (bucket % 2 === 0 ? pair & 15 : pair >>> 4) - ZERO;
    }
    return this.#bias + (this.#scale * total) / Math.sqrt(buckets.size);
  }

  /** Where the weights of a conversation's n-grams are, each once. */
  #buckets(turns: readonly Sent[]): Set<number> {
    const plain = turns.map((turn, i) => [...(i > 0 ? NEXT_TURN : []), ...this.#normaliser.plainPoints(turn)]);
    const points = [" ", ...plain.flat(), " "].map((point) => point.codePointAt(0) ?? 0);
    const found = new Set<number>();
    for (let start = 0; start < points.length; start += 1) {
      const stop = Math.min(start + this.#longest, points.length);
      let rolling = 0;
      for (let at = start; at < stop; at += 1) {
        rolling = Math.imul(rolling, MULTIPLIER) ^ (points[at] ?? 0);
        if (at - start + 1 >= this.#shortest) {
          found.add(mixed(rolling) >>> (HASH_BITS - this.#bits));
        }
      }
    }
    return found;
  }
}

function mixed(hash: number): number {
  const once = Math.imul(hash, 0x9e3779b1);
  const twice = Math.imul(once ^ (once >>> 15), 0x85ebca77);
  return twice ^ (twice >>> 13);
}

async function inflated(data: ArrayBuffer): Promise<Uint8Array> {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    throw new Error("weights of n-grams that are damaged", { cause: error });
  }
}
