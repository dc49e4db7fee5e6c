/** Work in slices, while the page has nothing to do: no slice is long enough to be felt. */

/** A frame has 16 ms; this leaves most of it to the page. */
const SLICE_MS = 6;
/** A page that never rests must not keep us waiting for ever. */
const PATIENCE_MS = 1500;

export class Idle {
  readonly #work: Iterator<void>[] = [];
  #isScheduled = false;

  /** Do some work, yielding as often as it can be interrupted; later work first waits for earlier work. */
  add(work: Iterator<void>): void {
    this.#work.push(work);
    this.#schedule();
  }

  /** Drop what is not done. */
  clear(): void {
    this.#work.length = 0;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#work.length === 0) {
      return;
    }
    this.#isScheduled = true;
    requestIdleCallback(
      () => {
        this.#isScheduled = false;
        this.#slice(performance.now() + SLICE_MS);
        this.#schedule();
      },
      { timeout: PATIENCE_MS },
    );
  }

  #slice(end: number): void {
    while (performance.now() < end) {
      const [work] = this.#work;
      if (work === undefined) {
        return;
      }
      if (work.next().done === true) {
        this.#work.shift();
      }
    }
  }
}
