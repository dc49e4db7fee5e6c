/** Where a picture that was made can be reported, and what a report has to say. The rows are data with their sources. */

import data from "../../domain/requests/remedies.json" with { type: "json" };
import { make } from "../dom.ts";
import { type Key, number, word } from "../text.ts";

const ABOUT: Readonly<Record<string, Key>> = {
  help_adults: "remedy_help_adults",
  help_minors: "remedy_help_minors",
  law_intimate: "remedy_law_intimate",
  law_intimate_soon: "remedy_law_intimate_soon",
  law_illegal: "remedy_law_illegal",
};
const NEEDS: Readonly<Record<string, Key>> = {
  signature: "remedy_need_signature",
  place: "remedy_need_place",
  good_faith: "remedy_need_good_faith",
  contact: "remedy_need_contact",
  what_it_is: "remedy_need_what_it_is",
  subject: "remedy_need_subject",
  why: "remedy_need_why",
};

/** Closed at first: most requests come to nothing. */
export function remedies(): HTMLElement {
  return make(
    "details",
    {},
    make("summary", {}, word("remedies")),
    make("p", { class: "hint" }, word("remedies_hint", data.asOf)),
    make("ul", { class: "plain stack" }, ...data.remedies.map(row)),
  );
}

function row(remedy: (typeof data.remedies)[number]): HTMLElement {
  const { name, about, hours, needs, address, source } = remedy;
  return make(
    "li",
    {},
    make("h4", {}, make("bdi", {}, name)),
    make("p", {}, said(ABOUT, about), hours === null ? "" : ` ${word("remedy_hours", number(hours))}`),
    needs.length === 0
      ? null
      : make("p", {}, word("remedy_needs"), make("span", {}, ` ${needs.map((need) => said(NEEDS, need)).join("; ")}`)),
    make(
      "p",
      { class: "hint" },
      ...[...new Set([address, source])].flatMap((each) => (each === null ? [] : [link(each), " "])),
    ),
  );
}

/** What it leads to learns nothing of where it was pressed. */
function link(url: string): HTMLElement {
  return make("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, make("bdi", { dir: "ltr" }, url));
}

function said(words: Readonly<Record<string, Key>>, name: string): string {
  const key = words[name];
  return key === undefined ? name : word(key);
}
