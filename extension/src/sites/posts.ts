/**
 * How the pages of sites are built, as far as posts go: what is a post, whose, in reply to what. Data, one file a site;
 * what each field means is in `posts.schema.json`. A page that no file knows is read by `generic.json`.
 */

import bluesky from "./bluesky.json" with { type: "json" };
import facebook from "./facebook.json" with { type: "json" };
import generic from "./generic.json" with { type: "json" };
import instagram from "./instagram.json" with { type: "json" };
import mastodon from "./mastodon.json" with { type: "json" };
import reddit from "./reddit.json" with { type: "json" };
import threads from "./threads.json" with { type: "json" };
import tiktok from "./tiktok.json" with { type: "json" };
import x from "./x.json" with { type: "json" };
import youtube from "./youtube.json" with { type: "json" };

/** Where the parts of a post are; `selector @attribute` reads an attribute, `:scope` is the post itself. */
export interface PostParts {
  readonly text?: readonly string[];
  readonly account?: readonly string[];
  readonly time?: readonly string[];
  readonly permalink?: readonly string[];
  readonly pictures?: readonly string[];
}

export interface PostRules extends PostParts {
  readonly site: string;
  readonly hosts: readonly string[];
  /** How to tell a server of this kind whose name nobody knows (Mastodon). */
  readonly recognise?: string;
  readonly post: string;
  /** Within a post: the post that it quotes. */
  readonly quoted?: string;
  /** Links to the accounts that a post answers. */
  readonly replyTo?: readonly string[];
  /** Attributes that name a post, and the one that it answers. */
  readonly ids?: { readonly own: string; readonly parent: string };
  /** Path of a page that shows one thread: the post that the address names, and what answers it. */
  readonly thread?: string;
  /** Whether a reply stands right beneath what it answers, also in a timeline. */
  readonly chains?: boolean;
  /** What the comments of a page are about, where that is not built like them. */
  readonly opener?: PostParts & {
    readonly element: string;
    /** Counts only if the page has one. */
    readonly single?: boolean;
    /** A picture whose address follows from the page's: parameter of the page, address with `{}`. */
    readonly poster?: { readonly parameter: string; readonly address: string };
  };
}

const SITES: readonly PostRules[] = [x, instagram, facebook, threads, reddit, tiktok, youtube, bluesky, mastodon];

/** The rules for a page. */
export function rulesFor(hostname: string, page: ParentNode): PostRules {
  const named = SITES.find(({ hosts }) => hosts.some((host) => hostname === host || hostname.endsWith(`.${host}`)));
  const recognised = SITES.find(({ recognise }) => recognise !== undefined && page.querySelector(recognise) !== null);
  return named ?? recognised ?? generic;
}
