/** The quick look over (a part of) a picture: YuNet proposes faces, most of them right. Server: faces/scout.py. */

import type { Networks, Tensor } from "./networks.ts";
import type { Picture } from "./picture.ts";
import { type DetectedFace, type Point, asLandmarks, onceEach } from "./places.ts";

/** Of the network's outputs. */
const STRIDES = [8, 16, 32] as const;
/** Of the sides that the network takes. */
const MULTIPLE = 32;
const MIN_SCORE = 0.3;
/** A box is never longer than this many cells of its level; keeps the exponential finite. */
const MAX_LOG_SIDE = 6;
const CHANNELS = 16;

const roundUp = (side: number): number => Math.ceil(side / MULTIPLE) * MULTIPLE;
const logit = (probability: number): number => Math.log(probability / (1 - probability));

/**
 * Propose the faces of pictures of one size, upright ones first of all.
 *
 * @returns For each picture its faces in its own pixels, surest first. A face may be none.
 */
export async function look(networks: Networks, pictures: readonly Picture[]): Promise<DetectedFace[][]> {
  const [first] = pictures;
  if (first === undefined) {
    return [];
  }
  const width = roundUp(first.width);
  const height = roundUp(first.height);
  const plane = width * height;
  const batch = new Float32Array(pictures.length * 3 * plane);
  pictures.forEach((picture, n) => {
    for (let y = 0; y < picture.height; y++) {
      let from = 3 * y * picture.width;
      let to = n * 3 * plane + y * width;
      for (let x = 0; x < picture.width; x++, from += 3, to++) {
        batch[to] = picture.data[from] as number;
        batch[to + plane] = picture.data[from + 1] as number;
        batch[to + 2 * plane] = picture.data[from + 2] as number;
      }
    }
  });
  const levels = await networks.run("yunet", { data: batch, dims: [pictures.length, 3, height, width] });
  return pictures.map((_, n) => decode(levels, n));
}

/**
 * Turn the three outputs into faces: of cells that overlap, the surest.
 *
 * @param levels Each `(n, 16, h, w)`: logits of face and object; the box's centre and the logarithm of its sides; five
 *   points; x before y, in cells, from the cell's own corner.
 */
function decode(levels: readonly Tensor[], n: number): DetectedFace[] {
  const found: DetectedFace[] = [];
  // The weaker of the two bounds the score, so that few cells need an exponential.
  const least = logit(MIN_SCORE ** 2);
  STRIDES.forEach((stride, i) => {
    const { data, dims } = levels[i] as Tensor;
    const rows = dims[2] as number;
    const columns = dims[3] as number;
    const plane = rows * columns;
    const start = n * CHANNELS * plane;
    for (let cell = 0; cell < plane; cell++) {
      const value = (channel: number): number => data[start + channel * plane + cell] as number;
      if (!(Math.min(value(0), value(1)) > least)) {
        continue;
      }
      const score = 1 / Math.sqrt((1 + Math.exp(-value(0))) * (1 + Math.exp(-value(1))));
      if (score < MIN_SCORE) {
        continue;
      }
      const column = cell % columns;
      const row = Math.trunc(cell / columns);
      const w = Math.exp(Math.min(value(4), MAX_LOG_SIDE)) * stride;
      const h = Math.exp(Math.min(value(5), MAX_LOG_SIDE)) * stride;
      const points = [0, 1, 2, 3, 4].map((point): Point => [
        (value(6 + 2 * point) + column) * stride,
        (value(7 + 2 * point) + row) * stride,
      ]);
      const x = (value(2) + column) * stride - w / 2;
      const y = (value(3) + row) * stride - h / 2;
      found.push({ box: { x, y, w, h }, landmarks: asLandmarks(points), score });
    }
  });
  return onceEach(found);
}
