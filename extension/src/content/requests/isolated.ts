/**
 * Request watch, the page's half: reads the replies that the page shows, and what they are about, and reports them.
 *
 *     mutations --a moment later--> read the posts in idle slices --what is new or edited--> thread.report
 *
 * It decides nothing and shows nothing: whether something was found is not told to a page's process.
 */

import { AskFailed, ask } from "../../ask.ts";
import type { Notice, ReportedPost, SiteState } from "../../messages.ts";
import { type PostRules, rulesFor } from "../../sites/posts.ts";
import { Idle } from "../feed/idle.ts";
import { type Post, postsOf, readPost } from "./posts.ts";
import { conversationsOf } from "./threads.ts";

/** Pages change by the second; what is written in one moment is read in the next. */
const PAUSE_MS = 700;
const WATCHED = ["src", "srcset", "poster", "href"];
const RETRY_MS = 15_000;
const START_RETRY_MS = 5000;
const MOST_RETRIES = 5;
/** Of a page with more posts, the first ones, which the others may be about, and the last ones are read. */
const FIRST_POSTS = 20;
const LAST_POSTS = 380;
const BATCH = 20;
/** What was reported is remembered for as long as the page lives; a bound for pages that never end. */
const MOST_REMEMBERED = 20_000;

class Watch {
  readonly #idle = new Idle();
  readonly #changes = new MutationObserver((records) => this.#onChange(records));
  /** Posts that have not changed since they were read. */
  #read = new WeakMap<Element, Post>();
  #rules: PostRules = rulesFor(location.hostname, document);
  readonly #reported = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReading = false;
  #isChanged = false;
  #retries = 0;

  start(): void {
    this.#changes.observe(document, { childList: true, subtree: true, characterData: true, attributeFilter: WATCHED });
    this.#later(0);
  }

  stop(): void {
    this.#changes.disconnect();
    this.#idle.clear();
    clearTimeout(this.#timer);
  }

  /** The vault was opened, or somebody enrolled: what is on the page is read again. */
  again(): void {
    this.#reported.clear();
    this.#read = new WeakMap();
    this.#retries = 0;
    this.#later(0);
  }

  #onChange(records: readonly MutationRecord[]): void {
    for (const { target } of records) {
      const element = target instanceof Element ? target : target.parentElement;
      const post = element?.closest(this.#rules.post);
      if (post !== null && post !== undefined) {
        this.#read.delete(post);
      }
    }
    this.#later(PAUSE_MS);
  }

  #later(wait: number): void {
    if (this.#isReading) {
      this.#isChanged = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), wait);
  }

  #begin(): void {
    this.#isReading = true;
    this.#isChanged = false;
    this.#idle.add(this.#reading());
  }

  *#reading(): Generator<undefined, void> {
    // A server may be recognised only once its page has been built.
    this.#rules = rulesFor(location.hostname, document);
    const rules = this.#rules;
    const posts: Post[] = [];
    const elements = postsOf(document, rules);
    const last = Math.max(FIRST_POSTS, elements.length - LAST_POSTS);
    for (const element of [...elements.slice(0, FIRST_POSTS), ...elements.slice(last)]) {
      if (element.isConnected) {
        const post = this.#read.get(element) ?? readPost(element, rules);
        this.#read.set(element, post);
        posts.push(post);
        yield;
      }
    }
    const page = location.href;
    const news = new Map<string, ReportedPost>();
    for (const post of conversationsOf(posts, rules, new URL(page))) {
      const key = keyOf(post);
      if (post.text !== "" && post.about.length > 0 && !this.#reported.has(key)) {
        news.set(key, post);
      }
      yield;
    }
    void this.#report(page, news).finally(() => {
      this.#isReading = false;
      if (this.#isChanged) {
        this.#later(PAUSE_MS);
      }
    });
  }

  async #report(page: string, news: ReadonlyMap<string, ReportedPost>): Promise<void> {
    const keys = [...news.keys()];
    for (let start = 0; start < keys.length; start += BATCH) {
      const batch = keys.slice(start, start + BATCH);
      const posts = batch.flatMap((key) => news.get(key) ?? []);
      try {
        const { again } = await ask("thread.report", { page, posts });
        if (again) {
          this.#retry();
        } else {
          this.#remember(batch);
        }
      } catch (error) {
        // Locked: the notice of the vault brings it back. Anything else may pass.
        if (!(error instanceof AskFailed) || error.code !== "locked") {
          this.#retry();
        }
        return;
      }
    }
  }

  #remember(keys: readonly string[]): void {
    if (this.#reported.size > MOST_REMEMBERED) {
      this.#reported.clear();
    }
    for (const key of keys) {
      this.#reported.add(key);
    }
  }

  #retry(): void {
    if (this.#retries < MOST_RETRIES) {
      this.#retries += 1;
      setTimeout(() => this.#later(0), RETRY_MS);
    }
  }
}

/** A post is reported once, and again when it, what it answers, or a picture of that is another. */
function keyOf({ text, account, url, turns, about }: ReportedPost): string {
  return JSON.stringify([text, account, url, turns, about]);
}

let watch: Watch | null = null;

/** Watch, or stop, as she has set it for this site. Until that is known nothing is read. */
async function follow(): Promise<void> {
  const state: SiteState = await ask("site.state", {});
  const isOn = state.isAllowed && state.requests && state.pausedUntil === null;
  if (isOn && watch === null) {
    watch = new Watch();
    watch.start();
  } else if (!isOn) {
    watch?.stop();
    watch = null;
  }
}

chrome.runtime.onMessage.addListener((message: Notice) => {
  if (message.to === "everyone" && message.notice === "sites") {
    start();
  } else if (message.to === "everyone" && message.notice === "vault") {
    watch?.again();
  }
});

function start(): void {
  follow().catch(() => setTimeout(start, START_RETRY_MS));
}
start();
