/**
 * How the guard's two worlds come by what they speak through: by events, before any script of the page runs. Whichever
 * world is first waits for the other.
 */

/** The page's side: hands it over now, and once more when the other side comes later and says hello. */
export function handOver(hello: string, hand: () => void): void {
  window.addEventListener(
    hello,
    (event) => {
      event.stopImmediatePropagation();
      hand();
    },
    { once: true, capture: true },
  );
  hand();
}

/** The extension's side: says hello, and takes what is handed over once. `take` tells whether that was it. */
export function takeOver(hello: string, type: string, take: (event: Event) => boolean): void {
  let isTaken = false;
  window.addEventListener(
    type,
    (event) => {
      event.stopImmediatePropagation();
      isTaken = isTaken || take(event);
    },
    { capture: true },
  );
  window.dispatchEvent(new Event(hello));
}
