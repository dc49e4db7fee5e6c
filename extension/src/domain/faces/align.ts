/**
 * Cuts an upright, equally sized chip out of a picture for each face. Server: faces/align.py, where each step is
 * written down; the steps and their order are the same here.
 */

import type { Picture } from "./picture.ts";
import type { Landmarks, Point } from "./places.ts";

/** `side * side * 3` values, RGB, 0 to 255, row by row. */
export interface Chip {
  readonly side: number;
  readonly data: Float32Array;
}

/** `x' = a x - b y + dx` and `y' = b x + a y + dy`. */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly dx: number;
  readonly dy: number;
}

const SHRINKS_MUCH = 2;

export const scaleOf = ({ a, b }: Similarity): number => Math.hypot(a, b);

export const applied = ({ a, b, dx, dy }: Similarity, [x, y]: Point): Point => [a * x - b * y + dx, b * x + a * y + dy];

export function inverse({ a, b, dx, dy }: Similarity): Similarity {
  const square = a ** 2 + b ** 2;
  const ia = a / square;
  const ib = -b / square;
  return { a: ia, b: ib, dx: -ia * dx + ib * dy, dy: -ib * dx - ia * dy };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The similarity that takes `landmarks` to `points` with the least squared error (Umeyama 1991, in the plane). */
export function fit(landmarks: readonly Point[], points: readonly Point[]): Similarity {
  const sx = mean(landmarks.map(([x]) => x));
  const sy = mean(landmarks.map(([, y]) => y));
  const tx = mean(points.map(([x]) => x));
  const ty = mean(points.map(([, y]) => y));
  let spread = 0;
  let along = 0;
  let across = 0;
  landmarks.forEach((landmark, i) => {
    const [u0, v0] = points[i] as Point;
    const [x, y, u, v] = [landmark[0] - sx, landmark[1] - sy, u0 - tx, v0 - ty];
    spread += x * x + y * y;
    along += x * u + y * v;
    across += x * v - y * u;
  });
  if (!(spread > 0)) {
    throw new RangeError("the landmarks of a face are not all one point");
  }
  const a = along / spread;
  const b = across / spread;
  return { a, b, dx: tx - a * sx + b * sy, dy: ty - b * sx - a * sy };
}

/** Cut the chip of one face so that its landmarks lie on `points`. */
export function chip(picture: Picture, landmarks: Landmarks, points: Landmarks, side: number): Chip {
  return cut(picture, inverse(fit(landmarks, points)), side);
}

/**
 * Cut a square out of a picture.
 *
 * @param back From pixels of the square to pixels of the picture.
 */
export function cut(picture: Picture, back: Similarity, side: number): Chip {
  const scale = scaleOf(back);
  const factor = scale >= SHRINKS_MUCH ? Math.floor(scale) : 1;
  const part = around(picture, back, side, factor);
  const middle = (factor - 1) / 2;
  const data = new Float32Array(3 * side * side);
  let to = 0;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++, to += 3) {
      const x = back.a * column - back.b * row + back.dx;
      const y = back.b * column + back.a * row + back.dy;
      read(part, (x - part.left - middle) / factor, (y - part.top - middle) / factor, data, to);
    }
  }
  return { side, data };
}

/** Part of a picture, perhaps reduced, with a black edge of one pixel. */
interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** The part of the picture that the chip is read from, reduced in the blocks of the whole picture. */
function around(picture: Picture, back: Similarity, side: number, factor: number): Part {
  const last = side - 1;
  const corners: Point[] = [[0, 0], [last, 0], [0, last], [last, last]];
  const found = corners.map((corner) => applied(back, corner));
  const [left, right] = span(found.map(([x]) => x), picture.width, factor);
  const [top, bottom] = span(found.map(([, y]) => y), picture.height, factor);
  const width = Math.ceil((right - left) / factor);
  const height = Math.ceil((bottom - top) / factor);
  const data = new Float32Array(3 * (width + 2) * (height + 2));
  const row = new Float32Array(3 * (right - left));
  for (let y = 0; y < height; y++) {
    // Rows first, then columns, each in single precision: that is the server's order of rounding.
    const rows = Math.min(factor, bottom - top - y * factor);
    row.fill(0);
    for (let k = 0; k < rows; k++) {
      const from = 3 * ((top + y * factor + k) * picture.width + left);
      for (let i = 0; i < row.length; i++) {
        row[i] = (row[i] as number) + (picture.data[from + i] as number);
      }
    }
    if (factor > 1) {
      for (let i = 0; i < row.length; i++) {
        row[i] = (row[i] as number) / rows;
      }
    }
    for (let x = 0; x < width; x++) {
      const columns = Math.min(factor, right - left - x * factor);
      const to = 3 * ((y + 1) * (width + 2) + x + 1);
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let k = 0; k < columns; k++) {
          sum = Math.fround(sum + (row[3 * (x * factor + k) + c] as number));
        }
        data[to + c] = sum / columns;
      }
    }
  }
  return { left, top, width, height, data };
}

function span(values: readonly number[], length: number, factor: number): readonly [number, number] {
  const within = (value: number): number => Math.min(Math.max(value, 0), length);
  const first = within(Math.floor(Math.min(...values)) - factor);
  const last = within(Math.ceil(Math.max(...values)) + factor + 1);
  return [Math.floor(first / factor) * factor, Math.min(Math.ceil(last / factor) * factor, length)];
}

/** Read at a fractional place, bilinearly, black outside. */
function read(part: Part, x: number, y: number, into: Float32Array, to: number): void {
  const { width, height, data } = part;
  // Places beyond the black edge are moved onto it, where they read black alike.
  const px = Math.min(Math.max(x + 1, 0), width + 1);
  const py = Math.min(Math.max(y + 1, 0), height + 1);
  const column = Math.min(Math.trunc(px), width);
  const row = Math.min(Math.trunc(py), height);
  const right = px - column;
  const down = py - row;
  const above = 3 * (row * (width + 2) + column);
  const below = above + 3 * (width + 2);
  for (let c = 0; c < 3; c++) {
    const upper = (data[above + c] as number) * (1 - right) + (data[above + 3 + c] as number) * right;
    const lower = (data[below + c] as number) * (1 - right) + (data[below + 3 + c] as number) * right;
    into[to + c] = upper * (1 - down) + lower * down;
  }
}
