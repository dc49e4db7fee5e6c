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
const REPEATABLE: ReadonlySet<Kind> = new Set<Kind>(["picture.check", "upload.check", "guard.hold", "engine.state", "vault.state"]);
const TRIES = 3;
/** A background that is ended while it starts can take a question with it, and nobody is told: so it is asked again. */
const AGAIN_MS = 8_000;

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
  const reply = REPEATABLE.has(kind) ? await heard(envelope) : await sent(envelope);
  if (reply === undefined) {
    throw new AskFailed("interrupted");
  }
  if ("answer" in reply) {
    return reply.answer;
  }
  throw new AskFailed(reply.error);
}

/** Send once; undefined if there was no answer. */
async function sent<K extends Kind>(envelope: Envelope<K>): Promise<Reply<K> | undefined> {
  try {
    return await chrome.runtime.sendMessage<Envelope<K>, Reply<K> | undefined>(envelope);
  } catch {
    // "The message port closed before a response was received", in words that differ between browsers.
    return undefined;
  }
}

/** Send until there is an answer: at once after an interruption, and after a while of silence. */
function heard<K extends Kind>(envelope: Envelope<K>): Promise<Reply<K> | undefined> {
  return new Promise((resolve) => {
    let [outstanding, interruptions] = [0, 0];
    const settle = (reply: Reply<K> | undefined): void => {
      clearInterval(timer);
      resolve(reply);
    };
    const send = (): void => {
      outstanding += 1;
      void sent(envelope).then((reply) => {
        outstanding -= 1;
        if (reply !== undefined) {
          settle(reply);
          return;
        }
        interruptions += 1;
        if (interruptions < TRIES) {
          send();
        } else if (outstanding === 0) {
          settle(undefined);
        }
      });
    };
    const timer = setInterval(send, AGAIN_MS);
    send();
  });
}
