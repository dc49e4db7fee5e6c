/**
 * Pairing with the companion, the extension's half of docs/specs/pairing.md. Pure: who is asked, and how, is the
 * caller's business. Server: accounts/pairing.py; both run tests/vectors/pairing_v1.json.
 */

import type { Bytes } from "./sealed-template.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_CHARACTERS = 16;
const CODE_BYTES = 10;
const NONCE_BYTES = 12;
const LABEL = "consentry/pairing/v1";
const IDENTITY_LABEL = "consentry/identity/v1";
const TOKEN = /^cst_[a-z2-7]+$/;

/** The companion is not the one that the code, or the pinned key, belongs to. */
export class NotTheCompanion extends Error {
  override readonly name = "NotTheCompanion";
}

export interface Exchange {
  readonly clientNonce: Bytes;
  readonly serverNonce: Bytes;
  /** Ed25519, 32 bytes; from hello, not to be pinned before the proof holds. */
  readonly companionKey: Bytes;
  /** Where the extension connects to, for example `http://127.0.0.1:8484`. */
  readonly serverOrigin: string;
  /** The extension's own. */
  readonly clientOrigin: string;
}

export interface Proof {
  readonly serverMac: Bytes;
  readonly signature: Bytes;
  readonly sealedToken: Bytes;
}

interface Keys {
  readonly transcript: Bytes;
  readonly client: CryptoKey;
  readonly server: CryptoKey;
  readonly seal: CryptoKey;
}

const encode = (text: string): Bytes => Uint8Array.from(new TextEncoder().encode(text));
const joined = (...parts: readonly Bytes[]): Bytes => Uint8Array.from(parts.flatMap((part) => [...part]));

/** The ten bytes of a code as it was typed: any case, `-` and spaces passed over, O for 0, I and L for 1. Null: it is none. */
export function readCode(text: string): Bytes | null {
  const letters = text.toUpperCase().replace(/[-\s]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  const values = [...letters].map((letter) => ALPHABET.indexOf(letter));
  if (values.length !== CODE_CHARACTERS || values.includes(-1)) {
    return null;
  }
  const bits = values.map((value) => value.toString(2).padStart(5, "0")).join("");
  return Uint8Array.from({ length: CODE_BYTES }, (_, i) => Number.parseInt(bits.slice(8 * i, 8 * i + 8), 2));
}

export function toBase64Url(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @throws {NotTheCompanion} If it is no base64url. */
export function fromBase64Url(text: string): Bytes {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch (error) {
    throw new NotTheCompanion("it does not speak our language", { cause: error });
  }
}

async function transcriptOf(exchange: Exchange): Promise<Bytes> {
  const fields = [
    encode(LABEL),
    exchange.clientNonce,
    exchange.serverNonce,
    exchange.companionKey,
    encode(exchange.serverOrigin),
    encode(exchange.clientOrigin),
  ].map((field) => joined(Uint8Array.of(field.length >> 8, field.length & 0xff), field));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...fields)));
}

async function keysOf(code: Bytes, exchange: Exchange): Promise<Keys> {
  const transcript = await transcriptOf(exchange);
  const secret = await crypto.subtle.importKey("raw", code, "HKDF", false, ["deriveBits"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt: transcript, info: encode(LABEL) };
  const bits = new Uint8Array(await crypto.subtle.deriveBits(algorithm, secret, 8 * 96));
  const mac = (from: number): Promise<CryptoKey> =>
    crypto.subtle.importKey("raw", bits.slice(from, from + 32), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  return {
    transcript,
    client: await mac(0),
    server: await mac(32),
    seal: await crypto.subtle.importKey("raw", bits.slice(64), "AES-GCM", false, ["decrypt"]),
  };
}

/** What is sent to `confirm`: it shows that the code was typed here, and cannot be used elsewhere. */
export async function clientMac(code: Bytes, exchange: Exchange): Promise<Bytes> {
  const { client, transcript } = await keysOf(code, exchange);
  return new Uint8Array(await crypto.subtle.sign("HMAC", client, joined(encode("client"), transcript)));
}

/**
 * The token, once the companion has proved that it knows the code and holds the key that is about to be pinned.
 *
 * @throws {NotTheCompanion}
 */
export async function openToken(code: Bytes, exchange: Exchange, proof: Proof): Promise<string> {
  const { server, seal, transcript } = await keysOf(code, exchange);
  const knowsCode = await crypto.subtle.verify("HMAC", server, proof.serverMac, joined(encode("server"), transcript));
  const holdsKey = await isSigned(exchange.companionKey, proof.signature, joined(encode(LABEL), transcript));
  if (!knowsCode || !holdsKey) {
    throw new NotTheCompanion("its proof does not hold");
  }
  const iv = proof.sealedToken.subarray(0, NONCE_BYTES);
  let token: string;
  try {
    const algorithm = { name: "AES-GCM", iv, additionalData: transcript };
    const plain = await crypto.subtle.decrypt(algorithm, seal, proof.sealedToken.subarray(NONCE_BYTES));
    token = new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (error) {
    throw new NotTheCompanion("its token does not open", { cause: error });
  }
  if (!TOKEN.test(token)) {
    throw new NotTheCompanion("its token is none");
  }
  return token;
}

/** Whether the pinned companion signed our challenge, at the origin that we connect to. */
export function isCompanion(pinned: Bytes, nonce: Bytes, serverOrigin: string, signature: Bytes): Promise<boolean> {
  return isSigned(pinned, signature, joined(encode(IDENTITY_LABEL), nonce, encode(serverOrigin)));
}

async function isSigned(key: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  try {
    const verifying = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", verifying, signature, message);
  } catch {
    // Not a key at all.
    return false;
  }
}
