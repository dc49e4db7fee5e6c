/** Which addresses of a page are pictures to look at, and who can read them. Pure: what a browser knows comes in as text. */

import own from "../../sites/own-pictures.json" with { type: "json" };

/** `background` fetches it; `here` it exists only inside the page (`data:`, `blob:`); `no` it shows no face of anybody. */
export type Reader = "background" | "here" | "no";

const CSS_URL = /url\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^"')\s]+))\s*\)/g;
const VECTOR = /^data:image\/svg|\.svgz?(?:[?#]|$)/i;

/** The addresses in a computed CSS value: several backgrounds, `image-set()` and gradients may stand beside each other. */
export function cssAddresses(value: string): string[] {
  const found = [];
  for (const [, double, single, bare] of value.matchAll(CSS_URL)) {
    found.push((double ?? single ?? bare ?? "").replace(/\\(.)/g, "$1"));
  }
  return found;
}

/**
 * Make an address absolute and drop its fragment, which is never sent. Null if it is none.
 *
 * @param base Address of the document.
 */
export function absolute(address: string, base: string): string | null {
  const url = URL.parse(address, base);
  if (url === null) {
    return null;
  }
  // The text of a blob: or data: address is its identity; only what is fetched has a fragment that means nothing.
  if (url.protocol === "http:" || url.protocol === "https:") {
    url.hash = "";
  }
  return url.href;
}

/**
 * Who can read the picture at an absolute address.
 *
 * A page may name addresses in her own network. The browser has rules for that, which a fetch by the extension would
 * pass by, so those are looked at only for pages that lie there themselves.
 *
 * @param page Address of the document that shows it.
 */
export function readerOf(address: string, page: string): Reader {
  const url = URL.parse(address);
  if (url === null || VECTOR.test(address) || isOwnPicture(url, URL.parse(page)?.hostname ?? "")) {
    return "no";
  }
  switch (url.protocol) {
    case "http:":
    case "https:":
      return isPrivate(url.hostname) && !isPrivate(URL.parse(page)?.hostname ?? "") ? "no" : "background";
    case "data:":
      return url.pathname.startsWith("image/") ? "here" : "no";
    case "blob:":
      return "here";
    default:
      return "no";
  }
}

/** Whether a picture belongs to the site's program and not to its people. */
function isOwnPicture(url: URL, page: string): boolean {
  const address = url.host + url.pathname;
  return Object.entries(own.beginnings).some(
    ([host, beginnings]) =>
      (host === "*" || page === host || page.endsWith(`.${host}`)) &&
      beginnings.some((beginning) => address.startsWith(beginning)),
  );
}

/** Whether a host is this machine or her own network, by its name alone. */
export function isPrivate(hostname: string): boolean {
  if (hostname === "") {
    return false;
  }
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host.includes(":")) {
    return host === "::" || host === "::1" || host.startsWith("::ffff:") || /^f[cd]|^fe[89ab]/.test(host);
  }
  return (
    !host.includes(".") ||
    /\.(?:localhost|local|internal|home\.arpa)$/.test(host) ||
    /^(?:0|10|127)\.|^192\.168\.|^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(
      host,
    )
  );
}

/** Shorter than this, in pixels of the file or of the screen, a side shows no face that could be told from another. */
const MIN_SIDE_PX = 40;

/** Whether a picture is large enough to show somebody. */
export function isWorthLooking(width: number, height: number): boolean {
  return Math.min(width, height) >= MIN_SIDE_PX;
}
