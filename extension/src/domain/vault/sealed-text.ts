/** A text of a subject, such as her display name (docs/specs/sealed-template.md, first byte 21). Server: vault/envelope.py. */

import { type Bytes, SealBroken } from "../sealed-template.ts";
import { randomBytes } from "./keys.ts";

const TEXT_V1 = 0x21;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PAD_TO = 32;
const PAD_MARK = 0x80;

function bind(subject: string, label: string): Bytes {
  const parts: number[] = [TEXT_V1];
  for (const name of [subject, label]) {
    const bytes = new TextEncoder().encode(name);
    parts.push(bytes.length >> 8, bytes.length & 0xff, ...bytes);
  }
  return Uint8Array.from(parts);
}

export async function sealText(text: string, key: CryptoKey, subject: string, label: string): Promise<Bytes> {
  const plain = new TextEncoder().encode(text);
  // Padded, so that the length of a name stays hidden within 32 bytes.
  const padded = new Uint8Array(Math.ceil((plain.length + 1) / PAD_TO) * PAD_TO);
  padded.set(plain);
  padded[plain.length] = PAD_MARK;
  const iv = randomBytes(NONCE_BYTES);
  const algorithm = { name: "AES-GCM", iv, additionalData: bind(subject, label) };
  const body = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, padded));
  return Uint8Array.from([TEXT_V1, ...iv, ...body]);
}

/** @throws {SealBroken} If the key, subject, label or any byte differs (not told apart). */
export async function unsealText(sealed: Bytes, key: CryptoKey, subject: string, label: string): Promise<string> {
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== TEXT_V1) {
    throw new SealBroken();
  }
  const iv = sealed.subarray(1, 1 + NONCE_BYTES);
  const algorithm = { name: "AES-GCM", iv, additionalData: bind(subject, label) };
  try {
    const padded = new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed.subarray(1 + NONCE_BYTES)));
    const end = padded.lastIndexOf(PAD_MARK);
    if (padded.length % PAD_TO !== 0 || end < 0 || padded.subarray(end + 1).some((byte) => byte !== 0)) {
      throw new SealBroken();
    }
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(padded.subarray(0, end));
  } catch {
    throw new SealBroken();
  }
}
