/**
 * Who may ask what, and which handler answers. The only listener for messages of the extension's parts.
 *
 * A handler is one function a kind. It throws `Failure` for what it means to say; anything else is a fault of ours,
 * reported to the console without its content and answered as `failed`.
 */

import { type Answer, type Ask, CONTENT_KINDS, type Envelope, type Kind, type Reply } from "../messages.ts";
import { Failure } from "../failure.ts";

/** Where a message came from, as the browser says (not the message). */
export interface Sender {
  readonly isOwnPage: boolean;
  readonly tabId: number | null;
  readonly frameId: number | null;
  /** Address of the document, as the browser knows it; empty if it does not. */
  readonly url: string;
}

export type Handler<K extends Kind> = (ask: Ask<K>, sender: Sender) => Promise<Answer<K>>;
export type Handlers = { readonly [K in Kind]?: Handler<K> };

/**
 * Answer one message.
 *
 * @param own Origin of the extension, with a slash at the end.
 */
export async function answer(
  handlers: Handlers,
  message: Envelope,
  from: chrome.runtime.MessageSender,
  own: string,
): Promise<Reply> {
  const sender: Sender = {
    isOwnPage: from.url !== undefined && from.url.startsWith(own),
    tabId: from.tab?.id ?? null,
    frameId: from.frameId ?? null,
    url: from.url ?? "",
  };
  if (!sender.isOwnPage && !CONTENT_KINDS.has(message.kind)) {
    return { error: "forbidden" };
  }
  if (!Object.hasOwn(handlers, message.kind)) {
    return { error: "unknown_message" };
  }
  const handler = handlers[message.kind] as Handler<Kind>;
  try {
    return { answer: await handler(message.ask, sender) };
  } catch (error) {
    if (error instanceof Failure) {
      return { error: error.code };
    }
    // The name of the class and the place in our code; never the message, which may quote a picture's address or words.
    console.error(`${message.kind} failed`, error instanceof Error ? error.name : typeof error);
    return { error: "failed" };
  }
}

/** Answer every message that is meant for the background, for as long as this worker lives. */
export function listen(handlers: Handlers): void {
  const own = chrome.runtime.getURL("");
  chrome.runtime.onMessage.addListener((message: unknown, from, reply: (value: Reply) => void) => {
    if (!isEnvelope(message) || from.id !== chrome.runtime.id) {
      return false;
    }
    void answer(handlers, message, from, own).then(reply);
    return true;
  });
}

function isEnvelope(message: unknown): message is Envelope {
  return (
    typeof message === "object" &&
    message !== null &&
    "to" in message &&
    message.to === "background" &&
    "kind" in message &&
    typeof message.kind === "string" &&
    "ask" in message &&
    typeof message.ask === "object" &&
    message.ask !== null
  );
}
