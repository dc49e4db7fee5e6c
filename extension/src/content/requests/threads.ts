/** Which post answers which: by the site's own ids, by nesting, by the page's address, by whom a post says it answers. */

import { callsAssistant, isAssistant } from "../../domain/requests/asked.ts";
import type { AboutPost, ReportedPost } from "../../messages.ts";
import type { PostRules } from "../../sites/posts.ts";
import { type Post, Openers } from "./posts.ts";

const MOST_ABOVE = 8;
/** In a timeline, a reply stands so few posts below what it answers. */
const CHAIN = 3;

/** What a page says about its posts: for each, what it answers. One step a post, so that it can be interrupted. */
export function* conversationsOf(posts: readonly Post[], rules: PostRules, page: URL): Generator<ReportedPost> {
  const thread = new Thread(posts, rules, page);
  const openers = new Openers(document, rules);
  for (const post of posts) {
    const chain = thread.above(post);
    const opener = thread.hasStory ? null : openers.around(post.element);
    const root = opener === null ? chain.at(-1) : undefined;
    const turns = chain.filter((each) => each !== root).reverse();
    const located = new Set(chain.map(({ account }) => account));
    const unlocated = post.repliesTo.filter((account) => !located.has(account) && !isAssistant(account));
    const about: AboutPost[] = [
      ...(post.quoted === null ? [] : [post.quoted]),
      ...chain.map(aboutOf),
      ...(opener === null ? [] : [opener]),
      ...unlocated.map((account) => ({ account, url: null, pictures: [] })),
    ];
    const { text, account, url, postedAt } = post;
    yield { text, account, url, postedAt, turns: turns.map((turn) => ({ text: turn.text, account: turn.account })), about };
  }
}

function aboutOf({ account, url, pictures }: Post): AboutPost {
  return { account, url, pictures };
}

class Thread {
  readonly #posts: readonly Post[];
  readonly #rules: PostRules;
  readonly #places: ReadonlyMap<Post, number>;
  readonly #byElement: ReadonlyMap<Element, Post>;
  readonly #byId: ReadonlyMap<string, Post>;
  /** Place of the post that the page's address names; -1 if there is none. */
  readonly #focus: number;
  /** The only post with pictures that is no comment, where a page has just one. */
  readonly #story: Post | null;

  constructor(posts: readonly Post[], rules: PostRules, page: URL) {
    this.#posts = posts;
    this.#rules = rules;
    this.#places = new Map(posts.map((post, place) => [post, place]));
    this.#byElement = new Map(posts.map((post) => [post.element, post]));
    const { ids } = rules;
    this.#byId = new Map(
      posts.flatMap((post) =>
        [post.element.id, ids === undefined ? null : post.element.getAttribute(ids.own)].flatMap((id) =>
          id === null || id === "" ? [] : [[id, post] as const],
        ),
      ),
    );
    const isThread = rules.thread !== undefined && new RegExp(rules.thread).test(page.pathname);
    this.#focus = isThread ? posts.findIndex(({ url }) => url !== null && isAt(url, page)) : -1;
    const stories = rules.opener?.single === true ? posts.filter((post) => post.pictures.length > 0 && this.#around(post) === null) : [];
    this.#story = stories.length === 1 ? (stories[0] ?? null) : null;
  }

  /** Whether the page is a story with comments beneath it. */
  get hasStory(): boolean {
    return this.#story !== null;
  }

  /** The posts that a post answers, the nearest first. */
  above(post: Post): readonly Post[] {
    const chain: Post[] = [];
    for (let parent = this.#parent(post); parent !== null && chain.length < MOST_ABOVE; parent = this.#parent(parent)) {
      if (parent === post || chain.includes(parent)) {
        break;
      }
      chain.push(parent);
    }
    return chain;
  }

  #place(post: Post): number {
    return this.#places.get(post) ?? -1;
  }

  #parent(post: Post): Post | null {
    return this.#named(post) ?? this.#around(post) ?? this.#onThreadPage(post) ?? this.#inTimeline(post) ?? this.#beneathStory(post);
  }

  #named(post: Post): Post | null {
    const parent = this.#rules.ids === undefined ? null : post.element.getAttribute(this.#rules.ids.parent);
    return parent === null ? null : (this.#byId.get(parent) ?? null);
  }

  #around(post: Post): Post | null {
    const element = post.element.parentElement?.closest(this.#rules.post) ?? null;
    return element === null ? null : (this.#byElement.get(element) ?? null);
  }

  /** Above the post that the address names stands what it answers, below it what answers it. */
  #onThreadPage(post: Post): Post | null {
    if (this.#focus < 0) {
      return null;
    }
    const place = this.#place(post);
    if (place <= this.#focus) {
      return this.#posts[place - 1] ?? null;
    }
    const between = this.#posts.slice(this.#focus, place);
    return between.findLast((each) => answers(post, each)) ?? this.#posts[this.#focus] ?? null;
  }

  /**
   * A timeline shows a reply beneath what it answers, and says whom it answers, or nothing. Words to a program, with no
   * picture of their own, are about the picture above.
   */
  #inTimeline(post: Post): Post | null {
    if (this.#rules.chains !== true || this.#focus >= 0) {
      return null;
    }
    const place = this.#place(post);
    const before = this.#posts.slice(Math.max(0, place - CHAIN), place);
    const answered = before.findLast((each) => answers(post, each));
    const isBare = post.pictures.length === 0 && post.quoted === null && callsAssistant(post.text);
    return answered ?? (isBare ? (before.at(-1) ?? null) : null);
  }

  #beneathStory(post: Post): Post | null {
    const story = this.#story;
    const isBelow = story !== null && story !== post && this.#place(story) < this.#place(post);
    return isBelow ? story : null;
  }
}

function answers(post: Post, other: Post): boolean {
  return other.account !== null && post.repliesTo.includes(other.account);
}

/** Whether a post's address is the page's; a page for one of its pictures is of the same post. */
function isAt(address: string, page: URL): boolean {
  const path = (URL.parse(address)?.pathname ?? "").replace(/\/+$/, "");
  return path !== "" && (page.pathname === path || page.pathname.startsWith(`${path}/`));
}
