/**
 * Sites that can be switched on by name: where their pages and pictures lie, which is what the browser must allow, and
 * what can be done there. How their pages are built is in the other files of this folder.
 */

export type Feature = "feed" | "requests" | "guard";

export interface KnownSite {
  readonly name: string;
  /** Pages, with every subdomain. The first one names the site. */
  readonly hosts: readonly [string, ...string[]];
  /** Where its pictures lie, and where it lets its pages send pictures to, with every subdomain. */
  readonly pictures: readonly string[];
  readonly offers: readonly Feature[];
}

export const KNOWN_SITES: readonly KnownSite[] = [
  { name: "X", hosts: ["x.com", "twitter.com"], pictures: ["twimg.com"], offers: ["feed", "requests", "guard"] },
  { name: "Instagram", hosts: ["instagram.com"], pictures: ["cdninstagram.com", "fbcdn.net"], offers: ["feed", "requests"] },
  { name: "Facebook", hosts: ["facebook.com"], pictures: ["fbcdn.net"], offers: ["feed", "requests"] },
  { name: "Threads", hosts: ["threads.com", "threads.net"], pictures: ["cdninstagram.com", "fbcdn.net"], offers: ["feed", "requests"] },
  { name: "Reddit", hosts: ["reddit.com"], pictures: ["redd.it", "redditmedia.com"], offers: ["feed", "requests"] },
  {
    name: "TikTok",
    hosts: ["tiktok.com"],
    pictures: ["tiktokcdn.com", "tiktokcdn-us.com", "tiktokcdn-eu.com"],
    offers: ["feed", "requests"],
  },
  { name: "YouTube", hosts: ["youtube.com"], pictures: ["ytimg.com", "ggpht.com"], offers: ["feed", "requests"] },
  { name: "Bluesky", hosts: ["bsky.app"], pictures: [], offers: ["feed", "requests"] },
  { name: "Mastodon (mastodon.social)", hosts: ["mastodon.social"], pictures: [], offers: ["feed", "requests"] },
  { name: "Grok", hosts: ["grok.com"], pictures: [], offers: ["guard"] },
  { name: "ChatGPT", hosts: ["chatgpt.com"], pictures: ["oaiusercontent.com"], offers: ["guard"] },
  { name: "Gemini", hosts: ["gemini.google.com"], pictures: ["clients6.google.com"], offers: ["guard"] },
  { name: "Meta AI", hosts: ["meta.ai"], pictures: ["fbcdn.net"], offers: ["guard"] },
  { name: "Midjourney", hosts: ["midjourney.com"], pictures: [], offers: ["guard"] },
  { name: "Bing", hosts: ["bing.com"], pictures: [], offers: ["guard"] },
  { name: "Copilot", hosts: ["copilot.microsoft.com"], pictures: [], offers: ["guard"] },
  { name: "Leonardo", hosts: ["leonardo.ai"], pictures: [], offers: ["guard"] },
  { name: "Ideogram", hosts: ["ideogram.ai"], pictures: [], offers: ["guard"] },
  { name: "Venice", hosts: ["venice.ai"], pictures: [], offers: ["guard"] },
];
