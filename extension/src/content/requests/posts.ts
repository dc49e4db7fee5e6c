/** Reads posts out of a page by the rules of its site (sites/posts.ts). */

import { accountAt, handleOf } from "../../domain/requests/handles.ts";
import type { AboutPost } from "../../messages.ts";
import type { PostParts, PostRules } from "../../sites/posts.ts";

const MOST_PICTURES = 4;
const LONGEST_TEXT = 5000;
const LONGEST_NAME = 100;
/** Smaller pictures beside a post are avatars and ornaments. */
const SMALLEST_SIDE = 90;
const LEADING_MENTIONS = /^(?:\s*@[\p{L}\p{N}_][\p{L}\p{N}_.-]*(?:@[\p{L}\p{N}.-]+)?)+/u;
const MENTION = /@([\p{L}\p{N}_][\p{L}\p{N}_.-]*(?:@[\p{L}\p{N}.-]+)?)/gu;

/** A post, comment or reply, as the page shows it. */
export interface Post extends AboutPost {
  readonly element: Element;
  readonly text: string;
  readonly postedAt: string | null;
  /** Accounts that it says it answers. */
  readonly repliesTo: readonly string[];
  readonly quoted: AboutPost | null;
}

/** Every post of a page, in order; those that others quote are part of these. */
export function postsOf(page: ParentNode, rules: PostRules): readonly Element[] {
  const { post, quoted } = rules;
  return [...page.querySelectorAll(post)].filter(
    (element) => quoted === undefined || (!element.matches(quoted) && element.closest(quoted) === null),
  );
}

/** Read one post. */
export function readPost(element: Element, rules: PostRules): Post {
  const quoted = rules.quoted === undefined ? null : element.querySelector(rules.quoted);
  const isOwn = (found: Element): boolean =>
    (found === element || found.parentElement?.closest(rules.post) === element || found.closest(rules.post) === element) &&
    quoted?.contains(found) !== true;
  const about = readAbout(element, rules, isOwn);
  const text = wordsAt(element, rules.text ?? [], isOwn);
  return {
    element,
    ...about,
    text,
    postedAt: valueAt(element, rules.time ?? [], isOwn),
    repliesTo: repliesTo(element, rules, isOwn, text).filter((account) => account !== about.account),
    quoted: quoted === null ? null : readAbout(quoted, rules, () => true),
  };
}

/** What the comments of a page are about, where that is not built like them. Each is read once. */
export class Openers {
  readonly #rules: PostRules;
  readonly #elements: ReadonlySet<Element>;
  readonly #read = new Map<Element, AboutPost>();

  constructor(page: ParentNode, rules: PostRules) {
    const found = rules.opener === undefined ? [] : [...page.querySelectorAll(rules.opener.element)];
    this.#rules = rules;
    this.#elements = new Set(rules.opener?.single === true && found.length > 1 ? [] : found);
  }

  /** The one around a post, or null. */
  around(post: Element): AboutPost | null {
    const { opener } = this.#rules;
    let element: Element | null = this.#elements.size === 0 ? null : post;
    while (element !== null && !this.#elements.has(element)) {
      element = element.parentElement;
    }
    if (opener === undefined || element === null) {
      return null;
    }
    const known = this.#read.get(element);
    if (known !== undefined) {
      return known;
    }
    const about = readAbout(element, opener, (found) => found.closest(this.#rules.post) === null);
    const pictures = [...posterOf(opener.poster), ...about.pictures].slice(0, MOST_PICTURES);
    const read = { ...about, url: about.url ?? location.href.replace(/#.*$/, ""), pictures };
    this.#read.set(element, read);
    return read;
  }
}

function posterOf(poster: NonNullable<PostRules["opener"]>["poster"]): AboutPost["pictures"] {
  const name = poster === undefined ? null : new URL(location.href).searchParams.get(poster.parameter);
  return poster === undefined || name === null ? [] : [{ url: poster.address.replace("{}", encodeURIComponent(name)) }];
}

function readAbout(element: Element, parts: PostParts, isOwn: (found: Element) => boolean): AboutPost {
  const url = valueAt(element, parts.permalink ?? [], isOwn);
  return {
    account: accountOf(element, parts.account ?? [], isOwn),
    url: url === null ? null : webAddress(url),
    pictures: picturesOf(element, parts.pictures ?? [], isOwn).map((address) => ({ url: address })),
  };
}

interface Found {
  readonly element: Element;
  /** What the attribute says that the place names, if it names one. */
  readonly value: string | null;
}

/** What one place of a rule finds; `selector @attribute`, or a selector. */
function* at(element: Element, place: string, isOwn: (found: Element) => boolean): Generator<Found> {
  const [, selector = place, attribute] = /^(.*?)\s+@([\w:-]+)$/.exec(place) ?? [];
  const isItself = selector.startsWith(":scope") && !/[\s>+~]/.test(selector);
  const candidates = isItself ? (element.matches(selector.replace(":scope", "*")) ? [element] : []) : element.querySelectorAll(selector);
  for (const found of candidates) {
    const value = attribute === undefined ? null : found.getAttribute(attribute);
    if (isOwn(found) && (attribute === undefined || value !== null)) {
      yield { element: found, value };
    }
  }
}

/** The first thing that is said at some places. */
function valueAt(element: Element, places: readonly string[], isOwn: (found: Element) => boolean): string | null {
  for (const place of places) {
    for (const { element: found, value } of at(element, place, isOwn)) {
      const said = (value ?? words(found)).trim();
      if (said !== "") {
        return said;
      }
    }
  }
  return null;
}

/** The words of the first place that has any: all that match there, one a line. */
function wordsAt(element: Element, places: readonly string[], isOwn: (found: Element) => boolean): string {
  for (const place of places) {
    const all = [...at(element, place, isOwn)];
    const outermost = all.filter(({ element: found }) => !all.some((other) => other.element !== found && other.element.contains(found)));
    const lines = outermost.map(({ element: found, value }) => (value ?? words(found)).trim());
    const text = lines.filter((line) => line !== "").join("\n");
    if (text !== "") {
      return text.slice(0, LONGEST_TEXT);
    }
  }
  return "";
}

/** What an element says: its text, the names of pictures that stand for emoji, and its line breaks. */
function words(element: Element): string {
  let text = "";
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node !== null && text.length < LONGEST_TEXT; node = walker.nextNode()) {
    if (node instanceof Text) {
      text += /^(?:SCRIPT|STYLE)$/.test(node.parentElement?.tagName ?? "") ? "" : node.data;
    } else if (node instanceof HTMLImageElement) {
      text += node.alt;
    } else if (node instanceof HTMLBRElement) {
      text += "\n";
    }
  }
  return text;
}

function accountOf(element: Element, places: readonly string[], isOwn: (found: Element) => boolean): string | null {
  for (const place of places) {
    for (const { element: found, value } of at(element, place, isOwn)) {
      const account = value === null ? accountNamed(found) : accountIn(value);
      if (account !== null && account !== "") {
        return account;
      }
    }
  }
  return null;
}

function accountNamed(element: Element): string | null {
  const href = element.getAttribute("href");
  if (href !== null) {
    return accountAt(href, location.href);
  }
  return accountIn(words(element));
}

function accountIn(said: string): string | null {
  if (/^(?:https?:|\/)/.test(said)) {
    return accountAt(said, location.href);
  }
  const [, handle] = MENTION[Symbol.matchAll](said).next().value ?? [];
  const name = handleOf(handle ?? said.trim());
  return name.length <= LONGEST_NAME ? name : null;
}

/** Whom a post says that it answers: in a line of its own, or by the handles that it begins with. */
function repliesTo(element: Element, rules: PostRules, isOwn: (found: Element) => boolean, text: string): readonly string[] {
  const linked = (rules.replyTo ?? []).flatMap((place) =>
    [...at(element, place, isOwn)].map(({ element: found, value }) => (value === null ? accountNamed(found) : accountIn(value))),
  );
  const [leading = ""] = LEADING_MENTIONS.exec(text) ?? [];
  const named = [...leading.matchAll(MENTION)].map(([, handle]) => handleOf(handle ?? ""));
  return [...new Set([...linked, ...named])].filter((account) => account !== null && account !== "") as string[];
}

function picturesOf(element: Element, places: readonly string[], isOwn: (found: Element) => boolean): readonly string[] {
  const addresses = new Set<string>();
  for (const place of places) {
    for (const { element: found, value } of at(element, place, isOwn)) {
      const address = webAddress(value ?? addressOf(found) ?? "")?.replace(/#.*$/, "") ?? null;
      if (address !== null) {
        addresses.add(address);
      }
    }
  }
  return [...addresses].slice(0, MOST_PICTURES);
}

function addressOf(element: Element): string | null {
  if (element instanceof HTMLVideoElement) {
    return element.poster;
  }
  if (!(element instanceof HTMLImageElement)) {
    return null;
  }
  // A picture that is not there yet says nothing about its size. To ask how it is laid out would make the page lay itself out.
  const isSmall = element.naturalWidth > 0 && element.naturalWidth < SMALLEST_SIDE && element.naturalHeight < SMALLEST_SIDE;
  return isSmall ? null : element.currentSrc || element.getAttribute("src") || element.dataset["src"] || null;
}

function webAddress(address: string): string | null {
  const url = address === "" ? null : URL.parse(address, document.baseURI);
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : null;
}
