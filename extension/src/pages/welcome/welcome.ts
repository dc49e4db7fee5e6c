/** The first run, in four steps: what it is, a passphrase, her face, the sites. Each can be left and come back to. */

import { ask } from "../../ask.ts";
import { toBase64 } from "../../domain/base64.ts";
import type { VaultState } from "../../messages.ts";
import { busy, part, say, value } from "../dom.ts";
import { NewPassphrase } from "../new-passphrase.ts";
import { revealable, wrong } from "../secret.ts";
import { openPage } from "../shell.ts";
import { showSites } from "../site-list.ts";

const STEPS = ["what", "vault", "face", "sites"] as const;
type Step = (typeof STEPS)[number];

let vault: VaultState;

async function start(): Promise<void> {
  await openPage("welcome", (now) => {
    vault = now;
  });
  revealable();
  const chosen = new NewPassphrase({ first: "passphrase", again: "again", meter: "meter", words: "strength" });
  part("begin").addEventListener("click", () => go(vault.state === "none" ? "vault" : "face"));
  part("later").addEventListener("click", () => go("sites"));
  part("suggest").addEventListener("click", () => chosen.suggest());
  part("create").addEventListener("submit", (event) => void create(event as SubmitEvent, chosen));
  part("import").addEventListener("submit", (event) => void restore(event as SubmitEvent));
  addEventListener("hashchange", follow);
  show("what");
  follow();
}

/** Go to the step in the address. One that names no step, as after "Skip to the content", leaves her where she is. */
function follow(): void {
  if (location.hash === "") {
    show("what");
    return;
  }
  const named = STEPS.find((step) => `#${step}` === location.hash);
  if (named === undefined) {
    return;
  }
  // A vault that is there is not made again.
  const step = named === "vault" && vault.state !== "none" ? "face" : named;
  show(step);
  part(`${step}-title`).focus();
}

function go(step: Step): void {
  location.hash = step;
}

function show(step: Step): void {
  for (const each of STEPS) {
    part(each).hidden = each !== step;
  }
  for (const item of part("steps").children) {
    const place = STEPS.indexOf((item as HTMLElement).dataset["step"] as Step);
    item.classList.toggle("done", place < STEPS.indexOf(step));
    item.toggleAttribute("aria-current", false);
    if (place === STEPS.indexOf(step)) {
      item.setAttribute("aria-current", "step");
    }
  }
  if (step === "sites") {
    void showSites(part("site-list"), part("sites-status"));
  }
}

async function create(event: SubmitEvent, chosen: NewPassphrase): Promise<void> {
  event.preventDefault();
  const status = part("create-status");
  const passphrase = chosen.read(status);
  if (passphrase === null) {
    return;
  }
  await busy(event.submitter as HTMLButtonElement, async () => {
    try {
      vault = await ask("vault.create", { passphrase });
    } catch (error) {
      say(status, wrong(error), "bad");
      return;
    }
    say(status, "");
    chosen.clear();
    go("face");
  });
}

async function restore(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const status = part("import-status");
  const [file] = part<HTMLInputElement>("import-file").files ?? [];
  if (file === undefined) {
    return;
  }
  await busy(event.submitter as HTMLButtonElement, async () => {
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      await ask("vault.import", { file: toBase64(bytes), passphrase: value("import-passphrase") });
    } catch (error) {
      say(status, wrong(error), "bad");
      return;
    }
    go("sites");
  });
}

void start();
