/**
 * The toolbar's icons, drawn from the numbers below: Chromium takes no SVG there.
 *
 * A shield with a tick, in the dashboard's shape. Every pixel is the mean of 4 x 4 points, each of which is on the tick,
 * in the shield, or outside.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";

const GRID = 32;
const FINE = 4;
const SIZES = [16, 32, 48, 128];
const LOOKS = {
  icon: { shield: [31, 111, 107], tick: [255, 255, 255] },
  "icon-locked": { shield: [125, 132, 134], tick: [255, 255, 255] },
};

const TICK = [[10.5, 15.8], [14.5, 19.8], [21.7, 11.8]];
const TICK_RADIUS = 1.45;
// The right half from the top down; the left half mirrors it.
const CURVE = bezier([27, 14.8], [27, 21.8], [22.5, 26.8], [16, 29.5]);
const HALF = [[16, 2.5], [27, 6.6], ...CURVE];
const SHIELD = [...HALF, ...HALF.slice(1, -1).reverse().map(([x, y]) => [GRID - x, y])];

function bezier(a, b, c, d) {
  return Array.from({ length: 13 }, (_, i) => {
    const t = i / 12;
    const s = 1 - t;
    return [0, 1].map((k) => s ** 3 * a[k] + 3 * s * s * t * b[k] + 3 * s * t * t * c[k] + t ** 3 * d[k]);
  });
}

function isInside(x, y, corners) {
  return corners.reduce((inside, [x1, y1], i) => {
    const [x2, y2] = corners[(i + 1) % corners.length];
    const crosses = y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1;
    return crosses ? !inside : inside;
  }, false);
}

function isNear(x, y, line, radius) {
  return line.slice(1).some(([x2, y2], i) => {
    const [x1, y1] = line[i];
    const along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2);
    const t = Math.min(1, Math.max(0, along));
    return Math.hypot(x - x1 - t * (x2 - x1), y - y1 - t * (y2 - y1)) <= radius;
  });
}

function pixel(column, row, scale, { shield, tick }) {
  let onTick = 0;
  let onShield = 0;
  for (let i = 0; i < FINE * FINE; i += 1) {
    const x = (column + ((i % FINE) + 0.5) / FINE) * scale;
    const y = (row + (Math.floor(i / FINE) + 0.5) / FINE) * scale;
    if (isInside(x, y, SHIELD)) {
      if (isNear(x, y, TICK, TICK_RADIUS)) onTick += 1;
      else onShield += 1;
    }
  }
  const covered = onTick + onShield;
  const mix = (k) => (covered ? Math.round((tick[k] * onTick + shield[k] * onShield) / covered) : 0);
  return [mix(0), mix(1), mix(2), Math.round((255 * covered) / (FINE * FINE))];
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** One icon as the bytes of a PNG (RGBA, 8 bit). */
export function drawIcon(size, look) {
  const rows = Array.from({ length: size }, (_, row) => [
    0, // no filter
    ...Array.from({ length: size }, (__, column) => pixel(column, row, GRID / size, look)).flat(),
  ]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.from(rows.flat()), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Write `icon-16.png` to `icon-128.png`, and the grey ones of a locked vault, into a folder. */
export function drawIcons(folder) {
  mkdirSync(folder, { recursive: true });
  for (const [name, look] of Object.entries(LOOKS)) {
    for (const size of SIZES) {
      writeFileSync(join(folder, `${name}-${size}.png`), drawIcon(size, look));
    }
  }
}
