/** Identifiers: opaque and random, as the server's (kernel/ids.py). */

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const BYTES = 16;

function random(prefix: string): string {
  let bits = 0;
  let held = 0;
  let text = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(BYTES))) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
  }
  return prefix + text + ALPHABET[(held << (5 - bits)) & 31];
}

export const newSubjectId = (): string => random("sub_");
export const newTemplateId = (): string => random("tpl_");
