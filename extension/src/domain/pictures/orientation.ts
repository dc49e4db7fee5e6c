/** Which way up a picture is (EXIF 2.32, tag 0x0112), and turning it so. Server: imagery/containers/exif.py, views.py. */

import type { Picture } from "../faces/picture.ts";

const TAG = 0x0112;
const SHORT = 3;
const LONG = 4;
const ENTRY_BYTES = 12;
const UPRIGHT = 1;

export interface Orientation {
  /** 1 to 8. */
  readonly value: number;
  /** Where in the buffer it is written, and what written there says "upright": decoders turn pictures by themselves. */
  readonly at: number;
  readonly upright: readonly number[];
}

/** Null when there is none that can be read. Damaged metadata is no reason to refuse. */
export function orientationOf(exif: Uint8Array): Orientation | null {
  const start = exif[0] === 0x45 && exif[1] === 0x78 ? 6 : 0;
  const view = new DataView(exif.buffer, exif.byteOffset + start, Math.max(0, exif.byteLength - start));
  try {
    const order = view.getUint16(0);
    if (order !== 0x4949 && order !== 0x4d4d) {
      return null;
    }
    const isLittle = order === 0x4949;
    const first = view.getUint32(4, isLittle);
    const count = view.getUint16(first, isLittle);
    for (let i = 0; i < count; i++) {
      const at = first + 2 + i * ENTRY_BYTES;
      const kind = view.getUint16(at + 2, isLittle);
      if (view.getUint16(at, isLittle) === TAG && (kind === SHORT || kind === LONG)) {
        const isShort = kind === SHORT;
        const value = isShort ? view.getUint16(at + 8, isLittle) : view.getUint32(at + 8, isLittle);
        const upright = isShort ? [0, UPRIGHT] : [0, 0, 0, UPRIGHT];
        return value >= 1 && value <= 8
          ? { value, at: view.byteOffset + at + 8, upright: isLittle ? upright.toReversed() : upright }
          : null;
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) {
      throw error;
    }
    // The stream is shorter than it says.
  }
  return null;
}

/** Upright = these applied to the stored rows: swap rows and columns first, then mirror rows, then columns. */
const TURNS: Readonly<Record<number, readonly [boolean, boolean, boolean]>> = {
  2: [false, false, true],
  3: [false, true, true],
  4: [false, true, false],
  5: [true, false, false],
  6: [true, false, true],
  7: [true, true, true],
  8: [true, true, false],
};

export function upright(picture: Picture, orientation: number): Picture {
  const turns = TURNS[orientation];
  if (orientation === UPRIGHT || turns === undefined) {
    return picture;
  }
  const [swaps, mirrorsRows, mirrorsColumns] = turns;
  const width = swaps ? picture.height : picture.width;
  const height = swaps ? picture.width : picture.height;
  const data = new Uint8Array(picture.data.length);
  for (let y = 0; y < height; y++) {
    const row = mirrorsRows ? height - 1 - y : y;
    for (let x = 0; x < width; x++) {
      const column = mirrorsColumns ? width - 1 - x : x;
      const from = 3 * (swaps ? column * picture.width + row : row * picture.width + column);
      const to = 3 * (y * width + x);
      data[to] = picture.data[from] as number;
      data[to + 1] = picture.data[from + 1] as number;
      data[to + 2] = picture.data[from + 2] as number;
    }
  }
  return { width, height, data };
}
