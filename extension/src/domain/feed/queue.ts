/**
 * Which picture is looked at next: each once, a few at a time, the newest wish first.
 *
 * In a feed that moves, what was wished for last is what she sees now. What was taken down before its turn came is
 * withdrawn and costs nothing, and so does the oldest of too many that wait.
 */

export class Queue<Outcome> {
  readonly #look: (address: string) => Promise<Outcome>;
  readonly #atOnce: number;
  readonly #remembered: number;
  readonly #mostWaiting: number;
  /** Oldest first; the last is the next. */
  readonly #waiting: string[] = [];
  readonly #known = new Map<string, Entry<Outcome>>();
  #running = 0;
  #isPaused = false;

  /**
   * @param look Looks at one picture; a rejection counts as not looked at, and the next wish tries again.
   * @param remembered How many outcomes are kept; a feed without an end must not fill the memory.
   */
  constructor(
    look: (address: string) => Promise<Outcome>,
    {
      atOnce = 2,
      remembered = 5000,
      mostWaiting = 400,
    }: { readonly atOnce?: number; readonly remembered?: number; readonly mostWaiting?: number } = {},
  ) {
    this.#look = look;
    this.#atOnce = atOnce;
    this.#remembered = remembered;
    this.#mostWaiting = mostWaiting;
  }

  /** Pictures that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Everything that is known, oldest first. */
  get outcomes(): readonly Outcome[] {
    return [...this.#known.values()].flatMap((entry) => (entry.state === "done" ? [entry.outcome] : []));
  }

  /** What is known of a picture, or undefined. */
  outcome(address: string): Outcome | undefined {
    const entry = this.#known.get(address);
    return entry?.state === "done" ? entry.outcome : undefined;
  }

  /** Wish to have a picture looked at. Does nothing if it is known or being looked at; else it is next. */
  want(address: string): void {
    const entry = this.#known.get(address);
    if (entry !== undefined && entry.state !== "waiting") {
      return;
    }
    if (entry !== undefined) {
      this.#waiting.splice(this.#waiting.indexOf(address), 1);
    }
    this.#waiting.push(address);
    this.#known.set(address, WAITING);
    const [oldest] = this.#waiting;
    if (oldest !== undefined && this.#waiting.length > this.#mostWaiting) {
      this.withdraw(oldest);
    }
    this.#next();
  }

  /** It is not there any more, before its turn came. */
  withdraw(address: string): void {
    if (this.#known.get(address)?.state === "waiting") {
      this.#waiting.splice(this.#waiting.indexOf(address), 1);
      this.#known.delete(address);
    }
  }

  /** Forget outcomes, so that the next wish looks again. */
  forget(isStale: (outcome: Outcome) => boolean): void {
    for (const [address, entry] of this.#known) {
      if (entry.state === "done" && isStale(entry.outcome)) {
        this.#known.delete(address);
      }
    }
  }

  /** Begin nothing new until `resume`. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#next();
  }

  #next(): void {
    while (!this.#isPaused && this.#running < this.#atOnce) {
      const address = this.#waiting.pop();
      if (address === undefined) {
        return;
      }
      this.#running += 1;
      this.#known.set(address, LOOKING);
      void this.#finish(address);
    }
  }

  async #finish(address: string): Promise<void> {
    try {
      const outcome = await this.#look(address);
      // Set anew, so that the map's order is the order of finishing and its first entry the oldest outcome.
      this.#known.delete(address);
      this.#known.set(address, { state: "done", outcome });
      this.#trim();
    } catch {
      this.#known.delete(address);
    } finally {
      this.#running -= 1;
      this.#next();
    }
  }

  #trim(): void {
    for (const [address, { state }] of this.#known) {
      if (this.#known.size <= this.#remembered) {
        return;
      }
      if (state === "done") {
        this.#known.delete(address);
      }
    }
  }
}

type Entry<Outcome> =
  | { readonly state: "waiting" | "looking" }
  | { readonly state: "done"; readonly outcome: Outcome };
const WAITING = { state: "waiting" } as const;
const LOOKING = { state: "looking" } as const;
