/**
 * The paired companion as a second pair of eyes. It is asked first, for those who have it; whenever it is not there, not
 * the paired one, or cannot check, the browser's own engine decides.
 *
 *     pair    code typed here --hello, confirm--> token, pinned key            docs/specs/pairing.md
 *     check   challenge, once a session -> POST /v1/checks with the token
 */

import { type Exchange, NotTheCompanion, clientMac, fromBase64Url, openToken, readCode, toBase64Url } from "../../domain/pairing.ts";
import type { Decision } from "../../domain/consent/decide.ts";
import { CATEGORIES, type Heard } from "../../domain/intent/taxonomy.ts";
import { Failure } from "../../failure.ts";
import type { Answer, UploadAnswer, PublicReason, Verdict } from "../../messages.ts";
import type { Handlers } from "../router.ts";
import { Link, type Paired, type Send, post } from "./link.ts";

const KEY = "companion";
const INFORM_MS = 15_000;
const ACT_MS = 60_000;
const WORDS_MS = 5000;
/** What it reads at once. */
const MOST_CHARACTERS = 32_000;
const MOST_TURNS = 50;
/** After a failure it is left in peace so long, so that a feed does not wait for it at every picture. */
const PAUSE_MS = 30_000;
const NONCE_BYTES = 32;
const LOCAL = new Set(["127.0.0.1", "localhost"]);

export interface CompanionVerdict {
  readonly decision: Decision;
  readonly shows: UploadAnswer["shows"];
}

interface CheckOut {
  readonly verdict: Verdict;
  readonly reasons: readonly PublicReason[];
  readonly obligations: readonly "check_output"[];
  readonly checked: boolean;
  readonly images: readonly { readonly faces: readonly unknown[] }[] | null;
}

export interface CompanionParts {
  readonly storage: chrome.storage.StorageArea;
  readonly send: Send;
  /** Origin of this extension, for example `chrome-extension://…`. */
  readonly origin: string;
  /** What the owner sees in her list of tokens. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly changed: () => void;
}

export class Companion {
  readonly #parts: CompanionParts;
  #link: Promise<Link | null> | undefined;
  #pausedUntil = 0;

  constructor(parts: CompanionParts) {
    this.#parts = parts;
  }

  /** The handlers of `companion.*`. */
  handlers(): Handlers {
    return {
      "companion.state": () => this.state(),
      "companion.pair": async ({ origin, code }) => {
        await this.#pair(origin, code);
        return {};
      },
      "companion.forget": async () => {
        await this.#keep(null);
        return {};
      },
      "companion.keys": async () => {
        const link = await this.link();
        const response = await link.call("/.well-known/jwks.json", { method: "GET" }, INFORM_MS);
        return { keys: await response.text() };
      },
    };
  }

  async state(): Promise<Answer<"companion.state">> {
    const link = await this.#linked();
    if (link === null) {
      return { state: "not_paired", origin: null };
    }
    const { origin } = link.paired;
    try {
      await link.call("/v1/vault", { method: "GET" }, INFORM_MS);
      this.#pausedUntil = 0;
      return { state: "reachable", origin };
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      return { state: error.code === "companion_unreachable" ? "unreachable" : "untrusted", origin };
    }
  }

  /** The companion that is paired. @throws {Failure} `companion_not_paired`. */
  async link(): Promise<Link> {
    const link = await this.#linked();
    if (link === null) {
      throw new Failure("companion_not_paired");
    }
    return link;
  }

  /**
   * What it says of a picture in a feed; null when it cannot say.
   *
   * It tells a browser that somebody may be in it, not who and not where: `possible` at most.
   */
  async inform(file: ArrayBuffer): Promise<{ readonly shows: "possible" | "nobody_enrolled"; readonly faces: number } | null> {
    const form = new FormData();
    form.append("mode", "inform");
    form.append("images", new Blob([file]), "picture");
    const found = await this.#ask("/v1/checks", { body: form }, { timeoutMs: INFORM_MS, read: checkOf });
    if (found === null || !found.checked) {
      return null;
    }
    const faces = found.images?.[0]?.faces.length ?? 0;
    return { shows: found.verdict === "allow" ? "nobody_enrolled" : "possible", faces };
  }

  /** Its verdict on an upload; null when it is not there. `checked` is false where it could not examine all. */
  async act(files: readonly ArrayBuffer[], prompt: string | null): Promise<CompanionVerdict | null> {
    const form = new FormData();
    form.append("mode", "act");
    if (prompt !== null && prompt !== "") {
      form.append("prompt", prompt);
    }
    for (const file of files) {
      form.append("images", new Blob([file]), "picture");
    }
    const headers = { "idempotency-key": crypto.randomUUID() };
    const found = await this.#ask("/v1/checks", { body: form, headers }, { timeoutMs: ACT_MS, read: checkOf });
    if (found === null) {
      return null;
    }
    const { verdict, reasons, obligations, checked } = found;
    return {
      decision: { verdict, reasons, obligations, checked, privateReasons: [], subjects: [] },
      shows: !checked ? "unknown" : verdict === "needs_consent" ? "possible" : verdict === "allow" ? "nobody_enrolled" : "unknown",
    };
  }

  /** What it hears in words, with the turns before them; null when it does not answer. */
  async words(text: string, turns: readonly string[] = []): Promise<Heard | null> {
    const context = turns.slice(-MOST_TURNS).map((turn) => turn.slice(0, MOST_CHARACTERS));
    const body = JSON.stringify({ prompt: text.slice(0, MOST_CHARACTERS), context });
    const headers = { "content-type": "application/json" };
    return this.#ask("/v1/words", { body, headers }, { timeoutMs: WORDS_MS, read: heardOf });
  }

  async #ask<T>(
    path: string,
    init: RequestInit,
    { timeoutMs, read }: { readonly timeoutMs: number; readonly read: (value: unknown) => T },
  ): Promise<T | null> {
    const link = await this.#linked();
    if (link === null || this.#parts.now() < this.#pausedUntil) {
      return null;
    }
    try {
      const response = await link.call(path, { method: "POST", ...init }, timeoutMs);
      return read(await response.json());
    } catch (error) {
      if (error instanceof Failure && error.code === "not_found") {
        return null; // an older companion, which does not know this question
      }
      this.#pausedUntil = this.#parts.now() + PAUSE_MS;
      if (error instanceof Failure || error instanceof SyntaxError) {
        return null;
      }
      throw error;
    }
  }

  async #pair(address: string, typed: string): Promise<void> {
    const code = readCode(typed);
    const url = URL.parse(address);
    if (code === null) {
      throw new Failure("wrong_code");
    }
    if (url === null || url.protocol !== "http:" || !LOCAL.has(url.hostname)) {
      throw new Failure("companion_unreachable");
    }
    const { send, origin: clientOrigin, name } = this.#parts;
    const clientNonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const hello = await post(send, `${url.origin}/v1/pairings/hello`, { client_nonce: toBase64Url(clientNonce) });
    if (!hello.ok) {
      // No code waits there: it was not asked for, has lapsed, or was used up.
      throw new Failure("wrong_code");
    }
    try {
      const begun = stringsOf(await hello.json(), ["server_nonce", "companion_key"]);
      const exchange: Exchange = {
        clientNonce,
        serverNonce: fromBase64Url(begun.server_nonce),
        companionKey: fromBase64Url(begun.companion_key),
        serverOrigin: url.origin,
        clientOrigin,
      };
      const client_mac = toBase64Url(await clientMac(code, exchange));
      const confirm = await post(send, `${url.origin}/v1/pairings/confirm`, { server_nonce: begun.server_nonce, client_mac, name });
      if (!confirm.ok) {
        throw new Failure("wrong_code");
      }
      const proof = stringsOf(await confirm.json(), ["server_mac", "signature", "sealed_token"]);
      const token = await openToken(code, exchange, {
        serverMac: fromBase64Url(proof.server_mac),
        signature: fromBase64Url(proof.signature),
        sealedToken: fromBase64Url(proof.sealed_token),
      });
      await this.#keep({ origin: url.origin, key: begun.companion_key, token });
    } catch (error) {
      const isForeign = error instanceof NotTheCompanion || error instanceof SyntaxError;
      throw isForeign ? new Failure("companion_untrusted", { cause: error }) : error;
    } finally {
      code.fill(0);
    }
  }

  async #keep(paired: Paired | null): Promise<void> {
    const { storage, changed } = this.#parts;
    await (paired === null ? storage.remove(KEY) : storage.set({ [KEY]: paired }));
    this.#link = undefined;
    this.#pausedUntil = 0;
    changed();
  }

  #linked(): Promise<Link | null> {
    this.#link ??= this.#parts.storage.get(KEY).then((stored) => {
      const paired: unknown = stored[KEY];
      return isPaired(paired) ? new Link(paired, this.#parts.send) : null;
    });
    return this.#link;
  }
}

function isPaired(value: unknown): value is Paired {
  return (
    typeof value === "object" &&
    value !== null &&
    ["origin", "key", "token"].every((name) => typeof (value as Record<string, unknown>)[name] === "string")
  );
}

function stringsOf<Name extends string>(value: unknown, names: readonly Name[]): Record<Name, string> {
  const found = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const pairs = names.map((name) => {
    const text = found[name];
    if (typeof text !== "string") {
      throw new NotTheCompanion("it does not speak our language");
    }
    return [name, text] as const;
  });
  return Object.fromEntries(pairs) as Record<Name, string>;
}

/** @throws {SyntaxError} If it is no answer to a check. */
function checkOf(value: unknown): CheckOut {
  const found = value as Partial<CheckOut> | null;
  const verdicts: readonly unknown[] = ["allow", "needs_consent", "refuse"];
  if (
    typeof found !== "object" ||
    found === null ||
    !verdicts.includes(found.verdict) ||
    typeof found.checked !== "boolean" ||
    !Array.isArray(found.reasons) ||
    !Array.isArray(found.obligations) ||
    !(found.images === null || Array.isArray(found.images))
  ) {
    throw new SyntaxError("no answer to a check");
  }
  return found as CheckOut;
}

/** @throws {SyntaxError} If it is no answer about words. */
function heardOf(value: unknown): Heard {
  const found = value as { readonly [name: string]: unknown } | null;
  const category = CATEGORIES.find((each) => each === found?.["category"]);
  const [isReadable, hasAgeCue, refersToPerson] = ["is_readable", "has_age_cue", "refers_to_person"].map((name) => found?.[name]);
  if (category === undefined || typeof isReadable !== "boolean" || typeof hasAgeCue !== "boolean" || typeof refersToPerson !== "boolean") {
    throw new SyntaxError("no answer about words");
  }
  return { category, isReadable, hasAgeCue, refersToPerson };
}
