/** Questions that platforms asked her through the companion, and who had pictures checked there. */

import { ask } from "../../ask.ts";
import type { CheckSummary, ConsentQuestion, Verdict } from "../../messages.ts";
import { confirmed } from "../dialog.ts";
import { make, symbol } from "../dom.ts";
import { codeOf, withSecret, wrong } from "../secret.ts";
import { type Key, hour, moment, number, word } from "../text.ts";

/** What an approval is good for: one use, within this time. */
const SECONDS = [60, 300];
const VERDICTS: Readonly<Record<Verdict, { readonly words: Key; readonly look: string; readonly drawing: string }>> = {
  allow: { words: "verdict_allow", look: "good", drawing: "tick" },
  needs_consent: { words: "verdict_needs_consent", look: "ask", drawing: "info" },
  refuse: { words: "verdict_refuse", look: "bad", drawing: "cross" },
};

/** The questions that wait, or in plain words why there are none. */
export async function questions(attempt: (work: () => Promise<void>) => void): Promise<readonly HTMLElement[]> {
  const asked = await ask("consent.list", {}).catch((error: unknown) => unavailable(error, "questions_where"));
  if (asked instanceof HTMLElement) {
    return [asked];
  }
  if (asked.questions.length === 0) {
    return [empty("questions_none", "questions_none_hint")];
  }
  return asked.questions.map((question) => card(question, attempt));
}

/** Who had a picture checked in the companion, or in plain words why that cannot be told. */
export async function checks(): Promise<readonly HTMLElement[]> {
  const made = await ask("consent.checks", {}).catch((error: unknown) => unavailable(error, "checks_where"));
  if (made instanceof HTMLElement) {
    return [made];
  }
  if (made.checks.length === 0) {
    return [empty("checks_none", "checks_none_hint")];
  }
  return [
    make("p", { class: "hint" }, word("checks_hint")),
    make("div", { class: "card" }, make("ul", { class: "plain stack" }, ...made.checks.map(row))),
  ];
}

function row(check: CheckSummary): HTMLElement {
  const { words, look, drawing } = VERDICTS[check.verdict];
  return make(
    "li",
    { class: "row" },
    make(
      "div",
      { class: "grow" },
      make("h3", {}, make("bdi", {}, check.caller)),
      make("p", { class: "hint" }, moment(check.at), ...check.reasons.map((reason) => ` · ${word(`reason_${reason}`)}`)),
    ),
    make("span", { class: `tag ${look}` }, symbol(drawing), word(words)),
  );
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
  const made: HTMLElement = make(
    "article",
    { class: "card case new", "aria-labelledby": `${id}-title` },
    make(
      "header",
      {},
      make("span", { class: "tag ask" }, symbol("info"), word(`category_${question.category}`)),
      make("time", { datetime: new Date(question.askedAt * 1000).toISOString() }, moment(question.askedAt)),
    ),
    make("h2", { id: `${id}-title` }, word("question_title", question.asker ?? question.platform, question.subject)),
    question.prompt === null ? null : make("blockquote", { class: "quote", dir: "auto" }, question.prompt),
    make("p", { class: "hint" }, word("question_from", question.platform), " ", word("question_pictures", number(question.pictures)), " ", word("question_ends", hour(question.endsAt))),
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
  const isDone = await withSecret(
    {
      title: word("question_approve_title"),
      meaning: [word("question_approve_what", question.platform)],
      act: word("approve_yes"),
    },
    (secret) => ask("consent.approve", { request: question.request, seconds, secret }),
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

/** Why it cannot be shown here. The companion may keep this to its own dashboard, which is no failure. */
function unavailable(error: unknown, elsewhere: Key): HTMLElement {
  const code = codeOf(error);
  if (code === "companion_not_paired") {
    return empty("companion_none", "companion_none_hint");
  }
  if (code === "forbidden" || code === "unknown_message") {
    return empty("companion_there", elsewhere);
  }
  return make("p", { class: "wrong" }, wrong(error));
}

function empty(title: Key, hint: Key): HTMLElement {
  return make("div", { class: "card empty" }, symbol("inbox"), make("h2", {}, word(title)), make("p", {}, word(hint)));
}
