/** Where faces are: boxes, landmarks, and which of two that overlap stays. Server: faces/places.py. */

/** x and y in pixels, origin top-left. */
export type Point = readonly [number, number];

/** Eye, eye, nose, corner of the mouth, corner of the mouth; of each pair, left in an upright picture first. */
export type Landmarks = readonly [Point, Point, Point, Point, Point];

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface DetectedFace {
  readonly box: Box;
  readonly landmarks: Landmarks;
  /** How sure the detector is, 0 to 1. */
  readonly score: number;
}

/** Intersection over union above which two boxes are one face. */
const MAX_OVERLAP = 0.3;

export const longSide = (face: DetectedFace): number => Math.max(face.box.w, face.box.h);

export function asLandmarks(points: readonly Point[]): Landmarks {
  const [first, second, nose, third, fourth, ...more] = points;
  if (!first || !second || !nose || !third || !fourth || more.length > 0) {
    throw new RangeError("a face has five landmarks");
  }
  return [first, second, nose, third, fourth];
}

export function moved(face: DetectedFace, dx: number, dy: number): DetectedFace {
  const { x, y, w, h } = face.box;
  const points = face.landmarks.map(([px, py]): Point => [px + dx, py + dy]);
  return { box: { x: x + dx, y: y + dy, w, h }, landmarks: asLandmarks(points), score: face.score };
}

/** The face as it lies in the picture enlarged by `factor`. */
export function scaled(face: DetectedFace, factor: number): DetectedFace {
  const { x, y, w, h } = face.box;
  const points = face.landmarks.map(([px, py]): Point => [factor * px, factor * py]);
  return {
    box: { x: factor * x, y: factor * y, w: factor * w, h: factor * h },
    landmarks: asLandmarks(points),
    score: face.score,
  };
}

/**
 * Map a face of a turned picture to the picture as it stands.
 *
 * @param turns Quarter turns, counter-clockwise, that the picture was given, 0 to 3.
 * @param width Of the picture as it stands.
 * @param height Of the picture as it stands.
 */
export function turnedBack(face: DetectedFace, turns: number, width: number, height: number): DetectedFace {
  let result = face;
  for (let turn = turns; turn > 0; turn--) {
    // One counter-clockwise turn took (x, y) of a picture of width w to (y, w - x).
    const side = turn % 2 === 0 ? height : width;
    const { x, y, w, h } = result.box;
    const points = result.landmarks.map(([px, py]): Point => [side - py, px]);
    result = {
      box: { x: side - y - h, y: x, w: h, h: w },
      landmarks: asLandmarks(points),
      score: result.score,
    };
  }
  return result;
}

/** Each face once, surest first: of boxes that overlap each other too much, the surest. */
export function onceEach(found: readonly DetectedFace[]): DetectedFace[] {
  const kept: DetectedFace[] = [];
  // Sorting is stable, as it is on the server: of two equally sure ones, the first found stays.
  for (const face of found.toSorted((a, b) => b.score - a.score)) {
    if (!kept.some((other) => overlap(face.box, other.box))) {
      kept.push(face);
    }
  }
  return kept;
}

/** Those of `found` that lie where none of `known` does. */
export function elsewhere(found: readonly DetectedFace[], known: readonly DetectedFace[]): DetectedFace[] {
  return found.filter((face) => !known.some((other) => overlap(face.box, other.box)));
}

function overlap(a: Box, b: Box): boolean {
  const across = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  const both = Math.max(across, 0) * Math.max(down, 0);
  return both >= MAX_OVERLAP * (a.w * a.h + b.w * b.h - both);
}
