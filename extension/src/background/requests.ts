/**
 * Request watch, the background's half: replies that a page shows are read, and where one asks for something about her
 * an alert is raised.
 *
 *     posts --words--> is it a request? --handles, pictures--> does it concern somebody here? --> alerts
 *
 * The words come first: of the pictures of a page only those are looked at beneath which somebody asks for something.
 * What turns out to concern nobody here is forgotten with the message.
 */

import type { Evidence, Sighting } from "../domain/requests/alert.ts";
import { isCalled, isRequest } from "../domain/requests/asked.ts";
import { digestOf } from "../domain/requests/bundle.ts";
import { isOneOf, mentions } from "../domain/requests/handles.ts";
import { isNamed } from "../domain/requests/names.ts";
import { type Heard, withHeard } from "../domain/intent/taxonomy.ts";
import { Failure } from "../failure.ts";
import type { AboutPost, Assessment, FailureCode, Picture, PictureAnswer, ReportedPost } from "../messages.ts";
import type { Handles, Outcome } from "./inbox.ts";
import type { Handlers, Sender } from "./router.ts";

const MOST_POSTS = 50;
const MOST_PICTURES = 4;
/** What may be otherwise the next time. */
const PASSING: ReadonlySet<FailureCode> = new Set(["engine_unavailable", "interrupted", "companion_unreachable"]);

export interface RequestParts {
  readonly assess: (text: string, turns: readonly string[]) => Promise<Assessment>;
  /** What a paired companion hears in words; null when it does not answer. */
  readonly hear: (text: string, turns: readonly string[]) => Promise<Heard | null>;
  /** As `picture.check` answers. */
  readonly check: (picture: Picture, sender: Sender) => Promise<PictureAnswer>;
  readonly vault: () => Promise<"none" | "locked" | "open">;
  readonly handles: () => Promise<readonly Handles[]>;
  readonly raise: (sighting: Sighting) => Promise<Outcome>;
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** Whom a post is about, and which pictures say so. */
interface Concern {
  readonly subjects: readonly string[];
  readonly digests: readonly string[];
  readonly page: string | null;
}

export class RequestWatch {
  readonly #parts: RequestParts;

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  /** The handlers of `thread.report`. */
  handlers(): Handlers {
    return {
      "thread.report": async ({ page, posts }, sender) => {
        const url = URL.parse(page);
        // A content script speaks for its own site only.
        if (url === null || url.origin !== URL.parse(sender.url)?.origin) {
          throw new Failure("forbidden");
        }
        let isUnfinished = false;
        for (const post of posts.slice(0, MOST_POSTS)) {
          isUnfinished = !(await this.#report(post, url, sender)) || isUnfinished;
        }
        return { again: isUnfinished };
      },
    };
  }

  /** @returns Whether all could be looked at. */
  async #report(post: ReportedPost, page: URL, sender: Sender): Promise<boolean> {
    const assessment = await this.#assess(post);
    if (!isRequest(assessment, post, post.turns)) {
      return true;
    }
    const vault = await this.#parts.vault();
    if (vault !== "open") {
      if (vault === "locked") {
        throw new Failure("locked");
      }
      return true;
    }
    const people = await this.#parts.handles();
    if (people.some(({ handles }) => isOneOf(post.account, handles))) {
      return true; // she asks for it herself
    }
    const { concern, isFinished } = await this.#concern(post, people, sender);
    if (concern !== null) {
      await this.#parts.raise(await this.#sighting(post, assessment, concern, page));
    }
    return isFinished || concern !== null;
  }

  /**
   * By the browser's own rules; where a program is called on and they hear nothing, the companion is asked, which hears
   * allusions. All other replies stay in the browser.
   */
  async #assess(post: ReportedPost): Promise<Assessment> {
    const turns = post.turns.map(({ text }) => text);
    const own = await this.#parts.assess(post.text, turns);
    if (own.category !== "none" || !isCalled(post, post.turns)) {
      return own;
    }
    const heard = await this.#parts.hear(post.text, turns);
    return heard === null ? own : withHeard(own, heard, post.text);
  }

  async #sighting(post: ReportedPost, assessment: Assessment, concern: Concern, page: URL): Promise<Sighting> {
    const about = concern.page ?? page.href;
    const evidence: Evidence = {
      url: post.url,
      account: post.account,
      text: post.text,
      category: assessment.category,
      postedAt: post.postedAt,
      seenAt: this.#parts.now(),
      digest: await digestOf(post.text),
    };
    const { subjects, digests } = concern;
    return { thread: threadOf(about), host: page.hostname, page: about, subjects, digests, evidence };
  }

  /** Look from the nearest post outwards for one that she wrote, or that shows her; last, at who is named. */
  async #concern(
    post: ReportedPost,
    people: readonly Handles[],
    sender: Sender,
  ): Promise<{ readonly concern: Concern | null; readonly isFinished: boolean }> {
    let isFinished = true;
    for (const about of post.about) {
      const authors = people.filter(({ handles }) => isOneOf(about.account, handles)).map(({ subject }) => subject);
      const seen = await this.#seen(about, sender);
      isFinished &&= seen.isFinished;
      const subjects = [...new Set([...authors, ...seen.subjects])];
      if (subjects.length > 0) {
        return { concern: { subjects, digests: seen.digests, page: about.url }, isFinished };
      }
    }
    const named = people.filter(({ handles, names }) => mentions(post.text, handles) || isNamed(post.text, names)).map(({ subject }) => subject);
    const page = post.about[0]?.url ?? post.url;
    return { concern: named.length > 0 ? { subjects: named, digests: [], page } : null, isFinished };
  }

  async #seen(
    about: AboutPost,
    sender: Sender,
  ): Promise<{ readonly subjects: readonly string[]; readonly digests: readonly string[]; readonly isFinished: boolean }> {
    const subjects = new Set<string>();
    const digests = new Set<string>();
    let isFinished = true;
    for (const picture of about.pictures.slice(0, MOST_PICTURES)) {
      const answer = await this.#parts.check(picture, sender);
      if (!answer.checked) {
        if (answer.why === "locked") {
          throw new Failure("locked");
        }
        isFinished &&= !PASSING.has(answer.why);
        continue;
      }
      for (const { subject, match } of answer.sightings) {
        if (subject !== null && match === "match") {
          subjects.add(subject);
          digests.add(answer.digest);
        }
      }
    }
    return { subjects: [...subjects], digests: [...digests], isFinished };
  }
}

/** One post has many addresses; its place on its site is one. */
function threadOf(address: string): string {
  const url = URL.parse(address);
  if (url === null) {
    return address;
  }
  const kept = ["v", "id", "story_fbid", "fbid", "p"].flatMap((name) => url.searchParams.getAll(name).map((value) => `${name}=${value}`));
  const path = url.pathname.replace(/\/(?:photo|video)\/\d+$/, "").replace(/\/+$/, "");
  return [`${url.hostname.replace(/^(?:www|m|mobile|old|new)\./, "")}${path}`, ...kept].join("?");
}
