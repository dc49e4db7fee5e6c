/**
 * Sealed template v1: the browser's half of docs/specs/sealed-template.md, on WebCrypto.
 *
 *     sealed = 0x01 | nonce (12) | AES-256-GCM(d float32, little-endian) | tag (16)
 *     AAD    = 0x01 | for each of subject, template, model: u16 length, UTF-8
 *
 * The server's half is server/consentry/vault/envelope.py; both run tests/vectors/sealed_template_v1.json.
 */

/** Bytes that WebCrypto takes: not backed by shared memory, which could change underneath it. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Whose template it is, which one, and of what model. A seal opens in its own place only. */
export interface Place {
  readonly subject: string;
  readonly template: string;
  readonly model: string;
}

/** A seal that does not open. Why is not told: wrong key, wrong place and changed bytes look the same. */
export class SealBroken extends Error {
  override readonly name = "SealBroken";

  constructor() {
    super("a sealed value failed authentication");
  }
}

const VERSION = 0x01;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FLOAT_BYTES = 4;
const KEY_BYTES = 32;
const MAX_NAME_BYTES = 0xffff;
const NORM_TOLERANCE = 1e-3;

/** Import a subject's 32-byte data key; the result cannot be exported again. */
export async function importDataKey(secret: Bytes): Promise<CryptoKey> {
  if (secret.length !== KEY_BYTES) {
    throw new RangeError(`a data key has ${KEY_BYTES} bytes`);
  }
  return crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/**
 * Seal an embedding (L2 norm 1) so that only its subject's key opens it, and only in its own place.
 *
 * @param random Fills its argument with random bytes; a parameter so that vectors can be reproduced.
 * @returns 29 + 4 d bytes.
 */
export async function sealTemplate(
  embedding: Float32Array,
  key: CryptoKey,
  place: Place,
  random: (bytes: Bytes) => Bytes = (bytes) => crypto.getRandomValues(bytes),
): Promise<Bytes> {
  if (!isEmbedding(embedding)) {
    throw new RangeError("an embedding has L2 norm 1");
  }
  const plaintext = new DataView(new ArrayBuffer(embedding.length * FLOAT_BYTES));
  embedding.forEach((value, i) => plaintext.setFloat32(i * FLOAT_BYTES, value, true));
  const nonce = random(new Uint8Array(NONCE_BYTES));
  const body = await crypto.subtle.encrypt(parameters(nonce, place), key, plaintext);
  new Uint8Array(plaintext.buffer).fill(0);

  const sealed = new Uint8Array(1 + NONCE_BYTES + body.byteLength);
  sealed[0] = VERSION;
  sealed.set(nonce, 1);
  sealed.set(new Uint8Array(body), 1 + NONCE_BYTES);
  return sealed;
}

/**
 * Return the embedding that was sealed.
 *
 * @param dimension How many floats this model makes.
 * @throws {SealBroken} If the version is unknown, or key, place, dimension or any byte differs (not told apart).
 */
export async function unsealTemplate(
  sealed: Bytes,
  key: CryptoKey,
  place: Place,
  dimension: number,
): Promise<Float32Array> {
  const expected = 1 + NONCE_BYTES + dimension * FLOAT_BYTES + TAG_BYTES;
  if (dimension < 1 || sealed.length !== expected || sealed[0] !== VERSION) {
    throw new SealBroken();
  }
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const algorithm = parameters(nonce, place);
  let plaintext: ArrayBuffer;
  try {
    plaintext = await crypto.subtle.decrypt(algorithm, key, sealed.subarray(1 + NONCE_BYTES));
  } catch {
    // WebCrypto gives one OperationError for every cause; there is nothing in it to keep.
    throw new SealBroken();
  }
  const view = new DataView(plaintext);
  const embedding = Float32Array.from({ length: dimension }, (_, i) =>
    view.getFloat32(i * FLOAT_BYTES, true),
  );
  new Uint8Array(plaintext).fill(0);
  if (!isEmbedding(embedding)) {
    throw new SealBroken();
  }
  return embedding;
}

function parameters(nonce: Bytes, place: Place): AesGcmParams {
  return {
    name: "AES-GCM",
    iv: nonce,
    additionalData: bind(place),
    tagLength: TAG_BYTES * 8,
  };
}

/** The AAD. Length prefixes keep ("ab", "c") apart from ("a", "bc"). */
function bind(place: Place): Bytes {
  const parts: number[] = [VERSION];
  for (const name of [place.subject, place.template, place.model]) {
    if (!name.isWellFormed()) {
      throw new RangeError("a bound name is Unicode text");
    }
    const bytes = new TextEncoder().encode(name);
    if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES) {
      throw new RangeError(`a bound name has 1 to ${MAX_NAME_BYTES} bytes`);
    }
    parts.push(bytes.length >> 8, bytes.length & 0xff, ...bytes);
  }
  return Uint8Array.from(parts);
}

function isEmbedding(vector: Float32Array): boolean {
  const squares = vector.reduce((sum, value) => sum + value * value, 0);
  // Written so that a sum that is not a number fails.
  return vector.length > 0 && Math.abs(Math.sqrt(squares) - 1) <= NORM_TOLERANCE;
}
