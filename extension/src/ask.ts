/** The sender's side of messages.ts: one question to the background, one answer or one failure. */

import type { Answer, Ask, Envelope, FailureCode, Kind, Reply } from "./messages.ts";

/** The background answered that it could not, and why. */
export class AskFailed extends Error {
  override readonly name = "AskFailed";
  readonly code: FailureCode;

  constructor(code: FailureCode) {
    super(`the background could not answer: ${code}`);
    this.code = code;
  }
}

/** Kinds that carry an `id`: asking them twice is one check, so an interruption may be mended by asking again. */
const REPEATABLE: ReadonlySet<Kind> = new Set<Kind>(["picture.check", "upload.check", "engine.state", "vault.state"]);
const TRIES = 3;

/**
 * Ask the background.
 *
 * The background is stopped by the browser when it likes. A question that was outstanding then is asked again where
 * that is safe; otherwise, and after three tries, it fails as `interrupted`. Nobody may take that for an allow.
 *
 * @throws {AskFailed} With the reason.
 */
export async function ask<K extends Kind>(kind: K, body: Ask<K>): Promise<Answer<K>> {
  const envelope: Envelope<K> = { to: "background", kind, ask: body };
  const tries = REPEATABLE.has(kind) ? TRIES : 1;
  for (let count = 0; count < tries; count++) {
    let reply: Reply<K> | undefined;
    try {
      reply = await chrome.runtime.sendMessage<Envelope<K>, Reply<K> | undefined>(envelope);
    } catch {
      // "The message port closed before a response was received", in words that differ between browsers.
      continue;
    }
    if (reply !== undefined) {
      if ("answer" in reply) {
        return reply.answer;
      }
      throw new AskFailed(reply.error);
    }
  }
  throw new AskFailed("interrupted");
}
