/**
 * One upload, from the moment it is held to the moment it goes on or does not.
 *
 *     hold -> shut the tab's door -> check -> allow          ->  let go, goes on
 *                                          -> refuse         ->  she reads why; let go, stays
 *                                          -> needs_consent  ->  she approves as the subject  ->  goes on
 *                                          -> no answer      ->  she tries again, or it stays
 *
 * There is no way from an error to "goes on".
 */

import { AskFailed, ask } from "../../ask.ts";
import { type Answer, LINE, type Notice, type PublicReason, QUESTION_LINE, type UploadAnswer } from "../../messages.ts";
import { type Key, word } from "../../pages/text.ts";
import { base64Of } from "../bytes.ts";
import { type Matter, type Shown, show } from "./dialog.ts";

/** Before this no dialog is shown: most checks are done. */
const QUIET_MS = 800;
/** Then she is asked what to do; the check may still be running. */
const PATIENCE_MS = 45_000;
const LOOK_MS = 700;
const RECONNECT_MS = 200;

/** One matter on the screen at a time; the others wait. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Hold an upload until it is clear what becomes of it.
 *
 * @returns Whether it goes on.
 */
export async function hold(pictures: readonly Blob[], prompt: string | null): Promise<boolean> {
  const id = crypto.randomUUID();
  const hangUp = stayOnLine(LINE + id);
  let goesOn = false;
  try {
    goesOn = await settle(id, pictures, prompt);
  } finally {
    await letGo(id, goesOn);
    hangUp();
  }
  return goesOn;
}

/** A line to the background for as long as something is held or asked: it ends with this document, however that ends. */
function stayOnLine(name: string): () => void {
  let line: chrome.runtime.Port | undefined;
  let isOver = isOrphaned();
  const connect = (): void => {
    if (isOver || isOrphaned()) {
      return;
    }
    line = chrome.runtime.connect({ name });
    // The background was ended and not we: the next line wakes it.
    line.onDisconnect.addListener(() => setTimeout(connect, RECONNECT_MS));
  };
  connect();
  return () => {
    isOver = true;
    line?.disconnect();
  };
}

/** Something went wrong before a check could be asked for: she says whether to try again. */
export async function triesAgain(): Promise<boolean> {
  return (await inTurn(failed)) === "again";
}

async function settle(id: string, pictures: readonly Blob[], prompt: string | null): Promise<boolean> {
  for (;;) {
    const answer = await checked(id, pictures, prompt);
    if (answer === "cancelled") {
      return false;
    }
    if (answer !== null && answer.checked && answer.verdict === "allow") {
      return true;
    }
    const decision = await inTurn(() => decide(answer, pictures.length > 0));
    if (decision !== "again") {
      return decision === "goes on";
    }
  }
}

/** The answer, null if there is none, or that she has cancelled. */
async function checked(id: string, pictures: readonly Blob[], prompt: string | null): Promise<UploadAnswer | "cancelled" | null> {
  let waiting: Shown<never> | undefined;
  const cancelled = Promise.withResolvers<"cancelled">();
  const quiet = setTimeout(() => {
    waiting = show({ look: "plain", title: "guard_checking", text: [word("guard_checking_text")], choices: [], isWorking: true });
    void waiting.chosen.then(() => cancelled.resolve("cancelled"));
  }, QUIET_MS);
  const patience = Promise.withResolvers<null>();
  const timer = setTimeout(() => patience.resolve(null), PATIENCE_MS);
  try {
    return await Promise.race([request(id, pictures, prompt), cancelled.promise, patience.promise]);
  } finally {
    clearTimeout(quiet);
    clearTimeout(timer);
    waiting?.end("cancel");
  }
}

async function request(id: string, pictures: readonly Blob[], prompt: string | null): Promise<UploadAnswer | null> {
  try {
    await ask("guard.hold", { id });
    return await ask("upload.check", {
      id: crypto.randomUUID(),
      pictures: await Promise.all(pictures.map(base64Of)),
      prompt,
      page: location.href,
    });
  } catch (error) {
    if (error instanceof AskFailed || error instanceof DOMException || isOrphaned()) {
      return null;
    }
    throw error;
  }
}

type Decision = "goes on" | "stays" | "again";

/** What she is told or asked. An answer that cannot be acted on is as good as none. */
async function decide(answer: UploadAnswer | null, hasPictures: boolean): Promise<Decision> {
  try {
    return await decideOn(answer, hasPictures);
  } catch (error) {
    if (error instanceof AskFailed || isOrphaned()) {
      return failed();
    }
    throw error;
  }
}

async function decideOn(answer: UploadAnswer | null, hasPictures: boolean): Promise<Decision> {
  if (answer?.privateReasons.includes("locked") === true) {
    return locked("guard_locked_text");
  }
  if (answer?.privateReasons.includes("names_not_checked") === true) {
    return locked("guard_locked_words");
  }
  if (answer === null || answer.reasons.includes("error") || (!answer.checked && answer.reasons.length === 0)) {
    return failed();
  }
  if (answer.verdict === "needs_consent" && answer.hold !== null) {
    return approved(answer.hold, hasPictures ? { title: "guard_you", text: "guard_you_text" } : { title: "guard_named", text: "guard_named_text" });
  }
  const why = answer.reasons.map((reason) => word(WHY[reason])).join(" ");
  await show({
    look: "refused",
    title: "guard_refused",
    text: [why === "" ? word("guard_why_error") : why, word("guard_nothing_sent")],
    choices: [],
    offers: [{ words: "guard_settings", does: () => void ask("page.open", { page: "settings" }) }],
  }).chosen;
  return "stays";
}

async function failed(): Promise<Decision> {
  const chosen = await question<"again">({
    look: "plain",
    title: "guard_failed",
    text: [word(isOrphaned() ? "guard_orphaned" : "guard_failed_text")],
    choices: [{ answer: "again", words: "guard_again" }],
  }).chosen;
  return chosen === "again" ? "again" : "stays";
}

/** She unlocks in a window of our own; then the check is made again. */
async function locked(why: Key): Promise<Decision> {
  const shown = question<"again">({
    look: "plain",
    title: "guard_locked",
    text: [word(why)],
    choices: [{ answer: "again", words: "guard_again" }],
    offers: [{ words: "guard_unlock", does: () => void ask("page.open", { page: "unlock" }) }],
  });
  const onNotice = (message: Partial<Notice>): void => {
    if (message.to === "everyone" && message.notice === "vault") {
      shown.end("again");
    }
  };
  chrome.runtime.onMessage.addListener(onNotice);
  const chosen = await shown.chosen;
  chrome.runtime.onMessage.removeListener(onNotice);
  return chosen === "again" ? "again" : "stays";
}

/** She approves as the subject, in a window of our own: nothing that a page can reach gives the approval. */
async function approved(id: string, words: { readonly title: Key; readonly text: Key }): Promise<Decision> {
  const chosen = await question<"approve">({
    look: "plain",
    title: words.title,
    text: [word(words.text)],
    choices: [{ answer: "approve", words: "guard_approve" }],
  }).chosen;
  if (chosen !== "approve") {
    await ask("upload.cancel", { hold: id });
    return "stays";
  }
  await ask("upload.approve", { hold: id });
  const waiting = show<"settled">({
    look: "plain",
    title: "guard_waiting",
    text: [word("guard_waiting_text")],
    choices: [],
    offers: [{ words: "guard_window", does: () => void ask("upload.approve", { hold: id }) }],
    isWorking: true,
  });
  void outcome(id).then((state) => {
    goesOn = state === "released";
    waiting.end("settled");
  });
  let goesOn = false;
  return (await waiting.chosen) === "settled" && goesOn ? "goes on" : "stays";
}

/** What became of the hold; `ended` if that cannot be learned. */
async function outcome(id: string): Promise<Answer<"upload.outcome">["state"]> {
  for (;;) {
    try {
      const { state } = await ask("upload.outcome", { hold: id });
      if (state !== "waiting") {
        return state;
      }
    } catch {
      return "ended";
    }
    await sleep(LOOK_MS);
  }
}

/** Show what waits for her answer. If she is in another tab, she is told that it does. */
function question<T extends string>(matter: Matter<T>): Shown<T> {
  const shown = show(matter);
  const id = crypto.randomUUID();
  const hangUp = stayOnLine(QUESTION_LINE + id);
  void tellWaiting(id, true);
  void shown.chosen.then(() => {
    hangUp();
    return tellWaiting(id, false);
  });
  return shown;
}

async function tellWaiting(id: string, isWaiting: boolean): Promise<void> {
  try {
    await ask("guard.waits", { id, isWaiting });
  } catch (error) {
    // The question stands, whether or not she is told of it.
    if (!(error instanceof AskFailed) && !isOrphaned()) {
      throw error;
    }
  }
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work);
  turn = mine.catch(() => undefined);
  return mine;
}

/** End the hold. What goes on waits until nothing else keeps the tab's door shut: it would be blocked. */
async function letGo(id: string, goesOn: boolean): Promise<void> {
  for (;;) {
    try {
      const { isBlocked } = await ask("guard.let-go", { id });
      if (!isBlocked || !goesOn) {
        return;
      }
    } catch (error) {
      if (error instanceof AskFailed || isOrphaned()) {
        // The door stays shut until it is swept; that costs a reload, and lets nothing through.
        return;
      }
      throw error;
    }
    await sleep(LOOK_MS);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The extension was updated or switched off under this page: nobody is there to ask any more. */
function isOrphaned(): boolean {
  return (chrome.runtime as { readonly id?: string }).id === undefined;
}

const WHY: Readonly<Record<PublicReason, Key>> = {
  revealing_real_person: "guard_why_revealing_real_person",
  minor: "guard_why_minor",
  consent_required: "guard_why_consent_required",
  unreadable: "guard_why_unreadable",
  error: "guard_why_error",
};
