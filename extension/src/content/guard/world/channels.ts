/** Channels that stay open: sockets, data channels, and messages to workers, which send with a `fetch` of their own. */

import type { Part } from "../gate.ts";
import type { Verdicts } from "../port.ts";
import { type Call, replace } from "./native.ts";
import { copied, pictureParts } from "./parts.ts";

type Realm = Window & typeof globalThis;

/** What a channel's function is called with, and what of it the guard asks about. */
interface Held {
  readonly args: readonly unknown[];
  readonly parts: readonly Part[];
}

export function guardChannels(realm: Realm, isAsked: Verdicts): void {
  const sent = (args: readonly unknown[]): Held => {
    if (args.length === 0) {
      return { args, parts: [] };
    }
    const { body, parts } = copied(args[0], "channel");
    return { args: [body], parts };
  };
  const posted = (args: readonly unknown[]): Held => ({ args, parts: pictureParts(args[0]) });
  inOrder(realm.WebSocket.prototype, "send", isAsked, sent);
  inOrder(realm.RTCDataChannel?.prototype, "send", isAsked, sent);
  for (const owner of [realm.Worker, realm.ServiceWorker, realm.MessagePort, realm.BroadcastChannel]) {
    inOrder(owner?.prototype, "postMessage", isAsked, posted);
  }
}

/** Hold a channel's message, and then all that come after it until it is decided: a channel keeps its order. */
function inOrder(
  owner: object | undefined,
  name: string,
  isAsked: Verdicts,
  hold: (args: readonly unknown[]) => Held,
): void {
  const queues = new WeakMap<object, Promise<void>>();
  replace(owner, name, (native: Call) => (self, args) => {
    const channel = self as object;
    const before = queues.get(channel);
    const { args: held, parts } = hold(args);
    if (parts.length === 0 && before === undefined) {
      return native(self, held);
    }
    const verdict = parts.length === 0 ? true : isAsked(parts, "sent");
    const turn = send(before, verdict, () => native(self, held));
    queues.set(channel, turn);
    void (async () => {
      await turn;
      if (queues.get(channel) === turn) {
        queues.delete(channel);
      }
    })();
    return undefined;
  });
}

async function send(before: Promise<void> | undefined, verdict: Promise<boolean> | boolean, native: () => void): Promise<void> {
  await before;
  if (await verdict) {
    try {
      native();
    } catch {
      // The channel was closed meanwhile, which its page knows.
    }
  }
}
