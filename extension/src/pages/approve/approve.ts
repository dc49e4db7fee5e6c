/**
 * Her own consent to one upload of a picture of her: an unlock, never a bare tick. The guard holds the picture until this
 * window says yes; closing it, waiting too long or any failure is a no.
 */

import { ask } from "../../ask.ts";
import type { Answer, Secret } from "../../messages.ts";
import { busy, make, part, say, symbol, value } from "../dom.ts";
import { readPasskey } from "../passkey.ts";
import { revealable, unlockForm, wrong } from "../secret.ts";
import { hour, translate, word } from "../text.ts";

const TICK_MS = 1000;

const hold = new URLSearchParams(location.search).get("hold");
let isAnswered = false;

async function start(): Promise<void> {
  translate();
  revealable();
  part("gone-close").addEventListener("click", () => close());
  if (hold === null) {
    showUnlock();
  } else {
    await question(hold);
  }
}

/** Without a question this window only opens the vault, for a page whose pictures could not be looked at. */
function showUnlock(): void {
  part("title").textContent = word("locked_title");
  document.title = word("locked_title");
  part("unlock").hidden = false;
  part("unlock").append(unlockForm(() => close()));
  part("unlock-passphrase").focus();
}

async function question(hold: string): Promise<void> {
  let asked: Answer<"upload.hold">;
  try {
    asked = await ask("upload.hold", { hold });
  } catch {
    gone(word("approve_gone"));
    return;
  }
  await show(asked);
  const act = part<HTMLButtonElement>("yes");
  const passkey = part<HTMLButtonElement>("passkey");
  part("approve").addEventListener("submit", (event) => {
    event.preventDefault();
    void approve(hold, act, async () => ({ passphrase: value("passphrase") }));
  });
  passkey.addEventListener("click", () => void approve(hold, passkey, readPasskey));
  part("no").addEventListener("click", () => void cancel(hold));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      void cancel(hold);
    }
  });
  // A window that is closed is a no at once, rather than when the hold lapses.
  addEventListener("pagehide", () => {
    if (!isAnswered) {
      void ask("upload.cancel", { hold });
    }
  });
  part("passphrase").focus();
}

async function show(asked: Answer<"upload.hold">): Promise<void> {
  const pictures = asked.thumbnails.map((each, i) =>
    make("img", { src: `data:image/jpeg;base64,${each}`, alt: word("approve_picture", i + 1) }),
  );
  part("picture").replaceChildren(...(pictures.length > 0 ? pictures : [make("div", { class: "none" }, symbol("photo"))]));
  if (pictures.length === 0 && asked.prompt !== null) {
    document.title = word("approve_words_title");
    part("title").textContent = word("approve_words_title");
    part("lead").textContent = word("approve_words_lead");
  }
  part("site").textContent = URL.parse(asked.page)?.host ?? asked.page;
  part("purpose").textContent = word(`category_${asked.category}`);
  part("who").textContent = asked.subjects.join(", ");
  const hasPrompt = asked.prompt !== null && asked.prompt.trim() !== "";
  part("prompt").textContent = hasPrompt ? asked.prompt : word("approve_no_prompt");
  const { hasPasskey } = await ask("vault.state", {});
  part("passkey").hidden = !hasPasskey;
  part("asked").hidden = false;
  count(asked.endsAt);
}

function count(endsAt: number): void {
  say(part("ends"), word("approve_ends", hour(endsAt)));
  const whole = endsAt - Date.now() / 1000;
  const tick = (): void => {
    const left = endsAt - Date.now() / 1000;
    part("clock").style.transform = `scaleX(${Math.max(0, left / whole)})`;
    if (left <= 0 && !isAnswered) {
      isAnswered = true;
      close();
    }
  };
  setInterval(tick, TICK_MS);
  tick();
}

async function approve(hold: string, button: HTMLButtonElement, secret: () => Promise<Secret>): Promise<void> {
  const status = part("status");
  say(status, "");
  await busy(button, async () => {
    try {
      const { released } = await ask("upload.release", { hold, secret: await secret() });
      isAnswered = true;
      if (released) {
        close();
      } else {
        gone(word("approve_gone"));
      }
    } catch (error) {
      say(status, wrong(error), "bad");
      part<HTMLInputElement>("passphrase").select();
    }
  });
}

async function cancel(hold: string): Promise<void> {
  isAnswered = true;
  await ask("upload.cancel", { hold }).catch(() => undefined);
  close();
}

function gone(words: string): void {
  isAnswered = true;
  part("asked").hidden = true;
  part("gone").hidden = false;
  say(part("gone-words"), words);
}

void start();
