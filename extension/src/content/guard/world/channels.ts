/** Channels that stay open: sockets, data channels, and messages to workers, which send with a `fetch` of their own. */

import type { Part } from "../gate.ts";
import type { Verdicts } from "../port.ts";
import { type Call, replace } from "./native.ts";
import { frozen, partsOf, pictureParts } from "./parts.ts";

type Realm = Window & typeof globalThis;

export function guardChannels(realm: Realm, isAsked: Verdicts): void {
  const body = (args: readonly unknown[]) => (args.length === 0 ? args : [frozen(args[0], realm), ...args.slice(1)]);
  const same = (args: readonly unknown[]) => args;
  inOrder(realm.WebSocket.prototype, "send", isAsked, body, partsOf);
  inOrder(realm.RTCDataChannel?.prototype, "send", isAsked, body, partsOf);
  for (const owner of [realm.Worker, realm.ServiceWorker, realm.MessagePort, realm.BroadcastChannel]) {
    inOrder(owner?.prototype, "postMessage", isAsked, same, pictureParts);
  }
}

/** Hold a channel's message, and then all that come after it until it is decided: a channel keeps its order. */
function inOrder(
  owner: object | undefined,
  name: string,
  isAsked: Verdicts,
  copy: (args: readonly unknown[]) => readonly unknown[],
  parts: (message: unknown) => Part[],
): void {
  const queues = new WeakMap<object, Promise<void>>();
  replace(owner, name, (native: Call) => (self, args) => {
    const channel = self as object;
    const before = queues.get(channel);
    const copied = copy(args);
    const found = parts(copied[0]);
    if (found.length === 0 && before === undefined) {
      return native(self, copied);
    }
    const verdict = found.length === 0 ? true : isAsked(found, "sent");
    const turn = send(before, verdict, () => native(self, copied));
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
