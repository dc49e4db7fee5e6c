/** Asking for the passphrase or the passkey: the only way that a page shows that it is she who sits there. */

import { AskFailed, ask } from "../ask.ts";
import type { FailureCode, Secret } from "../messages.ts";
import { busy, make, part, say, symbol } from "./dom.ts";
import { readPasskey } from "./passkey.ts";
import { word } from "./text.ts";

/** What went wrong, in words. Anything that is no answer of the background is a fault of ours. */
export function wrong(error: unknown): string {
  return word(`error_${codeOf(error)}`);
}

export function codeOf(error: unknown): FailureCode {
  if (error instanceof AskFailed) {
    return error.code;
  }
  console.error(error);
  return "failed";
}

/** Give each password field in `root` a button that shows what was typed. */
export function revealable(root: ParentNode = document): void {
  for (const field of root.querySelectorAll<HTMLInputElement>(".secret > input")) {
    const button = make("button", { type: "button", "aria-pressed": "false", "aria-label": word("passphrase_show") }, symbol("eye"));
    button.addEventListener("click", () => {
      const isShown = field.type === "text";
      field.type = isShown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!isShown));
      button.replaceChildren(symbol(isShown ? "eye" : "eye-off"));
    });
    field.after(button);
  }
}

/** A field for a passphrase, with its label. */
export function passphraseField(id: string, label: string, autocomplete: "current-password" | "new-password"): HTMLElement {
  return make(
    "div",
    { class: "field" },
    make("label", { for: id }, label),
    make(
      "div",
      { class: "secret" },
      make("input", { type: "password", id, autocomplete, required: true, spellcheck: "false", dir: "auto" }),
    ),
  );
}

export interface Question {
  readonly title: string;
  /** What will happen; each a paragraph. */
  readonly meaning: readonly string[];
  /** What the button says that does it. */
  readonly act: string;
  readonly isDanger?: boolean;
}

/**
 * Ask for the passphrase or passkey in a dialog, and do something with it.
 *
 * A wrong secret is said in the dialog, which stays open.
 *
 * @returns Whether it was done; false when she went back.
 */
export async function withSecret(question: Question, work: (secret: Secret) => Promise<unknown>): Promise<boolean> {
  const { hasPasskey } = await ask("vault.state", {});
  return inDialog(question, { label: word("passphrase"), hasPasskey }, work);
}

/** As `withSecret`, with the passphrase that she has in the companion: no passkey of this browser opens that. */
export async function withCompanionPassphrase(question: Question, work: (passphrase: string) => Promise<unknown>): Promise<boolean> {
  return inDialog(question, { label: word("companion_passphrase"), hasPasskey: false }, (secret) =>
    work("passphrase" in secret ? secret.passphrase : ""),
  );
}

async function inDialog(
  question: Question,
  { label, hasPasskey }: { readonly label: string; readonly hasPasskey: boolean },
  work: (secret: Secret) => Promise<unknown>,
): Promise<boolean> {
  const status = make("p", { class: "live", role: "status" });
  const act = make("button", { class: question.isDanger === true ? "danger" : "" }, question.act);
  const back = make("button", { type: "button", class: "quiet" }, word("back"));
  const passkey = hasPasskey
    ? make("button", { type: "button", class: "quiet" }, symbol("key"), word("passkey_use"))
    : null;
  const form = make(
    "form",
    { method: "dialog" },
    passphraseField("asked-passphrase", label, "current-password"),
    status,
    make("p", { class: "actions" }, act, passkey, back),
  );
  const title = make("h2", { id: "asked-title" }, question.title);
  const dialog = make(
    "dialog",
    { "aria-labelledby": "asked-title" },
    title,
    ...question.meaning.map((words) => make("p", {}, words)),
    form,
  );
  document.body.append(dialog);
  revealable(dialog);
  dialog.showModal();
  part("asked-passphrase").focus();

  return new Promise((resolve) => {
    const attempt = async (button: HTMLButtonElement, secret: () => Promise<Secret>): Promise<void> => {
      say(status, "");
      await busy(button, async () => {
        try {
          await work(await secret());
        } catch (error) {
          say(status, wrong(error), "bad");
          part<HTMLInputElement>("asked-passphrase").select();
          return;
        }
        dialog.close("done");
      });
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const passphrase = part<HTMLInputElement>("asked-passphrase").value;
      void attempt(act, async () => ({ passphrase }));
    });
    passkey?.addEventListener("click", () => void attempt(passkey, readPasskey));
    back.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "done");
    });
  });
}

/** A form that opens the vault, for pages that show nothing while it is locked. */
export function unlockForm(opened: () => void): HTMLElement {
  const status = make("p", { class: "live", role: "status" });
  const act = make("button", {}, symbol("open"), word("unlock"));
  const passkey = make("button", { type: "button", class: "quiet", hidden: true }, symbol("key"), word("passkey_use"));
  const form = make(
    "form",
    { class: "unlock" },
    passphraseField("unlock-passphrase", word("passphrase"), "current-password"),
    status,
    make("p", { class: "actions" }, act, passkey),
  );
  revealable(form);
  void ask("vault.state", {}).then(({ hasPasskey }) => {
    passkey.hidden = !hasPasskey;
  });
  const attempt = async (button: HTMLButtonElement, secret: () => Promise<Secret>): Promise<void> => {
    say(status, word("unlocking"));
    await busy(button, async () => {
      try {
        await ask("vault.unlock", { secret: await secret() });
      } catch (error) {
        say(status, wrong(error), "bad");
        form.querySelector("input")?.select();
        return;
      }
      say(status, "");
      opened();
    });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const passphrase = form.querySelector("input")?.value ?? "";
    void attempt(act, async () => ({ passphrase }));
  });
  passkey.addEventListener("click", () => void attempt(passkey, readPasskey));
  return form;
}
