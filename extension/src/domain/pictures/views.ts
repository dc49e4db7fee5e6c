/**
 * One frame, in every distinct way in which a tool might show it. Server: imagery/views.py.
 *
 *     transparency   flattened on white, on black, alpha dropped     one when fully opaque
 *     orientation    upright, as stored                              one when orientation is 1
 *
 * A face that shows in only one of these ways must still be found. Identical ones are kept once.
 */

import type { Picture } from "../faces/picture.ts";
import { upright } from "./orientation.ts";

/** Decoded pixels, as stored, with alpha that was not multiplied in: `4 * width * height` bytes. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

/** Views of one file, gathered frame by frame. The first is what a viewer shows of the first frame. */
export class ViewCollector {
  readonly views: Picture[] = [];
  readonly #most: number;
  #pixels = 0;

  /** @param most Pixels of all views together. */
  constructor(most: number) {
    this.#most = most;
  }

  /** @returns False when there would be too many pixels; then the file is not to be looked at by halves. */
  add(frame: Frame, orientation: number): boolean {
    return colours(frame).every((stored) => this.#keep(upright(stored, orientation)) && this.#keep(stored));
  }

  #keep(view: Picture): boolean {
    if (this.views.some((other) => isSame(other, view))) {
      return true;
    }
    this.#pixels += view.width * view.height;
    this.views.push(view);
    return this.#pixels <= this.#most;
  }
}

function colours({ width, height, rgba }: Frame): Picture[] {
  const count = width * height;
  let isOpaque = true;
  let isVisible = false;
  for (let i = 3; i < 4 * count; i += 4) {
    isOpaque &&= rgba[i] === 255;
    isVisible ||= rgba[i] !== 0;
  }
  const painted = (paint: (value: number, alpha: number) => number): Picture => {
    const data = new Uint8Array(3 * count);
    for (let i = 0, from = 0, to = 0; i < count; i++, from += 4, to += 3) {
      const alpha = rgba[from + 3] as number;
      data[to] = paint(rgba[from] as number, alpha);
      data[to + 1] = paint(rgba[from + 1] as number, alpha);
      data[to + 2] = paint(rgba[from + 2] as number, alpha);
    }
    return { width, height, data };
  };
  const dropped = painted((value) => value);
  if (isOpaque || !isVisible) {
    return [dropped];
  }
  // Rounded division by 255, exact for every product of two bytes.
  const on = (ground: number) => (value: number, alpha: number): number => {
    const mixed = value * alpha + ground * (255 - alpha) + 128;
    return (mixed + (mixed >> 8)) >> 8;
  };
  return [painted(on(255)), painted(on(0)), dropped];
}

function isSame(a: Picture, b: Picture): boolean {
  if (a === b) {
    return true;
  }
  if (a.width !== b.width || a.height !== b.height) {
    return false;
  }
  for (let i = 0; i < a.data.length; i++) {
    if (a.data[i] !== b.data[i]) {
      return false;
    }
  }
  return true;
}
