/**
 * The second look at each proposed face: CenterFace on an upright chip says whether it is one, and where.
 * Server: faces/confirm.py.
 */

import { type Chip, type Similarity, applied, cut, scaleOf } from "./align.ts";
import type { Networks, Tensor } from "./networks.ts";
import type { Picture } from "./picture.ts";
import { type DetectedFace, type Point, asLandmarks, longSide } from "./places.ts";

/** Of the network's outputs. */
const STRIDE = 4;
const SIDE_PX = 96;
/** The long side of the proposed face in the chip. */
export const FACE_PX = 62;
const AT_ONCE = 16;
const MIN_SCORE = 0.5;
/** Of the chip's middle, in parts of the face, within which the middle of what is seen must lie. */
const NEAR = 0.35;
/** How much longer or shorter than proposed it may be. */
const LIKE = 1.8;
/** Of the surest cell's score. */
const ABOUT_AS_SURE = 0.5;

/** Those of the proposed faces that are faces, with better boxes and landmarks. */
export async function confirm(
  networks: Networks,
  picture: Picture,
  proposed: readonly DetectedFace[],
): Promise<DetectedFace[]> {
  const confirmed: DetectedFace[] = [];
  for (let start = 0; start < proposed.length; start += AT_ONCE) {
    const backs = proposed.slice(start, start + AT_ONCE).map(upright);
    const chips = backs.map((back) => cut(picture, back, SIDE_PX));
    const outputs = await networks.run("centerface", asBatch(chips));
    backs.forEach((back, n) => {
      const seen = seenIn(outputs, n);
      if (seen !== null) {
        confirmed.push(inPicture(seen, back));
      }
    });
  }
  return confirmed;
}

function asBatch(chips: readonly Chip[]): Tensor {
  const plane = SIDE_PX * SIDE_PX;
  const data = new Float32Array(chips.length * 3 * plane);
  chips.forEach((chip, n) => {
    for (let i = 0; i < plane; i++) {
      for (let c = 0; c < 3; c++) {
        data[(n * 3 + c) * plane + i] = chip.data[3 * i + c] as number;
      }
    }
  });
  return { data, dims: [chips.length, 3, SIDE_PX, SIDE_PX] };
}

/** The transform from the chip to the picture. */
function upright(face: DetectedFace): Similarity {
  const [first, second, , third, fourth] = face.landmarks;
  const across = (third[0] + fourth[0] - first[0] - second[0]) / 2;
  const down = (third[1] + fourth[1] - first[1] - second[1]) / 2;
  const length = Math.hypot(across, down);
  // From the eyes to the mouth is down, also when a face looks aside.
  const [sine, cosine] = length > 0 ? [-across / length, down / length] : [0, 1];
  const scale = Math.max(longSide(face), 1) / FACE_PX;
  const a = scale * cosine;
  const b = scale * sine;
  const middle = (SIDE_PX - 1) / 2;
  const x = face.box.x + face.box.w / 2;
  const y = face.box.y + face.box.h / 2;
  return { a, b, dx: x - (a - b) * middle, dy: y - (b + a) * middle };
}

/**
 * The face that is like the proposed one, if there is one, in pixels of the chip: the mean over the cells that are
 * about as sure as the surest, because no single cell places a face as well.
 *
 * @param outputs Heat map, scale, offset, landmarks; `(n, 1 | 2 | 2 | 10, h, w)`; y before x in each.
 */
function seenIn(outputs: readonly Tensor[], n: number): DetectedFace | null {
  const [heat, size, offset, points] = outputs as readonly [Tensor, Tensor, Tensor, Tensor];
  const rows = heat.dims[2] as number;
  const columns = heat.dims[3] as number;
  const plane = rows * columns;
  const at = (tensor: Tensor, channels: number, channel: number, cell: number): number =>
    tensor.data[(n * channels + channel) * plane + cell] as number;
  const middle = SIDE_PX / 2;
  const cells: { score: number; values: number[] }[] = [];
  for (let cell = 0; cell < plane; cell++) {
    const score = at(heat, 1, 0, cell);
    if (!(score > MIN_SCORE)) {
      continue;
    }
    const h = Math.exp(at(size, 2, 0, cell)) * STRIDE;
    const w = Math.exp(at(size, 2, 1, cell)) * STRIDE;
    const y = (Math.trunc(cell / columns) + at(offset, 2, 0, cell) + 0.5) * STRIDE;
    const x = ((cell % columns) + at(offset, 2, 1, cell) + 0.5) * STRIDE;
    const ratio = Math.max(h, w) / FACE_PX;
    if (!(Math.hypot(x - middle, y - middle) < NEAR * FACE_PX && ratio < LIKE && ratio > 1 / LIKE)) {
      continue;
    }
    const values = [x - w / 2, y - h / 2, w, h];
    for (let point = 0; point < 5; point++) {
      values.push(at(points, 10, 2 * point + 1, cell) * w + x - w / 2, at(points, 10, 2 * point, cell) * h + y - h / 2);
    }
    cells.push({ score, values });
  }
  if (cells.length === 0) {
    return null;
  }
  const surest = Math.max(...cells.map(({ score }) => score));
  const sure = cells.filter(({ score }) => score >= ABOUT_AS_SURE * surest);
  const total = sure.reduce((sum, { score }) => sum + score, 0);
  const [x, y, w, h, ...rest] = (sure[0] as { values: number[] }).values.map((_, i) =>
    sure.reduce((sum, { score, values }) => sum + (values[i] as number) * (score / total), 0),
  ) as [number, number, number, number, ...number[]];
  const landmarks = [0, 1, 2, 3, 4].map((i): Point => [rest[2 * i] as number, rest[2 * i + 1] as number]);
  return { box: { x, y, w, h }, landmarks: asLandmarks(landmarks), score: surest };
}

/** Map a face of a chip to the picture; its box is turned by the nearest quarter turn. */
function inPicture(seen: DetectedFace, back: Similarity): DetectedFace {
  const [x, y] = applied(back, [seen.box.x + seen.box.w / 2, seen.box.y + seen.box.h / 2]);
  const scale = scaleOf(back);
  const sides = [seen.box.w * scale, seen.box.h * scale] as const;
  const [w, h] = Math.abs(back.a) >= Math.abs(back.b) ? sides : [sides[1], sides[0]];
  const landmarks = asLandmarks(seen.landmarks.map((point) => applied(back, point)));
  return { box: { x: x - w / 2, y: y - h / 2, w, h }, landmarks, score: seen.score };
}
