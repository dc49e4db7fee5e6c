/**
 * The line between the guard's two worlds: a `MessagePort`, handed over by events before any script of the page runs.
 * Whichever world is first waits for the other.
 */

import type { Part } from "./gate.ts";

export interface Question {
  readonly id: number;
  readonly parts: readonly Part[];
  /** She gives it to the page; else the page sends it away. */
  readonly isGiven: boolean;
}

interface Verdict {
  readonly id: number;
  readonly goesOn: boolean;
}

/** Whether parts may go on. Never rejects: no verdict is a no. */
export type Verdicts = (parts: readonly Part[], way: "given" | "sent") => Promise<boolean>;

const HELLO = "consentry-guard-hello";
const PORT = "consentry-guard-port";

/** The page's side. What it uses of the browser is taken now, before a page can put something else in its place. */
export function openPort(): Verdicts {
  const { apply } = Reflect;
  const { port1, port2 } = new MessageChannel();
  const post = port1.postMessage;
  const waiting = new Map<number, (goesOn: boolean) => void>();
  const { get, set, delete: remove } = Map.prototype;
  const Later = Promise;
  let last = 0;

  port1.onmessage = ({ data }: MessageEvent<Verdict>) => {
    const resolve = apply(get, waiting, [data.id]) as ((goesOn: boolean) => void) | undefined;
    apply(remove, waiting, [data.id]);
    resolve?.(data.goesOn === true);
  };
  const hand = (): void => {
    window.dispatchEvent(new MessageEvent(PORT, { ports: [port2] }));
  };
  window.addEventListener(
    HELLO,
    (event) => {
      event.stopImmediatePropagation();
      hand();
    },
    { once: true, capture: true },
  );
  hand();

  return (parts, way) =>
    new Later((resolve) => {
      last += 1;
      apply(set, waiting, [last, resolve]);
      const question: Question = { id: last, parts, isGiven: way === "given" };
      apply(post, port1, [question]);
    });
}

/** The extension's side. */
export function answerPort(answer: (question: Question) => Promise<boolean>): void {
  let port: MessagePort | undefined;
  window.addEventListener(
    PORT,
    (event) => {
      event.stopImmediatePropagation();
      const [given] = (event as MessageEvent).ports;
      if (port !== undefined || given === undefined) {
        return;
      }
      port = given;
      port.onmessage = ({ data }: MessageEvent<Question>) => {
        const reply = (goesOn: boolean): void => given.postMessage({ id: data.id, goesOn } satisfies Verdict);
        // In Firefox what comes from the page's world can be read, but not worked with; a copy is ours.
        answer(structuredClone(data)).then(reply, () => reply(false));
      };
    },
    { capture: true },
  );
  window.dispatchEvent(new Event(HELLO));
}
