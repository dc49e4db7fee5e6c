/** Bytes to pixels with the browser's own decoders, within the server's limits. */

import type { Picture } from "../domain/faces/picture.ts";
import { type Outline, outline } from "../domain/pictures/outline.ts";
import { type Frame, ViewCollector } from "../domain/pictures/views.ts";
import data from "./engine.json" with { type: "json" };

const LIMITS = data.limits;
/** Of an animation in a feed; a door looks at every one. */
const QUICK_FRAMES = 16;

export class PictureRefused extends Error {
  override readonly name = "PictureRefused";
  readonly why: "picture_too_large" | "picture_unreadable";

  constructor(why: "picture_too_large" | "picture_unreadable", options?: ErrorOptions) {
    super(why, options);
    this.why = why;
  }
}

/**
 * Every distinct way in which a file can be shown.
 *
 * @param isThorough Look at every frame of an animation, or not at all; else at some, spread evenly.
 * @throws {PictureRefused}
 */
export async function decode(file: ArrayBuffer, isThorough: boolean): Promise<readonly Picture[]> {
  if (file.byteLength > LIMITS.max_bytes) {
    throw new PictureRefused("picture_too_large");
  }
  const about = outline(file);
  if (about === null) {
    throw new PictureRefused("picture_unreadable");
  }
  admit(about.size);
  const collector = new ViewCollector(LIMITS.max_total_pixels);
  for await (const frame of frames(asStored(file, about), about, isThorough)) {
    admit(frame);
    if (!collector.add(frame, about.orientation?.value ?? 1)) {
      throw new PictureRefused("picture_too_large");
    }
  }
  if (collector.views.length === 0) {
    throw new PictureRefused("picture_unreadable");
  }
  return collector.views;
}

/** The file without its word on which way up it is: browsers turn it, and say no more how it was stored. */
function asStored(file: ArrayBuffer, { orientation }: Outline): ArrayBuffer {
  if (orientation === null) {
    return file;
  }
  const copy = file.slice(0);
  new Uint8Array(copy).set(orientation.upright, orientation.at);
  return copy;
}

function admit(size: Outline["size"]): void {
  if (size === null) {
    return;
  }
  const { width, height } = size;
  if (width < 1 || height < 1) {
    throw new PictureRefused("picture_unreadable");
  }
  const isLong = Math.max(width, height) > LIMITS.max_aspect * Math.min(width, height);
  if (width * height > LIMITS.max_pixels || isLong) {
    throw new PictureRefused("picture_too_large");
  }
}

async function* frames(file: ArrayBuffer, about: Outline, isThorough: boolean): AsyncGenerator<Frame> {
  try {
    // A JPEG has neither alpha nor frames, and the other way converts its colours differently.
    if (about.format === "jpeg" || about.format === "bmp" || !(await canDecodeFrames(about))) {
      if (about.isAnimated && isThorough) {
        throw new PictureRefused("picture_unreadable");
      }
      yield await still(file, about);
      return;
    }
    yield* everyFrame(file, about, isThorough);
  } catch (error) {
    if (error instanceof PictureRefused) {
      throw error;
    }
    // Decoders reject with various classes; all of them mean that this file cannot be shown.
    throw new PictureRefused("picture_unreadable", { cause: error });
  }
}

const canDecodeFrames = async ({ format }: Outline): Promise<boolean> =>
  typeof ImageDecoder !== "undefined" && ImageDecoder.isTypeSupported(`image/${format}`);

async function still(file: ArrayBuffer, about: Outline): Promise<Frame> {
  const bitmap = await createImageBitmap(new Blob([file], { type: `image/${about.format}` }), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  try {
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (context === null) {
      throw new PictureRefused("picture_too_large");
    }
    context.drawImage(bitmap, 0, 0);
    const { data: rgba, width, height } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    return { width, height, rgba: new Uint8Array(rgba.buffer) };
  } finally {
    bitmap.close();
  }
}

async function* everyFrame(file: ArrayBuffer, about: Outline, isThorough: boolean): AsyncGenerator<Frame> {
  const decoder = new ImageDecoder({
    type: `image/${about.format}`,
    data: file,
    colorSpaceConversion: "none",
    preferAnimation: about.isAnimated,
  });
  try {
    await decoder.tracks.ready;
    await decoder.completed;
    const count = decoder.tracks.selectedTrack?.frameCount ?? 0;
    if (count > LIMITS.max_frames) {
      throw new PictureRefused("picture_too_large");
    }
    const step = isThorough ? 1 : Math.max(1, count / QUICK_FRAMES);
    for (let at = 0; at < count; at += step) {
      const { image } = await decoder.decode({ frameIndex: Math.floor(at) });
      try {
        const { displayWidth: width, displayHeight: height } = image;
        admit({ width, height });
        const rgba = new Uint8Array(4 * width * height);
        await image.copyTo(rgba, { format: "RGBA" });
        yield { width, height, rgba };
      } finally {
        image.close();
      }
    }
  } finally {
    decoder.close();
  }
}
