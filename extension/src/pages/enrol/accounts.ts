/** What she is called, on sites and by people: a post of hers concerns her, and so does whoever names her, without any picture. */

import { ask } from "../../ask.ts";
import type { SubjectSummary } from "../../messages.ts";
import { busy, make, say } from "../dom.ts";
import { wrong } from "../secret.ts";
import { word } from "../text.ts";

/** Fields for the handles and the names of one person, closed at first. */
export function accounts({ subject, name }: SubjectSummary): HTMLElement {
  const id = `accounts-${subject}`;
  const field = make("textarea", { id, rows: 3, dir: "ltr", spellcheck: "false", autocapitalize: "none", "aria-describedby": `${id}-hint` });
  const names = make("textarea", { id: `${id}-names`, rows: 2, dir: "auto", spellcheck: "false", "aria-describedby": `${id}-names-hint` });
  const status = make("p", { class: "live", role: "status" });
  const save = make("button", { class: "quiet small" }, word("save"));
  const form = make(
    "form",
    {},
    make("label", { for: id }, word("accounts_of", name)),
    make("p", { class: "hint", id: `${id}-hint` }, word("accounts_hint")),
    field,
    make("label", { for: names.id }, word("aliases_of", name)),
    make("p", { class: "hint", id: `${id}-names-hint` }, word("aliases_hint")),
    names,
    status,
    make("p", { class: "actions" }, save),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(save, async () => {
      try {
        const handles = field.value.split(/[\s,;]+/).filter((handle) => handle !== "");
        await ask("handles.set", { subject, handles, names: names.value.split(/[\n,;]+/).filter((each) => each.trim() !== "") });
        say(status, word("saved"), "good");
      } catch (error) {
        say(status, wrong(error), "bad");
      }
    });
  });
  const details = make("details", { class: "accounts" }, make("summary", {}, word("accounts")), form);
  // Until what is kept stands there, nothing is typed that it would overwrite, and nothing saved that would erase it.
  const controls = [field, names, save];
  for (const control of controls) {
    control.disabled = true;
  }
  let isAsked = false;
  details.addEventListener("toggle", () => {
    if (!details.open || isAsked) {
      return;
    }
    isAsked = true;
    void ask("handles.list", {}).then(
      ({ people }) => {
        const known = people.find((person) => person.subject === subject);
        field.value = known?.handles.join("\n") ?? "";
        names.value = known?.names.join("\n") ?? "";
        say(status, "");
        for (const control of controls) {
          control.disabled = false;
        }
      },
      (error: unknown) => {
        isAsked = false;
        say(status, wrong(error), "bad");
      },
    );
  });
  return details;
}
