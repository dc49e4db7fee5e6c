/** What somebody asked about her: what, where, when, the evidence, and what can be done now. */

import { ask } from "../../ask.ts";
import { fromBase64 } from "../../domain/base64.ts";
import type { AlertDetail, AlertSummary } from "../../messages.ts";
import { confirmed, download } from "../dialog.ts";
import { make, symbol } from "../dom.ts";
import { withSecret } from "../secret.ts";
import { remedies } from "./remedies.ts";
import { type Key, moment, number, word } from "../text.ts";

const STEPS: readonly Key[] = ["step_report", "step_save", "step_no_answer", "step_help"];

export function nothingSeen(): HTMLElement {
  return make(
    "div",
    { class: "card empty" },
    symbol("tick"),
    make("h2", {}, word("alerts_none")),
    make("p", {}, word("alerts_none_hint")),
  );
}

export function cardId({ alert }: AlertSummary): string {
  return `card-${alert}`;
}

/** One alert, closed at first. @param attempt Runs something and says what went wrong. */
export function alertCard(alert: AlertSummary, attempt: (work: () => Promise<void>) => void): HTMLElement {
  const body = make("div", { id: `alert-${alert.alert}`, hidden: true });
  const open = make(
    "button",
    { type: "button", class: "quiet small", "aria-expanded": "false", "aria-controls": body.id },
    word("alert_open"),
  );
  const card = make(
    "article",
    { id: cardId(alert), class: `card case ${alert.isRead ? "" : "new"}`, "aria-labelledby": `${body.id}-title` },
    make(
      "header",
      {},
      make("span", { class: "tag bad" }, symbol("warning"), word(`category_${alert.category}`)),
      alert.isRead ? null : make("span", { class: "tag you" }, word("alert_new")),
      make("time", { datetime: new Date(alert.at * 1000).toISOString() }, moment(alert.at)),
    ),
    make("h2", { id: `${body.id}-title` }, word("alert_title", alert.host)),
    make("p", { class: "hint" }, word("alert_about", alert.subjects.join(", ")), " ", word("alert_requests", number(alert.requests))),
    make("p", {}, open),
    body,
  );
  const show = (isOpen: boolean): void => {
    body.hidden = !isOpen;
    open.setAttribute("aria-expanded", String(isOpen));
    open.textContent = word(isOpen ? "alert_close" : "alert_open");
  };
  open.addEventListener("click", () => {
    attempt(async () => {
      if (open.getAttribute("aria-expanded") === "true") {
        show(false);
        return;
      }
      // Said before it is read: reading tells everybody that the inbox changed, and what is open is left alone then.
      open.setAttribute("aria-expanded", "true");
      try {
        body.replaceChildren(...detail(await ask("inbox.read", { alert: alert.alert }), card, attempt));
      } catch (error) {
        show(false);
        throw error;
      }
      card.classList.remove("new");
      show(true);
    });
  });
  return card;
}

function detail(alert: AlertDetail, card: HTMLElement, attempt: (work: () => Promise<void>) => void): readonly HTMLElement[] {
  const save = make("button", { type: "button", class: "small" }, symbol("save"), word("evidence_save"));
  save.addEventListener("click", () => attempt(() => keep(alert)));
  const remove = make("button", { type: "button", class: "quiet danger small" }, symbol("bin"), word("evidence_delete"));
  remove.addEventListener("click", () => attempt(() => erase(alert, card)));
  return [
    make("h3", {}, word("evidence")),
    make(
      "dl",
      { class: "facts" },
      make("dt", {}, word("evidence_post")),
      make("dd", {}, address(alert.page)),
      make("dt", {}, word("evidence_digests")),
      make("dd", {}, ...(alert.digests.length === 0 ? ["–"] : alert.digests.map((digest) => make("code", { dir: "ltr" }, digest)))),
    ),
    ...(alert.crop === null ? [] : [make("img", { src: `data:image/png;base64,${alert.crop}`, alt: word("evidence_crop") })]),
    make("ul", { class: "plain stack" }, ...alert.evidence.map(request)),
    make("hr"),
    make("h3", {}, word("next_steps")),
    make("ol", {}, ...STEPS.map((step) => make("li", {}, word(step)))),
    remedies(),
    make("p", { class: "actions" }, save, remove),
  ];
}

function request(each: AlertDetail["evidence"][number]): HTMLElement {
  return make(
    "li",
    {},
    make("blockquote", { class: "quote", dir: "auto" }, each.text),
    make(
      "p",
      { class: "hint" },
      make("bdi", {}, each.account ?? word("account_unknown")),
      " · ",
      word(`category_${each.category}`),
      " · ",
      word("seen_at", moment(each.seenAt)),
    ),
    each.url === null ? null : make("p", { class: "hint" }, address(each.url)),
  );
}

/** A link to the post. What it leads to learns nothing of where it was pressed. */
function address(url: string): HTMLElement {
  const isWeb = /^https?:$/.test(URL.parse(url)?.protocol ?? "");
  const words = make("bdi", { dir: "ltr" }, url);
  return isWeb ? make("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, words) : words;
}

async function keep(alert: AlertDetail): Promise<void> {
  await withSecret(
    { title: word("evidence_save_title"), meaning: [word("evidence_save_what")], act: word("evidence_save") },
    async (secret) => {
      const { file, name } = await ask("inbox.export", { alert: alert.alert, secret });
      download(fromBase64(file), name);
    },
  );
}

async function erase(alert: AlertDetail, card: HTMLElement): Promise<void> {
  if (
    await confirmed({
      title: word("evidence_delete_title"),
      meaning: word("evidence_delete_what"),
      act: word("evidence_delete"),
    })
  ) {
    await ask("inbox.delete", { alert: alert.alert });
    const next = card.nextElementSibling ?? card.previousElementSibling;
    card.remove();
    (next?.querySelector<HTMLElement>("button") ?? document.getElementById("tab-alerts"))?.focus();
  }
}
