/** Her accounts on the sites: a post of hers concerns her, and so does whoever names her, without any picture. */

import { ask } from "../../ask.ts";
import type { SubjectSummary } from "../../messages.ts";
import { busy, make, say } from "../dom.ts";
import { wrong } from "../secret.ts";
import { word } from "../text.ts";

/** A field for the handles of one person, closed at first. */
export function accounts({ subject, name }: SubjectSummary): HTMLElement {
  const id = `accounts-${subject}`;
  const field = make("textarea", { id, rows: 3, dir: "ltr", spellcheck: "false", autocapitalize: "none", "aria-describedby": `${id}-hint` });
  const status = make("p", { class: "live", role: "status" });
  const save = make("button", { class: "quiet small" }, word("save"));
  const form = make(
    "form",
    {},
    make("label", { for: id }, word("accounts_of", name)),
    make("p", { class: "hint", id: `${id}-hint` }, word("accounts_hint")),
    field,
    status,
    make("p", { class: "actions" }, save),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(save, async () => {
      try {
        await ask("handles.set", { subject, handles: field.value.split(/[\s,;]+/).filter((handle) => handle !== "") });
        say(status, word("saved"), "good");
      } catch (error) {
        say(status, wrong(error), "bad");
      }
    });
  });
  const details = make("details", { class: "accounts" }, make("summary", {}, word("accounts")), form);
  details.addEventListener("toggle", () => {
    if (details.open && field.value === "") {
      void ask("handles.list", {}).then(
        ({ people }) => {
          field.value = people.find((person) => person.subject === subject)?.handles.join("\n") ?? "";
        },
        (error: unknown) => say(status, wrong(error), "bad"),
      );
    }
  });
  return details;
}
