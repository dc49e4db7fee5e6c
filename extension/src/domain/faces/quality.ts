/** How good a face is for recognition, and why not. Server: faces/quality.py; the limits are its own (engine.json). */

import { type Chip, chip, fit, inverse, applied, scaleOf } from "./align.ts";
import type { Picture } from "./picture.ts";
import type { DetectedFace, Landmarks } from "./places.ts";

export type QualityIssue =
  | "too_small"
  | "blurred"
  | "too_dark"
  | "too_bright"
  | "low_contrast"
  | "turned_away"
  | "cut_off"
  | "face_not_clear";

export interface Quality {
  /** The worst of all that is measured, 0 to 1. */
  readonly score: number;
  readonly issues: readonly QualityIssue[];
}

/** A measured value's way from useless (0) to good (1), and where it becomes an issue. */
export interface Ramp {
  readonly issue: QualityIssue;
  readonly useless: number;
  readonly limit: number;
  readonly good: number;
}

/** What the server judges by. */
export interface QualityLimits {
  /** In the order of the words. */
  readonly issues: readonly QualityIssue[];
  readonly ramps: Readonly<
    Record<"eyePx" | "sharpness" | "brightEnd" | "darkEnd" | "contrast" | "yaw" | "pitch" | "roll" | "outside" | "detector", Ramp>
  >;
  readonly noseHeight: number;
  readonly innerRows: readonly [number, number];
  readonly innerColumns: readonly [number, number];
  /** The five points of the chip that is judged, and its side. */
  readonly points: Landmarks;
  readonly side: number;
}

/** Distance of the eyes in pixels of the picture, as if the face looked straight ahead. */
export function eyeDistancePx(landmarks: Landmarks, points: Landmarks): number {
  return (points[1][0] - points[0][0]) / scaleOf(fit(landmarks, points));
}

export function assess(picture: Picture, face: DetectedFace, limits: QualityLimits): Quality {
  const { ramps, points, side } = limits;
  const grey = inner(chip(picture, face.landmarks, points, side), limits);
  const sorted = grey.values.toSorted();
  const brightEnd = percentile(sorted, 95);
  const { yaw, pitch, roll } = pose(face.landmarks, limits.noseHeight);
  const measured: (readonly [Ramp, number])[] = [
    [ramps.eyePx, eyeDistancePx(face.landmarks, points)],
    [ramps.sharpness, sharpness(grey)],
    [ramps.brightEnd, brightEnd],
    [ramps.darkEnd, percentile(sorted, 25)],
    [ramps.contrast, brightEnd - percentile(sorted, 5)],
    [ramps.yaw, yaw],
    [ramps.pitch, pitch],
    [ramps.roll, roll],
    [ramps.outside, partOutside(picture, face.landmarks, limits)],
    [ramps.detector, face.score],
  ];
  const found = new Set(measured.filter(([ramp, value]) => isIssue(ramp, value)).map(([ramp]) => ramp.issue));
  return {
    score: Math.min(...measured.map(([ramp, value]) => score(ramp, value))),
    issues: limits.issues.filter((issue) => found.has(issue)),
  };
}

const score = ({ useless, good }: Ramp, value: number): number =>
  Math.min(1, Math.max(0, (value - useless) / (good - useless)));

const isIssue = ({ useless, limit, good }: Ramp, value: number): boolean =>
  good > useless ? value < limit : value > limit;

interface Grey {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Brightness of the inner face, without hair and background (ITU-R BT.601). */
function inner({ side, data }: Chip, { innerRows, innerColumns }: QualityLimits): Grey {
  const width = innerColumns[1] - innerColumns[0];
  const height = innerRows[1] - innerRows[0];
  const values = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * ((y + innerRows[0]) * side + x + innerColumns[0]);
      const [red, green, blue] = [data[from], data[from + 1], data[from + 2]] as [number, number, number];
      values[y * width + x] = 0.299 * red + 0.587 * green + 0.114 * blue;
    }
  }
  return { width, height, values };
}

/** Linear interpolation between the two nearest, as numpy's default. */
function percentile(sorted: Float32Array, percent: number): number {
  const place = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (place - below);
}

function spread(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i] as number;
  }
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    squares += ((values[i] as number) - mean) ** 2;
  }
  return Math.sqrt(squares / values.length);
}

/** Spread of the second derivative by the spread of the brightness. */
function sharpness({ width, height, values }: Grey): number {
  const edges = new Float64Array((width - 2) * (height - 2));
  let to = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++, to++) {
      const at = y * width + x;
      const [above, below, left, right, here] = [at - width, at + width, at - 1, at + 1, at].map(
        (i) => values[i] as number,
      ) as [number, number, number, number, number];
      edges[to] = 4 * here - above - below - left - right;
    }
  }
  // At least 1: a face without any contrast is no sharper for its noise.
  return spread(edges) / Math.max(spread(values), 1);
}

/** How far a face is turned: yaw and pitch without a unit, roll in degrees; 0 is straight. */
function pose(landmarks: Landmarks, noseHeight: number): { yaw: number; pitch: number; roll: number } {
  const [left, right, nose, first, second] = landmarks;
  const ex = right[0] - left[0];
  const ey = right[1] - left[1];
  const distance = Math.max(Math.hypot(ex, ey), 1e-6);
  const ax = ex / distance;
  const ay = ey / distance;
  const mx = (left[0] + right[0]) / 2;
  const my = (left[1] + right[1]) / 2;
  const along = (x: number, y: number): number => (x - mx) * ax + (y - my) * ay;
  const downwards = (x: number, y: number): number => (x - mx) * -ay + (y - my) * ax;
  const toMouth = downwards((first[0] + second[0]) / 2, (first[1] + second[1]) / 2);
  return {
    yaw: Math.abs(along(nose[0], nose[1])) / distance,
    pitch: Math.abs(downwards(nose[0], nose[1]) / Math.max(toMouth, 1e-6) - noseHeight),
    roll: Math.abs((Math.atan2(ey, ex) * 180) / Math.PI),
  };
}

/** Part of the chip that lies beyond the edges of the picture, 0 to 1. */
function partOutside({ width, height }: Picture, landmarks: Landmarks, { points, side }: QualityLimits): number {
  const back = inverse(fit(landmarks, points));
  let outside = 0;
  let count = 0;
  for (let x = 0; x < side; x += 8) {
    for (let y = 0; y < side; y += 8) {
      const [px, py] = applied(back, [x, y]);
      outside += px > -1 && px < width && py > -1 && py < height ? 0 : 1;
      count += 1;
    }
  }
  return outside / count;
}
