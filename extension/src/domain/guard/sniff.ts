/** What a file is, by its first bytes: names and declared types are claims. */

/** As many bytes as the signatures need. */
export const HEAD_BYTES = 32;

type Signature = readonly (readonly [offset: number, ascii: string])[];

const PICTURES: readonly Signature[] = [
  [[0, "\xff\xd8\xff"]],
  [[0, "\x89PNG\r\n\x1a\n"]],
  [[0, "GIF8"]],
  [[0, "RIFF"], [8, "WEBP"]],
  [[0, "BM"], [6, "\0\0\0\0"]],
  [[0, "II*\0"]],
  [[0, "MM\0*"]],
  [[0, "\xff\x0a"]],
  [[0, "\0\0\0\x0cJXL "]],
  [[0, "8BPS"]],
];
/** Brands of the ISO container that hold still pictures; its other brands are videos. */
const PICTURE_BRANDS = new Set(["avif", "avis", "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"]);

/** Whether a file that begins so is a picture of pixels, or an SVG, which may hold one. */
export function isPicture(head: Uint8Array): boolean {
  const text = latin1(head);
  if (text.slice(4, 8) === "ftyp") {
    return PICTURE_BRANDS.has(text.slice(8, 12));
  }
  return (
    /^\s*(?:\xef\xbb\xbf)?\s*<(?:svg|\?xml)/i.test(text) ||
    PICTURES.some((signature) => signature.every(([offset, bytes]) => text.startsWith(bytes, offset)))
  );
}

/** Where, after the beginning, a picture may begin in a body of another format. */
export function embedded(bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(0xff, 1); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    // The third marker of a JPEG file is one of few; demanding it keeps chance hits rare.
    if (bytes[at + 1] === 0xd8 && bytes[at + 2] === 0xff && (bytes[at + 3] ?? 0) >= 0xc0) {
      found.push(at);
    }
  }
  for (let at = bytes.indexOf(0x89, 1); at !== -1; at = bytes.indexOf(0x89, at + 1)) {
    if (latin1(bytes.subarray(at + 1, at + 8)) === "PNG\r\n\x1a\n") {
      found.push(at);
    }
  }
  for (let at = bytes.indexOf(0x52, 1); at !== -1; at = bytes.indexOf(0x52, at + 1)) {
    if (bytes[at + 1] === 0x49 && isPicture(bytes.subarray(at, at + HEAD_BYTES))) {
      found.push(at);
    }
  }
  return found.sort((a, b) => a - b).slice(0, MAX_EMBEDDED);
}

const MAX_EMBEDDED = 16;

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, HEAD_BYTES));
}
