/**
 * The line between the guard's two worlds: a `MessagePort`.
 */

import type { Part } from "./gate.ts";
import { handOver, takeOver } from "./handing.ts";

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
  handOver(HELLO, () => window.dispatchEvent(new MessageEvent(PORT, { ports: [port2] })));

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
  takeOver(HELLO, PORT, (event) => {
    const [given] = (event as MessageEvent).ports;
    if (given === undefined) {
      return false;
    }
    given.onmessage = ({ data }: MessageEvent<Question>) => {
      const reply = (goesOn: boolean): void => given.postMessage({ id: data.id, goesOn } satisfies Verdict);
      // In Firefox what comes from the page's world can be read, but not worked with; a copy is ours.
      answer(structuredClone(data)).then(reply, () => reply(false));
    };
    return true;
  });
}
