/**
 * Resizing, byte for byte as the server's (Pillow's bilinear filter with a reducing gap of 2).
 *
 * Much larger pictures are first averaged in whole blocks down to about twice the size, then filtered with a triangle
 * as wide as the shrinking asks, in 8 bits and 22-bit fixed point.
 */

import type { Picture } from "./picture.ts";

const REDUCING_GAP = 2;
const PRECISION_BITS = 22;
const HALF = 1 << (PRECISION_BITS - 1);

/** Where each pixel of the result reads from, and with which weights. */
interface Weights {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** `size` for each pixel of the result. */
  readonly values: Int32Array;
  readonly size: number;
}

export function resized(picture: Picture, width: number, height: number): Picture {
  const toWidth = Math.max(1, width);
  const toHeight = Math.max(1, height);
  if (toWidth === picture.width && toHeight === picture.height) {
    return picture;
  }
  const columns = Math.trunc(picture.width / toWidth / REDUCING_GAP) || 1;
  const rows = Math.trunc(picture.height / toHeight / REDUCING_GAP) || 1;
  let source = picture;
  let boxWidth = picture.width;
  let boxHeight = picture.height;
  if (columns > 1 || rows > 1) {
    source = reduced(picture, columns, rows);
    boxWidth = Math.fround(picture.width / columns);
    boxHeight = Math.fround(picture.height / rows);
  }
  const isWidthRight = toWidth === source.width && boxWidth === toWidth;
  const isHeightRight = toHeight === source.height && boxHeight === toHeight;
  const across = (from: Picture): Picture =>
    isWidthRight ? from : filteredAcross(from, weights(source.width, boxWidth, toWidth), toWidth);
  const down = (from: Picture): Picture =>
    isHeightRight ? from : filteredDown(from, weights(source.height, boxHeight, toHeight), toHeight);
  // Between the two passes values are rounded, so their order shows. Since version 13 Pillow begins with the columns
  // where the height loses much more than the width.
  const lost = source.height - toHeight;
  return lost > 0 && lost > 2 * (source.width - toWidth) ? across(down(source)) : down(across(source));
}

/** The mean of each block of `across` by `down` pixels; blocks cut off by the edge average what there is. */
function reduced(picture: Picture, across: number, down: number): Picture {
  const width = Math.ceil(picture.width / across);
  const height = Math.ceil(picture.height / down);
  const data = new Uint8Array(3 * width * height);
  const sums = new Uint32Array(3 * width);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    const rows = Math.min(down, picture.height - y * down);
    for (let row = y * down; row < y * down + rows; row++) {
      let from = 3 * row * picture.width;
      for (let x = 0; x < picture.width; x++, from += 3) {
        const to = 3 * Math.trunc(x / across);
        sums[to] = (sums[to] as number) + (picture.data[from] as number);
        sums[to + 1] = (sums[to + 1] as number) + (picture.data[from + 1] as number);
        sums[to + 2] = (sums[to + 2] as number) + (picture.data[from + 2] as number);
      }
    }
    for (let x = 0; x < width; x++) {
      const count = rows * Math.min(across, picture.width - x * across);
      // Division by multiplication with a 32-bit reciprocal that was rounded to single precision.
      const reciprocal = Math.trunc(Math.fround(2 ** 32 / Math.fround(256 * count)));
      for (let c = 3 * x; c < 3 * x + 3; c++) {
        const sum = (sums[c] as number) + (count >> 1);
        data[3 * y * width + c] = Math.trunc((sum * reciprocal) / 2 ** 24);
      }
    }
  }
  return { width, height, data };
}

function weights(length: number, boxLength: number, toLength: number): Weights {
  const scale = boxLength / toLength;
  const filterScale = Math.max(scale, 1);
  const support = filterScale;
  const size = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(toLength);
  const counts = new Int32Array(toLength);
  const values = new Int32Array(toLength * size);
  const exact = new Float64Array(size);
  for (let i = 0; i < toLength; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(length, Math.trunc(centre + support + 0.5)) - start;
    const inverse = 1 / filterScale;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const value = Math.max(0, 1 - Math.abs((k + start - centre + 0.5) * inverse));
      exact[k] = value;
      sum += value;
    }
    for (let k = 0; k < count; k++) {
      const share = sum === 0 ? (exact[k] as number) : (exact[k] as number) / sum;
      values[i * size + k] = Math.trunc(0.5 + share * 2 ** PRECISION_BITS);
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, values, size };
}

function filteredAcross(picture: Picture, { starts, counts, values, size }: Weights, width: number): Picture {
  const { height, data } = picture;
  const result = new Uint8Array(3 * width * height);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = 3 * y * picture.width;
    for (let x = 0; x < width; x++, to += 3) {
      let from = row + 3 * (starts[x] as number);
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      const first = x * size;
      const last = first + (counts[x] as number);
      for (let k = first; k < last; k++, from += 3) {
        const weight = values[k] as number;
        red += (data[from] as number) * weight;
        green += (data[from + 1] as number) * weight;
        blue += (data[from + 2] as number) * weight;
      }
      result[to] = clipped(red);
      result[to + 1] = clipped(green);
      result[to + 2] = clipped(blue);
    }
  }
  return { width, height, data: result };
}

function filteredDown(picture: Picture, { starts, counts, values, size }: Weights, height: number): Picture {
  const { width, data } = picture;
  const stride = 3 * width;
  const result = new Uint8Array(stride * height);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    const first = starts[y] as number;
    for (let k = 0; k < (counts[y] as number); k++) {
      const weight = values[y * size + k] as number;
      const from = (first + k) * stride;
      for (let i = 0; i < stride; i++) {
        sums[i] = (sums[i] as number) + (data[from + i] as number) * weight;
      }
    }
    for (let i = 0; i < stride; i++) {
      result[y * stride + i] = clipped(sums[i] as number);
    }
  }
  return { width, height, data: result };
}

function clipped(sum: number): number {
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
