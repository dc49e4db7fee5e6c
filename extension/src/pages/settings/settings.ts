/** Sites, the vault, the companion: each with what it means, and a way back. */

import { AskFailed, ask } from "../../ask.ts";
import { fromBase64, toBase64 } from "../../domain/base64.ts";
import { LOOPBACK } from "../../domain/site-rules.ts";
import type { Answer, VaultState } from "../../messages.ts";
import { download } from "../dialog.ts";
import { busy, make, part, say, symbol, value } from "../dom.ts";
import { NewPassphrase } from "../new-passphrase.ts";
import { addPasskey, canHavePasskey } from "../passkey.ts";
import { revealable, withSecret, wrong } from "../secret.ts";
import { onNotice, openPage, showDoor } from "../shell.ts";
import { allow, showSites } from "../site-list.ts";
import { type Key, number, word } from "../text.ts";

const IDLE_MINUTES = [2, 5, 15, 30, 60, 240];
const COMPANION: Readonly<Record<Answer<"companion.state">["state"], { readonly words: Key; readonly look: string }>> = {
  not_paired: { words: "companion_not_paired", look: "off" },
  reachable: { words: "companion_reachable", look: "open" },
  unreachable: { words: "companion_unreachable", look: "wait" },
  untrusted: { words: "companion_untrusted", look: "wait" },
};

async function start(): Promise<void> {
  await openPage("settings", showVault);
  revealable();
  const chosen = new NewPassphrase({ first: "new", again: "new-again", meter: "new-meter", words: "new-strength" });
  part("new-suggest").addEventListener("click", () => chosen.suggest());
  onSubmit("change", "change-status", (status) => changePassphrase(chosen, status));
  onSubmit("export", "export-status", save);
  onSubmit("import", "import-status", load);
  onSubmit("companion-pair", "companion-status", pair);
  onSubmit("site-add", "sites-status", addSite);
  part("idle").addEventListener("change", () => void attempt("vault-status", setIdle));
  part("passkey-add").addEventListener("click", () => void newPasskey());
  part("passkey-remove").addEventListener("click", () => void attempt("vault-status", removePasskey));
  part("companion-forget").addEventListener("click", () => void attempt("companion-status", forget));
  part("destroy").addEventListener("click", () => void destroy());
  part("notifications").addEventListener("change", () => void attempt("other-status", setNotifications));
  onNotice("companion", showCompanion);
  onNotice("sites", () => showSites(part("site-list"), part("sites-status")));
  await Promise.all([showSites(part("site-list"), part("sites-status")), showCompanion(), showNotifications()]);
}

async function showVault(vault: VaultState): Promise<void> {
  const isOpen = vault.state === "open";
  part("vault-open").hidden = !isOpen;
  showDoor(part("vault-closed"), vault);
  const choices = IDLE_MINUTES.includes(vault.autoLockMinutes) ? IDLE_MINUTES : [...IDLE_MINUTES, vault.autoLockMinutes];
  part("idle").replaceChildren(
    ...choices
      .toSorted((a, b) => a - b)
      .map((minutes) =>
        make(
          "option",
          { value: minutes, selected: minutes === vault.autoLockMinutes },
          word("minutes", number(minutes)),
        ),
      ),
  );
  const isPossible = vault.hasPasskey || (await canHavePasskey());
  part("passkey-hint").textContent = word(
    vault.hasPasskey ? "passkey_is" : isPossible ? "passkey_hint" : "passkey_impossible",
  );
  part("passkey-add").hidden = vault.hasPasskey || !isPossible;
  part("passkey-remove").hidden = !vault.hasPasskey;
  part<HTMLButtonElement>("destroy").disabled = vault.state === "none";
}

async function changePassphrase(chosen: NewPassphrase, status: HTMLElement): Promise<string | null> {
  const passphrase = chosen.read(status);
  if (passphrase === null) {
    return null;
  }
  await ask("vault.passphrase", { secret: { passphrase: value("old") }, passphrase });
  part<HTMLFormElement>("change").reset();
  chosen.clear();
  return word("passphrase_changed");
}

async function setIdle(): Promise<string> {
  await ask("vault.settings", { autoLockMinutes: Number(part<HTMLSelectElement>("idle").value) });
  return word("saved");
}

async function newPasskey(): Promise<void> {
  const isDone = await withSecret(
    { title: word("passkey_add"), meaning: [word("passkey_hint"), word("passkey_first")], act: word("passkey_add") },
    (secret) => addPasskey(secret),
  );
  if (isDone) {
    await showVault(await ask("vault.state", {}));
    say(part("vault-status"), word("passkey_added"), "good");
  }
}

async function removePasskey(): Promise<string> {
  await showVault(await ask("vault.passkey.remove", {}));
  return word("passkey_removed");
}

/** A file of the browser's downloads: the passphrase that opens it is asked for, so that it is known to be remembered. */
async function save(): Promise<string> {
  const passphrase = value("export-passphrase");
  const { file, subjects } = await ask("vault.export", { secret: { passphrase }, passphrase });
  download(fromBase64(file), `consentry-${new Date().toISOString().slice(0, 10)}.backup`);
  part<HTMLFormElement>("export").reset();
  return word("export_done", number(subjects));
}

async function load(): Promise<string | null> {
  const [file] = part<HTMLInputElement>("import-file").files ?? [];
  if (file === undefined) {
    return null;
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const { added, known } = await ask("vault.import", { file: toBase64(bytes), passphrase: value("import-passphrase") });
  part<HTMLFormElement>("import").reset();
  await showVault(await ask("vault.state", {}));
  return word("import_done", number(added), number(known));
}

async function addSite(): Promise<string> {
  const typed = value("site-address").trim();
  const url = URL.parse(typed.includes("://") ? typed : `https://${typed}`);
  if (url === null || !/^https?:$/.test(url.protocol) || !/^[^.]+(\.[^.]+)+$|^localhost$/.test(url.hostname)) {
    throw new AskFailed("not_found");
  }
  const isAllowed = await allow([`${url.protocol}//${url.hostname}/*`]);
  if (isAllowed) {
    part<HTMLFormElement>("site-add").reset();
  }
  await showSites(part("site-list"), part("sites-status"));
  return word(isAllowed ? "site_now_on" : "site_refused", url.hostname);
}

async function showCompanion(): Promise<void> {
  const [{ state, origin }, engine] = await Promise.all([ask("companion.state", {}), ask("engine.state", {})]);
  const { words, look } = COMPANION[state];
  part("companion-lamp").replaceChildren(
    make("span", { class: `lamp ${look}` }, symbol(state === "not_paired" ? "info" : "link"), word(words, origin ?? "")),
  );
  part("companion-hint").textContent = word(engine.engine === "companion" ? "engine_in_companion" : "engine_in_browser");
  part("companion-pair").hidden = state !== "not_paired";
  part("companion-forget").hidden = state === "not_paired";
}

/** The browser lets us ask the companion only once she has allowed it, as with any site. Asked first: it needs her click. */
async function pair(): Promise<string> {
  const origin = value("companion-origin").trim();
  if (!(await allow(companionOrigins(origin)))) {
    throw new AskFailed("companion_refused");
  }
  await ask("companion.pair", { origin, code: value("companion-code") });
  part<HTMLFormElement>("companion-pair").reset();
  await showCompanion();
  return word("companion_paired");
}

/** Only what listens on this computer. A pattern has no port: Firefox takes none. */
function companionOrigins(origin: string): readonly string[] {
  const url = URL.parse(origin);
  if (url === null || !LOOPBACK.has(url.hostname)) {
    throw new AskFailed("companion_unreachable");
  }
  return [`http://${url.hostname}/*`];
}

async function forget(): Promise<string> {
  const { origin } = await ask("companion.state", {});
  await ask("companion.forget", {});
  if (origin !== null) {
    // Where every site is allowed this one cannot be taken away alone; without its key nothing is asked there any more.
    await chrome.permissions.remove({ origins: [...companionOrigins(origin)] }).catch(() => false);
  }
  await showCompanion();
  return word("companion_forgotten");
}

async function showNotifications(): Promise<void> {
  part<HTMLInputElement>("notifications").checked = (await ask("notifications.state", {})).isOn;
}

async function setNotifications(): Promise<string> {
  try {
    await ask("notifications.set", { isOn: part<HTMLInputElement>("notifications").checked });
  } finally {
    await showNotifications();
  }
  return word("saved");
}

async function destroy(): Promise<void> {
  const isDone = await withSecret(
    {
      title: word("destroy"),
      meaning: [word("destroy_what"), word("delete_not")],
      act: word("destroy_do"),
      isDanger: true,
    },
    async (secret) => {
      await ask("vault.unlock", { secret });
      await ask("vault.destroy", {});
    },
  );
  if (isDone) {
    await showVault(await ask("vault.state", {}));
    say(part("other-status"), word("destroy_done"), "good");
  }
}

function onSubmit(form: string, status: string, work: (status: HTMLElement) => Promise<string | null>): void {
  part(form).addEventListener("submit", (event) => {
    event.preventDefault();
    const { submitter } = event as SubmitEvent;
    const run = (): Promise<void> => attempt(status, () => work(part(status)));
    void (submitter instanceof HTMLButtonElement ? busy(submitter, run) : run());
  });
}

/** Do something, and say in `region` how it went; null: it has been said. */
async function attempt(region: string, work: () => Promise<string | null>): Promise<void> {
  const status = part(region);
  say(status, "");
  try {
    const words = await work();
    if (words !== null) {
      say(status, words, "good");
    }
  } catch (error) {
    say(status, wrong(error), "bad");
  }
}

void start();
