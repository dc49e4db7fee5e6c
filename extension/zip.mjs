/** A zip file of a folder, the same bytes for the same content: sorted names, one date, no owner. */

import fs from "node:fs";
import path from "node:path";
import { crc32, deflateRawSync } from "node:zlib";

// 1 January 1980, the first day that a zip file knows.
const DATE = 0x0021;
const DEFLATED = 8;
const VERSION = 20;
const UTF8_NAMES = 0x0800;

export function zip(folder, file) {
  const locals = [];
  const directory = [];
  let offset = 0;
  const names = fs
    .globSync("**/*", { cwd: folder })
    .filter((name) => fs.statSync(path.join(folder, name)).isFile())
    .map((name) => name.split(path.sep).join("/"))
    .sort();
  for (const name of names) {
    const content = fs.readFileSync(path.join(folder, name));
    const packed = deflateRawSync(content, { level: 9 });
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(VERSION, 0);
    fields.writeUInt16LE(UTF8_NAMES, 2);
    fields.writeUInt16LE(DEFLATED, 4);
    fields.writeUInt16LE(DATE, 8);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, Buffer.from(name), packed]);
    const end = Buffer.alloc(14);
    end.writeUInt32LE(offset, 10);
    const madeBy = Buffer.alloc(2);
    madeBy.writeUInt16LE(VERSION);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02"), madeBy, fields, end, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const tail = Buffer.alloc(18);
  tail.writeUInt16LE(names.length, 4);
  tail.writeUInt16LE(names.length, 6);
  tail.writeUInt32LE(size, 8);
  tail.writeUInt32LE(offset, 12);
  fs.writeFileSync(file, Buffer.concat([...locals, ...directory, Buffer.from("PK\x05\x06"), tail]));
}
