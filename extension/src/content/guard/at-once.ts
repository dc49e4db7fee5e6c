/**
 * The guard's second line between its worlds, for what cannot wait: a text that a synchronous request sends, or a beacon of
 * a page that is being left. A port answers later; an event is heard at once.
 *
 * Both worlds hold one element that never stands in the page, handed over before any script of the page runs: the question
 * is its event, text and answer are its attributes. Whoever hears no answer takes it for a no.
 */

import { handOver, takeOver } from "./handing.ts";

/** Whether a text may go on without anybody being asked. */
export type AtOnce = (text: string) => boolean;

const HELLO = "consentry-guard-at-once-hello";
const ELEMENT = "consentry-guard-at-once";
const QUESTION = "question";
const TEXT = "data-text";
const YES = "data-yes";

/** The page's side. What it uses of the browser is taken now, before a page can put something else in its place. */
export function openAtOnce(): AtOnce {
  const { apply } = Reflect;
  const { setAttribute, removeAttribute, hasAttribute } = Element.prototype;
  const { dispatchEvent } = EventTarget.prototype;
  const Question = Event;
  const element = document.createElement("div");

  handOver(HELLO, () => window.dispatchEvent(new MouseEvent(ELEMENT, { relatedTarget: element })));

  return (text) => {
    apply(removeAttribute, element, [YES]);
    apply(setAttribute, element, [TEXT, text]);
    apply(dispatchEvent, element, [new Question(QUESTION)]);
    apply(removeAttribute, element, [TEXT]);
    return apply(hasAttribute, element, [YES]) as boolean;
  };
}

/** The extension's side. */
export function answerAtOnce(answer: AtOnce): void {
  takeOver(HELLO, ELEMENT, (event) => {
    const { relatedTarget: given } = event as MouseEvent;
    if (!(given instanceof Element)) {
      return false;
    }
    given.addEventListener(QUESTION, () => given.toggleAttribute(YES, answer(given.getAttribute(TEXT) ?? "")));
    return true;
  });
}
