/**
 * The evidence of one alert as a file for a lawyer, a platform or the police. Pure but for WebCrypto's digest.
 *
 * Every request has the SHA-256 of its text, and the bundle that of everything in it, over RFC 8785 canonical JSON: who
 * receives it can tell whether it was changed since it was written. It proves no more than that.
 */

import { toHex } from "../hex.ts";
import type { Alert } from "./alert.ts";
import { categoryOf } from "./alert.ts";

export const FORMAT = "consentry-evidence-v1";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** SHA-256 of a text, hexadecimal. */
export async function digestOf(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/**
 * Write the file.
 *
 * @param made Seconds since 1970.
 * @param engine Version of the rules that read the requests.
 */
export async function bundleOf(alert: Alert, made: number, engine: string): Promise<string> {
  const content = {
    format: FORMAT,
    madeAt: iso(made),
    readBy: engine,
    seenFirstAt: iso(alert.at),
    host: alert.host,
    post: alert.page,
    category: categoryOf(alert),
    pictures: alert.digests.map((sha256) => ({ sha256 })),
    requests: alert.evidence.map(({ url, account, text, category, postedAt, seenAt, digest }) => ({
      url,
      account,
      text,
      sha256: digest,
      category,
      postedAt,
      seenAt: iso(seenAt),
    })),
    crop: alert.crop,
  };
  const digest = await digestOf(canonical(content));
  return `${JSON.stringify({ ...content, sha256: digest }, null, 2)}\n`;
}

/**
 * Whether a bundle is as it was written.
 *
 * @param file What `bundleOf` returned.
 */
export async function isIntact(file: string): Promise<boolean> {
  const { sha256, ...content } = JSON.parse(file) as { readonly [name: string]: Json };
  return sha256 === (await digestOf(canonical(content)));
}

/** RFC 8785: names in order of their UTF-16 units, no white space. There are no numbers that it would write differently. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) {
    return `[${value.map(canonical).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value as { readonly [name: string]: Json })
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
