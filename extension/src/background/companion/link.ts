/** One companion over HTTP: who it is, asked anew in every session, before it is sent anything. */

import { fromBase64Url, isCompanion, toBase64Url, NotTheCompanion } from "../../domain/pairing.ts";
import { Failure } from "../../failure.ts";
import type { FailureCode } from "../../messages.ts";

/** What pairing left: on the disk. The token can ask for checks and see where faces are; it opens no template. */
export interface Paired {
  readonly origin: string;
  /** Ed25519, base64url: pinned. */
  readonly key: string;
  readonly token: string;
}

const NONCE_BYTES = 32;
const QUICK_MS = 5000;
/** Statuses that say that it does not know this browser's token any more. */
const UNKNOWN = new Set([401, 403]);
/** What it says in its own words that she can do something about. */
const SAID: Readonly<Record<string, FailureCode>> = {
  "wrong-passphrase": "companion_passphrase",
  "vault-locked": "companion_locked",
  "vault-absent": "companion_locked",
  "too-many-requests": "companion_wait",
  overloaded: "companion_wait",
};

export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** Post JSON without a token. @throws {Failure} `companion_unreachable`. */
export async function post(send: Send, url: string, body: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return reach(send, url, { method: "POST", headers, body: JSON.stringify(body) }, QUICK_MS);
}

async function reach(send: Send, url: string, init: RequestInit, timeoutMs: number): Promise<Response> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await send(url, { ...init, signal, credentials: "omit", cache: "no-store", redirect: "error" });
  } catch (error) {
    throw new Failure("companion_unreachable", { cause: error });
  }
}

export class Link {
  readonly paired: Paired;
  readonly #send: Send;
  #trusted: Promise<void> | undefined;

  constructor(paired: Paired, send: Send) {
    this.paired = paired;
    this.#send = send;
  }

  /** Make sure that it is the one that was paired. @throws {Failure} `companion_unreachable`, `companion_untrusted`. */
  trust(): Promise<void> {
    this.#trusted ??= this.#challenge().catch((error: unknown) => {
      this.#trusted = undefined;
      throw error;
    });
    return this.#trusted;
  }

  /**
   * Call a route with the token, after the companion has shown who it is.
   *
   * @throws {Failure} `companion_unreachable`, `companion_untrusted`, or `forbidden` if the token may not, or no longer;
   *   `companion_passphrase`, `companion_locked`, `companion_wait`, `not_found`.
   */
  async call(path: string, init: RequestInit, timeoutMs: number): Promise<Response> {
    await this.trust();
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${this.paired.token}`);
    let response: Response;
    try {
      response = await reach(this.#send, this.paired.origin + path, { ...init, headers }, timeoutMs);
    } catch (error) {
      // Whoever answers next may be another.
      this.#trusted = undefined;
      throw error;
    }
    if (!response.ok) {
      throw new Failure(await codeOf(response));
    }
    return response;
  }

  /** Have it show again who it is before the next call. */
  doubt(): void {
    this.#trusted = undefined;
  }

  async #challenge(): Promise<void> {
    const { origin, key } = this.paired;
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const response = await post(this.#send, `${origin}/v1/identity/challenge`, { nonce: toBase64Url(nonce) });
    let isIt = false;
    try {
      const { signature } = (await response.json()) as { readonly signature?: unknown };
      isIt = typeof signature === "string" && (await isCompanion(fromBase64Url(key), nonce, origin, fromBase64Url(signature)));
    } catch (error) {
      if (!(error instanceof NotTheCompanion) && !(error instanceof SyntaxError)) {
        throw new Failure("companion_unreachable", { cause: error });
      }
      // It speaks another language: another program took the port.
    }
    if (!response.ok || !isIt) {
      throw new Failure("companion_untrusted");
    }
  }
}

async function codeOf(response: Response): Promise<FailureCode> {
  const { code } = (await response.json().catch(() => ({}))) as { readonly code?: unknown };
  if (typeof code === "string" && Object.hasOwn(SAID, code)) {
    return SAID[code] ?? "companion_unreachable";
  }
  if (response.status === 404) {
    return "not_found";
  }
  return UNKNOWN.has(response.status) ? "forbidden" : "companion_unreachable";
}
