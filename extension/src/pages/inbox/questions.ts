/** Questions that platforms asked her through the companion, and her answers. */

import { ask } from "../../ask.ts";
import type { ConsentQuestion } from "../../messages.ts";
import { confirmed } from "../dialog.ts";
import { make, symbol } from "../dom.ts";
import { withCompanionPassphrase, wrong } from "../secret.ts";
import { type Key, hour, moment, number, word } from "../text.ts";
import { empty, unavailable } from "./nothing.ts";

/** What an approval is good for: one use, within this time. */
const SECONDS = [60, 300];
/** The questions that wait, or in plain words why there are none. */
export async function questions(attempt: (work: () => Promise<void>) => void): Promise<readonly HTMLElement[]> {
  const asked = await ask("consent.list", {}).catch((error: unknown) => unavailable(error));
  if (asked instanceof HTMLElement) {
    return [asked];
  }
  if (asked.questions.length === 0) {
    return [empty("questions_none", "questions_none_hint")];
  }
  return asked.questions.map((question) => card(question, attempt));
}

function card(question: ConsentQuestion, attempt: (work: () => Promise<void>) => void): HTMLElement {
  const id = `question-${question.request}`;
  const limit = make(
    "select",
    { id: `${id}-limit` },
    ...SECONDS.map((seconds) => make("option", { value: seconds }, word("limit_minutes", number(seconds / 60)))),
  );
  const button = (words: Key, look: string, act: () => Promise<void>): HTMLElement => {
    const made = make("button", { type: "button", class: `${look} small` }, word(words));
    made.addEventListener("click", () => attempt(act));
    return made;
  };
  const pictures = make("ul", { class: "copies", "aria-label": word("question_pictures", number(question.pictures)) });
  void ask("consent.pictures", { request: question.request }).then(
    ({ pictures: copies }) => pictures.replaceChildren(...copies.map((copy) => make("li", {}, make("img", { src: `data:image/jpeg;base64,${copy}`, alt: word("question_picture") })))),
    (error: unknown) => pictures.replaceChildren(make("li", { class: "wrong" }, wrong(error))),
  );
  const made: HTMLElement = make(
    "article",
    { class: "card case new", "aria-labelledby": `${id}-title` },
    make(
      "header",
      {},
      make("span", { class: "tag ask" }, symbol("info"), word(`category_${question.category}`)),
      make("time", { datetime: new Date(question.askedAt * 1000).toISOString() }, moment(question.askedAt)),
    ),
    make("h2", { id: `${id}-title` }, question.name === null ? word("question_title_you", question.platform) : word("question_title", question.platform, question.name)),
    ...question.context.map((turn) => make("p", { class: "hint", dir: "auto" }, turn)),
    question.prompt === null ? null : make("blockquote", { class: "quote", dir: "auto" }, question.prompt),
    pictures,
    make("p", { class: "hint" }, question.asker === null ? "" : `${word("question_from", question.asker)} `, word("question_ends", hour(question.endsAt))),
    make("div", { class: "row" }, make("label", { for: limit.id }, word("limit")), limit),
    make(
      "p",
      { class: "actions" },
      button("approve_yes", "", () => approve(question, Number(limit.value), made)),
      button("decline", "quiet", () => settle(made, () => ask("consent.decline", { request: question.request }))),
      button("block", "quiet danger", () => block(question, made)),
    ),
  );
  return made;
}

async function approve(question: ConsentQuestion, seconds: number, made: HTMLElement): Promise<void> {
  const isDone = await withCompanionPassphrase(
    {
      title: word("question_approve_title"),
      meaning: [word("question_approve_what", question.platform), word("companion_passphrase_hint")],
      act: word("approve_yes"),
    },
    (passphrase) => ask("consent.approve", { request: question.request, seconds, passphrase }),
  );
  if (isDone) {
    made.replaceWith(make("p", { class: "live good", role: "status" }, word("question_approved")));
  }
}

async function block(question: ConsentQuestion, made: HTMLElement): Promise<void> {
  const who = question.asker ?? question.platform;
  if (await confirmed({ title: word("block_title", who), meaning: word("block_what"), act: word("block") })) {
    await settle(made, () => ask("consent.block", { request: question.request }));
  }
}

async function settle(made: HTMLElement, work: () => Promise<unknown>): Promise<void> {
  await work();
  made.replaceWith(make("p", { class: "live", role: "status" }, word("question_declined")));
}
