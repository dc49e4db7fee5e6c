/** Feed watch: looks at the pictures that come onto the screen, and marks those that show her. Tells the page nothing. */

import { AskFailed, ask } from "../../ask.ts";
import { readerOf } from "../../domain/feed/addresses.ts";
import { Queue } from "../../domain/feed/queue.ts";
import type { FailureCode, FeedCounts, FeedQuestion, Notice, Picture, PictureAnswer, SiteState } from "../../messages.ts";
import { base64Of } from "../bytes.ts";
import { Layer } from "../layer.ts";
import { BADGE_CSS, Badges } from "./badges.ts";
import { Finder } from "./finder.ts";
import { Idle } from "./idle.ts";
import { PANEL_CSS, Panel, type Report } from "./panel.ts";

/** Larger than this is no picture of a feed; the background has the same limit for what it fetches. */
const MAX_BYTES = 20_000_000;
/** The background may be starting. */
const RETRY_MS = 5000;
/** What may be otherwise the next time: these pictures are looked at again. */
const PASSING: ReadonlySet<FailureCode> = new Set(["locked", "interrupted", "engine_unavailable", "companion_unreachable"]);

class Watch {
  readonly #layer = new Layer(BADGE_CSS + PANEL_CSS);
  readonly #badges = new Badges(this.#layer);
  readonly #panel: Panel | null;
  readonly #finder: Finder;
  readonly #queue = new Queue((address) => this.#look(address));
  /** Elements that were on or near the screen and are still in the page, and what they show. */
  readonly #shown = new Map<Element, readonly string[]>();
  #isLocked = false;
  #isTold = false;
  /** What stands on the toolbar. */
  #found = 0;

  constructor() {
    this.#panel = window === window.top ? new Panel(this.#layer, () => void ask("page.open", { page: "settings" })) : null;
    this.#finder = new Finder(
      {
        onSeen: (element, addresses) => this.#onSeen(element, addresses),
        onGone: (element) => this.#onGone(element),
      },
      new Idle(),
    );
  }

  start(): void {
    this.#layer.attach();
    this.#finder.start();
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#tell();
  }

  stop(): void {
    this.#finder.stop();
    this.#badges.clear();
    this.#queue.pause();
    this.#layer.detach();
    document.removeEventListener("visibilitychange", this.#onVisibility);
  }

  /** The vault was opened or locked, or somebody enrolled: what could not be checked, or was checked against others, is looked at again. */
  lookAgain(): void {
    this.#isLocked = false;
    this.#queue.forget(() => true);
    this.#badges.clear();
    for (const [element, addresses] of this.#shown) {
      this.#onSeen(element, addresses);
    }
    this.#queue.resume();
  }

  readonly #onVisibility = (): void => {
    if (document.hidden) {
      this.#queue.pause();
    } else if (!this.#isLocked) {
      this.#queue.resume();
    }
  };

  #onSeen(element: Element, addresses: readonly string[]): void {
    this.#shown.set(element, addresses);
    for (const address of addresses) {
      this.#queue.want(address);
    }
    this.#mark(element, addresses);
  }

  /**
   * It left the screen. While it stays in the page it keeps its place behind what she sees now; a feed that takes down
   * what is far away takes it out of the queue.
   */
  #onGone(element: Element): void {
    if (!element.isConnected) {
      this.#forget([element]);
    }
  }

  #forget(elements: readonly Element[]): void {
    const left = new Set(elements.flatMap((element) => this.#shown.get(element) ?? []));
    for (const element of elements) {
      this.#shown.delete(element);
      this.#badges.unmark(element);
    }
    const wanted = new Set([...this.#shown.values()].flat());
    for (const address of left) {
      if (!wanted.has(address)) {
        this.#queue.withdraw(address);
      }
    }
  }

  #mark(element: Element, addresses: readonly string[]): void {
    const answers = addresses.map((address) => this.#queue.outcome(address));
    if (answers.some((answer) => answer?.checked === true && answer.shows === "match")) {
      this.#badges.mark(element);
    } else {
      this.#badges.unmark(element);
    }
    this.#tell();
  }

  async #look(address: string): Promise<PictureAnswer> {
    const answer = await check(address);
    if (!answer.checked && answer.why === "locked") {
      this.#isLocked = true;
      this.#queue.pause();
    }
    // The queue knows the answer once this promise has settled.
    setTimeout(() => {
      for (const [element, addresses] of this.#shown) {
        if (addresses.includes(address)) {
          this.#mark(element, addresses);
        }
      }
      if (!answer.checked && PASSING.has(answer.why)) {
        this.#queue.forget((outcome) => outcome === answer);
      }
    });
    return answer;
  }

  /** What was seen on this page since it was loaded. */
  get counts(): FeedCounts {
    const { looked, mine, possible, notChecked } = this.#report();
    return { looked, mine: mine.length, possible, notChecked: [...notChecked.values()].reduce((sum, count) => sum + count, 0) };
  }

  /** Bring the panel and the toolbar up to date, at most once a frame. */
  #tell(): void {
    if (this.#panel === null || this.#isTold) {
      return;
    }
    this.#isTold = true;
    requestAnimationFrame(() => {
      this.#isTold = false;
      const report = this.#report();
      this.#panel?.show(report);
      if (report.mine.length !== this.#found) {
        this.#found = report.mine.length;
        // A toolbar that could not be told is behind by one picture, until the next.
        ask("feed.found", { mine: this.#found }).catch(() => undefined);
      }
    });
  }

  #report(): Report {
    // What was taken down while it was far from the screen nobody tells.
    this.#forget([...this.#shown.keys()].filter((element) => !element.isConnected));
    const outcomes = this.#queue.outcomes;
    const notChecked = new Map<string, number>();
    for (const outcome of outcomes) {
      if (!outcome.checked) {
        notChecked.set(outcome.why, (notChecked.get(outcome.why) ?? 0) + 1);
      }
    }
    return {
      looked: outcomes.filter((outcome) => outcome.checked).length,
      mine: this.#badges.pictures,
      possible: outcomes.filter((outcome) => outcome.checked && outcome.shows === "possible").length,
      waiting: this.#queue.waiting,
      notChecked,
      isLocked: this.#isLocked,
    };
  }
}

async function check(address: string): Promise<PictureAnswer> {
  try {
    const picture = await pictureAt(address);
    return await ask("picture.check", { id: crypto.randomUUID(), picture, page: location.href });
  } catch (error) {
    return { checked: false, why: error instanceof AskFailed ? error.code : "picture_unreachable" };
  }
}

/** What lies in the page only is read here; everything else by the background, which may read across origins. */
async function pictureAt(address: string): Promise<Picture> {
  if (readerOf(address, location.href) === "background") {
    return { url: address };
  }
  const blob = await (await fetch(address)).blob();
  if (blob.size > MAX_BYTES) {
    throw new AskFailed("picture_too_large");
  }
  return { bytes: await base64Of(blob) };
}

let watch: Watch | null = null;

/** Watch, or stop, as she has set it for this site. Until that is known nothing is watched. */
async function follow(): Promise<void> {
  const state: SiteState = await ask("site.state", {});
  const isOn = state.isAllowed && state.feed && state.pausedUntil === null;
  if (isOn && watch === null) {
    watch = new Watch();
    watch.start();
  } else if (!isOn) {
    watch?.stop();
    watch = null;
  }
}

chrome.runtime.onMessage.addListener((message: Partial<Notice | FeedQuestion>, _sender, reply: (counts: FeedCounts | null) => void) => {
  if (message.to === "feed") {
    reply(watch?.counts ?? null);
  } else if (message.to === "everyone" && message.notice === "sites") {
    start();
  } else if (message.to === "everyone" && message.notice === "vault") {
    watch?.lookAgain();
  }
});

function start(): void {
  follow().catch(() => setTimeout(start, RETRY_MS));
}
start();
