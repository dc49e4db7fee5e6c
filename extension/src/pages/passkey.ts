/** A passkey of this device whose PRF extension gives 32 bytes that open the vault. */

import { AskFailed, ask } from "../ask.ts";
import { fromBase64, toBase64 } from "../domain/base64.ts";
import type { FailureCode, Secret } from "../messages.ts";
import { word } from "./text.ts";

const CHALLENGE_BYTES = 32;
const USER_BYTES = 16;
/** COSE: EdDSA, ES256, RS256. The signature is of no use here; only the PRF's answer is. */
const ALGORITHMS = [-8, -7, -257];

/** Whether this browser can make passkeys on this device. */
export async function canHavePasskey(): Promise<boolean> {
  return (
    "PublicKeyCredential" in globalThis &&
    (await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false))
  );
}

/**
 * Ask the device for the passkey.
 *
 * @throws {AskFailed} `passkey_refused` if she stops it, or the device has no such passkey: browsers do not tell these apart.
 */
export async function readPasskey(): Promise<Secret> {
  const { salt, credential } = await ask("vault.passkey", {});
  if (credential === null) {
    throw new AskFailed("not_found");
  }
  return { prf: await read(fromBase64(salt), fromBase64(credential), "passkey_refused") };
}

/**
 * Make a passkey and let it open the vault beside the passphrase.
 *
 * @throws {AskFailed} `wrong_passphrase` and `passkey_refused`, before the device makes anything; `passkey_unusable` if the
 *   device's passkeys have no PRF, `passkey_unused` if it goes wrong later: then a passkey stays on the device that opens nothing.
 */
export async function addPasskey(secret: Secret): Promise<void> {
  await ask("vault.unlock", { secret });
  const { salt } = await ask("vault.passkey", {});
  const first = fromBase64(salt);
  const made = await offered(
    navigator.credentials.create({
      publicKey: {
        challenge: crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES)),
        rp: { name: word("name") },
        user: { id: crypto.getRandomValues(new Uint8Array(USER_BYTES)), name: word("name"), displayName: word("name") },
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
        extensions: { prf: { eval: { first } } },
      },
    }),
  );
  const id = new Uint8Array(made.rawId);
  try {
    // Some devices say at once, others only when the passkey is used.
    const prf = result(made) ?? (await read(first, id, "passkey_unusable"));
    await ask("vault.passkey.add", { secret, credential: toBase64(id), prf });
  } catch (error) {
    // The device has made it, and only she can delete it there.
    throw error instanceof AskFailed && error.code !== "passkey_unusable" ? new AskFailed("passkey_unused") : error;
  }
}

/** What its PRF gives. @param without What it means that it gives nothing. */
async function read(first: Uint8Array<ArrayBuffer>, id: Uint8Array<ArrayBuffer>, without: FailureCode): Promise<string> {
  const shown = await offered(
    navigator.credentials.get({
      publicKey: {
        challenge: crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES)),
        allowCredentials: [{ type: "public-key", id }],
        userVerification: "required",
        extensions: { prf: { eval: { first } } },
      },
    }),
  );
  const prf = result(shown);
  if (prf === null) {
    throw new AskFailed(without);
  }
  return prf;
}

async function offered(credential: Promise<Credential | null>): Promise<PublicKeyCredential> {
  const given = await credential.catch(() => null);
  if (!(given instanceof PublicKeyCredential)) {
    throw new AskFailed("passkey_refused");
  }
  return given;
}

function result(credential: PublicKeyCredential): string | null {
  const first = credential.getClientExtensionResults().prf?.results?.first;
  if (first === undefined) {
    return null;
  }
  return toBase64(first instanceof ArrayBuffer ? new Uint8Array(first) : new Uint8Array(first.buffer as ArrayBuffer, first.byteOffset, first.byteLength));
}
