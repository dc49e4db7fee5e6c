/** Upload guard: holds what would go into a generator until it is clear whether it may, before the page sees it. */

import { ask } from "../../ask.ts";
import { isPlain } from "../../domain/guard/body.ts";
import type { Notice } from "../../messages.ts";
import { answerAtOnce } from "./at-once.ts";
import { Gate } from "./gate.ts";
import { Inputs } from "./inputs.ts";
import { answerPort } from "./port.ts";
import { watchPromptBoxes } from "./prompt.ts";
import { Transfers } from "./transfers.ts";

/** Whether she has the guard on here. If that cannot be learned it is on. */
async function isOn(): Promise<boolean> {
  try {
    const state = await ask("site.state", {});
    return state.guard && state.pausedUntil === null;
  } catch {
    return true;
  }
}

let on: Promise<boolean>;
/** Only once it is known. */
let isOff = false;

function look(): void {
  const looked = isOn();
  on = looked;
  isOff = false;
  void looked.then((found) => {
    isOff = on === looked && !found;
  });
}

look();
chrome.runtime.onMessage.addListener((message: Partial<Notice>) => {
  if (message.to === "everyone" && message.notice === "sites") {
    look();
  }
});
const gate = new Gate(() => on);
const inputs = new Inputs(gate);

answerPort(({ parts, isGiven }) =>
  isGiven ? gate.passes(parts.flatMap((part) => ("blob" in part ? [part.blob] : []))) : gate.sends(parts),
);
answerAtOnce((text) => isOff || isPlain(text));
watchPromptBoxes();
inputs.watch();
new Transfers(gate, inputs).watch();
void ask("guard.arrive", {}).catch(() => {
  // Nothing was held that matters to this page.
});
