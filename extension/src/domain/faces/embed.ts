/** Chips to embeddings by a recipe of parts, each a network. Server: faces/embed.py. */

import { type Chip, chip } from "./align.ts";
import type { NetworkName, Networks } from "./networks.ts";
import type { Picture } from "./picture.ts";
import type { Landmarks } from "./places.ts";

/** One network and how a chip is made ready for it. */
export interface Part {
  readonly network: NetworkName;
  readonly dimension: number;
  readonly points: Landmarks;
  readonly side: number;
  readonly mean: readonly [number, number, number];
  readonly divisor: number;
  readonly addsMirrored: boolean;
  /** Its share of the fused cosine. */
  readonly weight: number;
}

const CHIPS_AT_ONCE = 16;

/** One embedding of L2 norm 1 for each face, in the same order. */
export async function embed(
  networks: Networks,
  parts: readonly Part[],
  picture: Picture,
  faces: readonly Landmarks[],
): Promise<Float32Array[]> {
  const dimension = parts.reduce((sum, part) => sum + part.dimension, 0);
  const rows = faces.map(() => new Float32Array(dimension));
  let offset = 0;
  for (const part of parts) {
    const share = Math.fround(Math.sqrt(part.weight));
    for (let start = 0; start < faces.length; start += CHIPS_AT_ONCE) {
      const chips = faces
        .slice(start, start + CHIPS_AT_ONCE)
        .map((landmarks) => chip(picture, landmarks, part.points, part.side));
      const embeddings = await embedChips(networks, part, chips);
      embeddings.forEach((embedding, i) => {
        rows[start + i]?.set(embedding.map((value) => share * value), offset);
      });
    }
    offset += part.dimension;
  }
  return rows.map(normalised);
}

async function embedChips(networks: Networks, part: Part, chips: readonly Chip[]): Promise<Float32Array[]> {
  const { side, dimension, addsMirrored } = part;
  const plane = side * side;
  const count = chips.length;
  const data = new Float32Array((addsMirrored ? 2 : 1) * count * 3 * plane);
  chips.forEach((one, n) => {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const from = 3 * (y * side + x);
        for (let c = 0; c < 3; c++) {
          const value = Math.fround((one.data[from + c] as number) - (part.mean[c] as number)) / part.divisor;
          data[(n * 3 + c) * plane + y * side + x] = value;
          if (addsMirrored) {
            data[((count + n) * 3 + c) * plane + y * side + side - 1 - x] = value;
          }
        }
      }
    }
  });
  const [output] = await networks.run(part.network, { data, dims: [data.length / (3 * plane), 3, side, side] });
  if (output === undefined || output.data.length !== (data.length / (3 * plane)) * dimension) {
    throw new RangeError(`${part.network} gave another shape than its recipe says`);
  }
  const row = (n: number): Float32Array => output.data.subarray(n * dimension, (n + 1) * dimension);
  return chips.map((_, n) => {
    const mirrored = addsMirrored ? row(count + n) : null;
    return normalised(row(n).map((value, i) => (mirrored === null ? value : value + (mirrored[i] as number))));
  });
}

function normalised(row: Float32Array): Float32Array {
  const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  if (!(norm > 0)) {
    throw new RangeError("an embedding has a length");
  }
  return row.map((value) => value / norm);
}
