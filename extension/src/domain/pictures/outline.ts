/**
 * What a picture file says about itself before a pixel is decoded: format, size, animation, which way up.
 * From its content: its name and its declared type play no part. Server: imagery/formats.py, imagery/containers/.
 */

import { type Orientation, orientationOf } from "./orientation.ts";

export type Format = "jpeg" | "png" | "webp" | "gif" | "bmp" | "avif";

export interface Outline {
  readonly format: Format;
  /** Null where the header does not say it simply (AVIF): the decoder then says. */
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly isAnimated: boolean;
  /** Null: upright, as far as it says. */
  readonly orientation: Orientation | null;
}

const text = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/** Null when it is no picture that a browser shows, or ends inside its header. */
export function outline(file: ArrayBuffer): Outline | null {
  const bytes = new Uint8Array(file);
  const view = new DataView(file);
  try {
    if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) {
      return jpeg(bytes, view);
    }
    if (text(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") {
      return png(bytes, view);
    }
    if (/^GIF8[79]a$/.test(text(bytes, 0, 6))) {
      return gif(bytes, view);
    }
    if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 4) === "WEBP") {
      return webp(bytes, view);
    }
    if (text(bytes, 0, 2) === "BM" && view.getUint32(14, true) >= 40) {
      const size = { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) };
      return { format: "bmp", size, isAnimated: false, orientation: null };
    }
    if (text(bytes, 4, 4) === "ftyp" && /avi[fs]/.test(text(bytes, 8, Math.min(view.getUint32(0), 64) - 8))) {
      const isAnimated = /avis/.test(text(bytes, 8, Math.min(view.getUint32(0), 64) - 8));
      return { format: "avif", size: null, isAnimated, orientation: null };
    }
  } catch (error) {
    if (!(error instanceof RangeError)) {
      throw error;
    }
    // The file ends inside its own header.
  }
  return null;
}

/** Start of frame: every marker from C0 to CF but DHT, JPG and DAC. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

function jpeg(bytes: Uint8Array, view: DataView): Outline | null {
  let orientation: Orientation | null = null;
  for (let at = 2; ; ) {
    if (view.getUint8(at) !== 0xff) {
      return null;
    }
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = view.getUint16(at + 2);
    if (marker === 0xe1 && text(bytes, at + 4, 6) === "Exif\0\0") {
      orientation = orientationOf(bytes.subarray(at + 10, at + 2 + length)) ?? orientation;
    }
    if (isFrame(marker)) {
      const size = { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
      return { format: "jpeg", size, isAnimated: false, orientation };
    }
    if (marker === 0xda || marker === 0xd9) {
      return null;
    }
    at += 2 + length;
  }
}

function png(bytes: Uint8Array, view: DataView): Outline | null {
  const size = { width: view.getUint32(16), height: view.getUint32(20) };
  let orientation: Orientation | null = null;
  let isAnimated = false;
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const kind = text(bytes, at + 4, 4);
    if (kind === "eXIf") {
      orientation = orientationOf(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
    }
    isAnimated ||= kind === "acTL";
  }
  return { format: "png", size, isAnimated, orientation };
}

function gif(bytes: Uint8Array, view: DataView): Outline {
  const size = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  const table = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  const skipBlocks = (start: number): number => {
    let at = start;
    while (view.getUint8(at) !== 0) {
      at += 1 + view.getUint8(at);
    }
    return at + 1;
  };
  let frames = 0;
  for (let at = 13 + table(view.getUint8(10)); at < bytes.length && frames < 2; ) {
    const kind = view.getUint8(at);
    if (kind === 0x21) {
      at = skipBlocks(at + 2);
    } else if (kind === 0x2c) {
      frames += 1;
      at = skipBlocks(at + 11 + table(view.getUint8(at + 9)));
    } else {
      break;
    }
  }
  return { format: "gif", size, isAnimated: frames > 1, orientation: null };
}

function webp(bytes: Uint8Array, view: DataView): Outline | null {
  const kind = text(bytes, 12, 4);
  if (kind === "VP8 ") {
    const size = { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    return { format: "webp", size, isAnimated: false, orientation: null };
  }
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    const size = { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    return { format: "webp", size, isAnimated: false, orientation: null };
  }
  if (kind !== "VP8X") {
    return null;
  }
  const side = (at: number): number => 1 + view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  let orientation: Orientation | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    if (text(bytes, at, 4) === "EXIF") {
      orientation = orientationOf(bytes.subarray(at + 8, at + 8 + length));
    }
    at += 8 + length + (length % 2);
  }
  const isAnimated = (view.getUint8(20) & 2) !== 0;
  return { format: "webp", size: { width: side(24), height: side(27) }, isAnimated, orientation };
}
