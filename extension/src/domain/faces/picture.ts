/** Pictures in memory: RGB, one byte each, origin top-left. */

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** `3 * width * height` bytes, row by row. */
  readonly data: Uint8Array;
}

/** Round as Python does: halves to the even neighbour. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) {
    return Math.round(value);
  }
  return below % 2 === 0 ? below : below + 1;
}

/** Turn counter-clockwise by quarter turns, 0 to 3. */
export function turned(picture: Picture, turns: number): Picture {
  if (turns === 0) {
    return picture;
  }
  const { width, height, data } = picture;
  const swaps = turns % 2 === 1;
  const newWidth = swaps ? height : width;
  const newHeight = swaps ? width : height;
  const result = new Uint8Array(data.length);
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      // Where this pixel stood before: the first turn takes column c of a row to row `width - 1 - c`.
      const [sx, sy] =
        turns === 1 ? [width - 1 - y, x] : turns === 2 ? [width - 1 - x, height - 1 - y] : [y, height - 1 - x];
      const from = 3 * (sy * width + sx);
      const to = 3 * (y * newWidth + x);
      result[to] = data[from] as number;
      result[to + 1] = data[from + 1] as number;
      result[to + 2] = data[from + 2] as number;
    }
  }
  return { width: newWidth, height: newHeight, data: result };
}

/** Cut a rectangle out; it must lie within the picture. */
export function cropped(picture: Picture, left: number, top: number, width: number, height: number): Picture {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * picture.width + left);
    data.set(picture.data.subarray(from, from + 3 * width), 3 * y * width);
  }
  return { width, height, data };
}
