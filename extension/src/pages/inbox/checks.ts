/** Who checked her face: asked of the companion with her passphrase, shown once, kept nowhere here. */

import { ask } from "../../ask.ts";
import type { CheckSummary, SubjectSummary, Verdict } from "../../messages.ts";
import { download } from "../dialog.ts";
import { make, symbol } from "../dom.ts";
import { withCompanionPassphrase } from "../secret.ts";
import { type Key, moment, number, word } from "../text.ts";
import { empty, unavailable } from "./nothing.ts";

const VERDICTS: Readonly<Record<Verdict, { readonly words: Key; readonly look: string; readonly drawing: string }>> = {
  allow: { words: "verdict_allow", look: "good", drawing: "tick" },
  needs_consent: { words: "verdict_needs_consent", look: "ask", drawing: "info" },
  refuse: { words: "verdict_refuse", look: "bad", drawing: "cross" },
};

/** One card a person, with a button that asks for her passphrase; or in plain words why there is none. */
export async function checks(people: readonly SubjectSummary[]): Promise<readonly HTMLElement[]> {
  const { state } = await ask("companion.state", {});
  if (state === "not_paired") {
    return [empty("companion_none", "companion_none_hint"), toReceipts()];
  }
  if (people.length === 0) {
    return [empty("checks_nobody", "checks_nobody_hint"), toReceipts()];
  }
  return [...people.map(person), toReceipts()];
}

function toReceipts(): HTMLElement {
  return make("p", { class: "hint" }, word("receipt_hint"), " ", make("a", { href: "../receipt/receipt.html" }, word("receipt_title")));
}

function person({ subject, name }: SubjectSummary): HTMLElement {
  const list = make("ul", { class: "plain stack" });
  const after = make("p", { class: "hint", role: "status" });
  const show = make("button", { type: "button" }, symbol("eye"), word("checks_show"));
  let before: string | null = null;
  show.addEventListener("click", () => {
    const question = { title: word("checks_title", name), meaning: [word("checks_meaning"), word("companion_passphrase_hint")], act: word("checks_show") };
    void withCompanionPassphrase(question, async (passphrase) => {
      const page = await ask("consent.checks", { subject, passphrase, before });
      list.append(...page.checks.map(row));
      before = page.before;
      show.hidden = before === null;
      show.replaceChildren(symbol("eye"), word("checks_older"));
      after.textContent = ending(list.childElementCount, before, number(page.keptDays));
    }).catch((error: unknown) => list.replaceChildren(make("li", {}, unavailable(error))));
  });
  return make(
    "section",
    { class: "card" },
    make("h2", {}, make("bdi", {}, name)),
    make("p", { class: "hint" }, word("checks_hint")),
    list,
    after,
    make("p", { class: "actions" }, show),
  );
}

/** What stands under the list. That none was about her is said only once all have been looked through. */
function ending(shown: number, before: string | null, days: string): string {
  if (shown > 0) {
    return word("checks_kept", days);
  }
  return before === null ? word("checks_none", days) : word("checks_none_yet");
}

function row(check: CheckSummary): HTMLElement {
  const { words, look, drawing } = VERDICTS[check.verdict];
  const what = check.category === "none" ? word(`purpose_${check.purpose}`) : word(`category_${check.category}`);
  const about = [moment(check.at), word(`seen_by_${check.how}`), ...(check.stage === "result" ? [word("checks_result")] : [])];
  const receipt = check.receipt;
  const save = receipt === null ? null : make("button", { type: "button", class: "quiet small" }, word("checks_receipt"));
  save?.addEventListener("click", () => download(new TextEncoder().encode(receipt ?? ""), `receipt-${check.check}.jws`));
  return make(
    "li",
    { class: "row" },
    make(
      "div",
      { class: "grow" },
      make("h3", {}, make("bdi", {}, check.platform ?? word("platform_unnamed"))),
      make("p", {}, what, ...check.reasons.map((reason) => ` · ${word(`reason_${reason}`)}`)),
      make("p", { class: "hint" }, about.join(" · ")),
    ),
    make("span", { class: `tag ${look}` }, symbol(drawing), word(words)),
    save,
  );
}
