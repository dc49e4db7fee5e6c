/** The words of the pages: `_locales`, in the browser's language, left to right or right to left. */

import type messages from "../../_locales/en/messages.json";
import type { UnixTime } from "../messages.ts";

/** A name in `_locales`: a word that does not exist is an error of types. */
export type Key = keyof typeof messages;

const isRightToLeft = word("language_direction") === "rtl";
const language = chosenLanguage();

/**
 * Say something.
 *
 * @param values For `$1` to `$9`. In right-to-left text each is isolated, so that an address keeps its order.
 */
export function word(key: Key, ...values: readonly (string | number)[]): string {
  return chrome.i18n.getMessage(
    key,
    values.map((value) => (isRightToLeft ? `\u2068${value}\u2069` : String(value))),
  );
}

/** Put words into everything below `root` that names one: `data-i18n` its text, `data-i18n-<attribute>` an attribute. */
export function translate(root: ParentNode = document): void {
  document.documentElement.lang = language;
  document.documentElement.dir = word("language_direction");
  for (const element of root.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      if (name === "data-i18n") {
        element.textContent = word(value as Key);
      } else if (name.startsWith("data-i18n-")) {
        element.setAttribute(name.slice("data-i18n-".length), word(value as Key));
      }
    }
  }
}

/** A moment in her time zone, for example `21 Nov 2026, 22:42`. */
export function moment(when: UnixTime): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(when * 1000);
}

/** The time of a day, for example `22:42`. */
export function hour(when: UnixTime): string {
  return new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(when * 1000);
}

export function day(when: UnixTime): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(when * 1000);
}

export function number(value: number): string {
  return new Intl.NumberFormat(language).format(value);
}

/** The browser's own variant (`de-AT`) where its language is the one that the words are in. */
function chosenLanguage(): string {
  const words = word("language_tag");
  const browser = chrome.i18n.getUILanguage().replace("_", "-");
  return browser.split("-")[0] === words ? browser : words;
}
