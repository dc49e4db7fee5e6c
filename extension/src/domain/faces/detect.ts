/**
 * Finds faces: a quick network proposes them, a better one confirms each. Server: faces/detect.py.
 *
 *     picture -> quick looks at it whole, and finely in tiles -> places that may be faces
 *             -> (nothing, or only small faces?) -> a finer look
 *             -> (nothing?) -> a look with a margin, for faces that fill the frame
 *             -> (thorough?) -> all of these, and three more orientations
 *             -> the better network on an upright chip of each place -> one face for each place
 */

import { FACE_PX, confirm } from "./confirm.ts";
import type { Networks } from "./networks.ts";
import { type Picture, cropped, roundHalfEven, turned } from "./picture.ts";
import { type DetectedFace, elsewhere, longSide, moved, onceEach, scaled, turnedBack } from "./places.ts";
import { resized } from "./resample.ts";
import { look } from "./scout.ts";

const FIRST_SIDE_PX = 640;
const FINER_SIDE_PX = 1280;
/** Larger pictures are shrunk to this many pixels first. */
const MOST_PIXELS = 16_000_000;
const TILE_PX = 1536;
const TILE_OVERLAP_PX = 192;
const EDGE_PX = 2;
const TURNED_SIDE_PX = 640;
const FINER_TURNED_SIDE_PX = 1280;
const MARGIN_SIDE_PX = 320;
/** Of the long side, on every side. */
const MARGIN = 0.5;
/** A picture whose largest face is smaller than this part of its long side may hold smaller ones yet. */
const SMALL_FACE = 0.1;
/** Smaller pictures are enlarged to this. */
const MIN_SIDE_PX = 256;
/** Of the places about which the quick network is less sure, only the surest are looked at again. */
const SURE = 0.5;
const MOST_UNSURE = 48;
/** How many looks' opinions of one place are heard until it counts as none. */
const TRIES = 3;

/** A rectangle of a picture. */
interface Tile {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Find every face.
 *
 * @param thorough Also look at the picture turned by 90, 180 and 270 degrees, with a margin, and at full size, whatever
 *   the first look found.
 * @returns Each face once, largest first.
 */
export async function detect(networks: Networks, picture: Picture, thorough: boolean): Promise<DetectedFace[]> {
  const { width, height } = picture;
  const scale = Math.min(1, (MOST_PIXELS / (width * height)) ** 0.5);
  const small = resized(picture, roundHalfEven(width * scale), roundHalfEven(height * scale));
  const looks = new Looks(networks, new View(small));
  const found = thorough ? await looks.thorough() : await looks.quick();
  return found
    .map((face) => scaled(face, 1 / scale))
    .toSorted((a, b) => b.box.w * b.box.h - a.box.w * a.box.h);
}

/** All looks at one picture. */
class Looks {
  readonly #networks: Networks;
  readonly #view: View;

  constructor(networks: Networks, view: View) {
    this.#networks = networks;
    this.#view = view;
  }

  async quick(): Promise<DetectedFace[]> {
    const { longSide: side } = this.#view;
    let found = await this.#confirmed(await this.#look(FIRST_SIDE_PX));
    if (side > FIRST_SIDE_PX && Math.max(0, ...found.map(longSide)) < SMALL_FACE * side) {
      found = await this.#confirmed(await this.#look(FINER_SIDE_PX), found);
    }
    return found.length > 0 ? found : this.#confirmed(await this.#lookWithMargin([0]));
  }

  async thorough(): Promise<DetectedFace[]> {
    let found = await this.#confirmed([
      ...(await this.#lookFinely()),
      ...(await this.#lookWithMargin([0])),
      ...(await this.#lookTurned(TURNED_SIDE_PX)),
    ]);
    if (found.length === 0) {
      found = await this.#confirmed(await this.#lookWithMargin([1, 2, 3]));
    }
    if (found.length === 0 && this.#view.longSide > TURNED_SIDE_PX) {
      found = await this.#confirmed(await this.#lookTurned(FINER_TURNED_SIDE_PX));
    }
    return found;
  }

  /** Return those that are known already, and what else is confirmed. */
  async #confirmed(
    proposed: readonly DetectedFace[],
    known: readonly DetectedFace[] = [],
  ): Promise<DetectedFace[]> {
    let waiting = elsewhere(proposed, known);
    let confirmed = [...known];
    for (let count = 0; count < TRIES; count++) {
      const places = onceEach(waiting);
      const sure = places.filter((face) => face.score >= SURE);
      const unsure = places.filter((face) => face.score < SURE).slice(0, MOST_UNSURE);
      confirmed = onceEach([...confirmed, ...(await this.#confirm([...sure, ...unsure]))]);
      // The surest may have been seen the wrong way up: what another look saw there is next.
      const tried = new Set(places);
      waiting = elsewhere(
        waiting.filter((face) => !tried.has(face)),
        confirmed,
      );
    }
    return confirmed;
  }

  async #confirm(places: readonly DetectedFace[]): Promise<DetectedFace[]> {
    const { picture: small, scale } = this.#view.at(FIRST_SIDE_PX);
    const isLarge = (face: DetectedFace): boolean => longSide(face) * scale >= FACE_PX;
    const large = places.filter(isLarge).map((face) => scaled(face, scale));
    const rest = places.filter((face) => !isLarge(face));
    // Large faces lose nothing in the smaller picture, and reading them there is cheaper.
    const confirmed = await confirm(this.#networks, small, large);
    return [
      ...confirmed.map((face) => scaled(face, 1 / scale)),
      ...(await confirm(this.#networks, this.#view.picture, rest)),
    ];
  }

  async #look(side: number): Promise<DetectedFace[]> {
    const { picture, scale } = this.#view.at(side);
    const [found = []] = await look(this.#networks, [picture]);
    return found.map((face) => scaled(face, 1 / scale));
  }

  async #lookFinely(): Promise<DetectedFace[]> {
    const { picture } = this.#view;
    const parts = tiles(picture);
    if (parts.length === 1) {
      return this.#look(Math.max(this.#view.longSide, MIN_SIDE_PX));
    }
    const found = await this.#look(FIRST_SIDE_PX);
    for (const part of parts) {
      const tile = cropped(picture, part.left, part.top, part.width, part.height);
      const [seen = []] = await look(this.#networks, [tile]);
      found.push(
        ...seen.filter((face) => !isCut(face, part, picture)).map((face) => moved(face, part.left, part.top)),
      );
    }
    return found;
  }

  async #lookTurned(side: number): Promise<DetectedFace[]> {
    const { picture, scale } = this.#view.at(side);
    const found: DetectedFace[] = [];
    for (const turns of [1, 2, 3]) {
      const [seen = []] = await look(this.#networks, [turned(picture, turns)]);
      found.push(
        ...seen.map((face) => scaled(turnedBack(face, turns, picture.width, picture.height), 1 / scale)),
      );
    }
    return found;
  }

  async #lookWithMargin(turns: readonly number[]): Promise<DetectedFace[]> {
    const { picture, scale } = this.#view.at(roundHalfEven(MARGIN_SIDE_PX / (1 + 2 * MARGIN)));
    // A square, so that all orientations are of one size.
    const left = Math.trunc((MARGIN_SIDE_PX - picture.width) / 2);
    const top = Math.trunc((MARGIN_SIDE_PX - picture.height) / 2);
    const square = framed(picture, left, top);
    const seen = await look(this.#networks, turns.map((turn) => turned(square, turn)));
    return seen.flatMap((faces, i) =>
      faces.map((face) => {
        const upright = turnedBack(face, turns[i] as number, MARGIN_SIDE_PX, MARGIN_SIDE_PX);
        return scaled(moved(upright, -left, -top), 1 / scale);
      }),
    );
  }
}

/** A picture, and the sizes at which it was looked at. */
class View {
  readonly picture: Picture;
  readonly longSide: number;
  readonly #sizes = new Map<number, Picture>();

  constructor(picture: Picture) {
    this.picture = picture;
    this.longSide = Math.max(picture.width, picture.height);
  }

  /**
   * The picture with a long side of at most `side`, and how much it was enlarged. Very small pictures are enlarged, so
   * that the network sees more than a few cells.
   */
  at(side: number): { readonly picture: Picture; readonly scale: number } {
    const scale = Math.min(side / this.longSide, Math.max(1, Math.min(side, MIN_SIDE_PX) / this.longSide));
    let picture = this.#sizes.get(side);
    if (picture === undefined) {
      // Much smaller ones are made from the first, which is most often there already.
      const isMuchSmaller = side * 2 <= FIRST_SIDE_PX && FIRST_SIDE_PX < this.longSide;
      const source = isMuchSmaller ? this.at(FIRST_SIDE_PX).picture : this.picture;
      picture = resized(
        source,
        roundHalfEven(this.picture.width * scale),
        roundHalfEven(this.picture.height * scale),
      );
      this.#sizes.set(side, picture);
    }
    return { picture, scale };
  }
}

/** The picture in a square of its own mean colour. */
function framed({ width, height, data }: Picture, left: number, top: number): Picture {
  const square = new Uint8Array(3 * MARGIN_SIDE_PX * MARGIN_SIDE_PX);
  for (let c = 0; c < 3; c++) {
    let sum = 0;
    for (let i = c; i < data.length; i += 3) {
      sum += data[i] as number;
    }
    const mean = Math.trunc(sum / (width * height));
    for (let i = c; i < square.length; i += 3) {
      square[i] = mean;
    }
  }
  for (let y = 0; y < height; y++) {
    square.set(data.subarray(3 * y * width, 3 * (y + 1) * width), 3 * ((top + y) * MARGIN_SIDE_PX + left));
  }
  return { width: MARGIN_SIDE_PX, height: MARGIN_SIDE_PX, data: square };
}

/** Cut a picture into overlapping tiles. */
function tiles({ width, height }: Picture): Tile[] {
  return cuts(height).flatMap(([top, tileHeight]) =>
    cuts(width).map(([left, tileWidth]) => ({ left, top, width: tileWidth, height: tileHeight })),
  );
}

/** Starts and lengths of overlapping cuts of at most one tile each. */
function cuts(length: number): (readonly [number, number])[] {
  if (length <= TILE_PX) {
    return [[0, length]];
  }
  const count = Math.ceil((length - TILE_OVERLAP_PX) / (TILE_PX - TILE_OVERLAP_PX));
  const side = Math.ceil((length + (count - 1) * TILE_OVERLAP_PX) / count);
  return Array.from({ length: count }, (_, i) => [Math.min(i * (side - TILE_OVERLAP_PX), length - side), side] as const);
}

/** Whether a face of a tile reaches an edge of it that is none of the picture. */
function isCut({ box }: DetectedFace, part: Tile, picture: Picture): boolean {
  return (
    (part.left > 0 && box.x < EDGE_PX) ||
    (part.top > 0 && box.y < EDGE_PX) ||
    (part.left + part.width < picture.width && box.x + box.w > part.width - EDGE_PX) ||
    (part.top + part.height < picture.height && box.y + box.h > part.height - EDGE_PX)
  );
}
