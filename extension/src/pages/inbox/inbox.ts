/** What happened: alerts, questions to her, and who checked a picture of her. */

import { ask } from "../../ask.ts";
import type { VaultState } from "../../messages.ts";
import { part, say } from "../dom.ts";
import { wrong } from "../secret.ts";
import { onNotice, openPage, showDoor } from "../shell.ts";
import { number, word } from "../text.ts";
import { alertCard, cardId, nothingSeen } from "./alerts.ts";
import { checks } from "./checks.ts";
import { questions } from "./questions.ts";

const PANELS = ["alerts", "questions", "checks"] as const;
type Panel = (typeof PANELS)[number];

let isOpen = false;
let people: VaultState["subjects"] = [];

async function start(): Promise<void> {
  await openPage("inbox", show);
  for (const panel of PANELS) {
    part(`tab-${panel}`).addEventListener("click", () => choose(panel));
    part(`tab-${panel}`).addEventListener("keydown", (event) => step(event, panel));
  }
  onNotice("inbox", fill);
  onNotice("companion", fill);
  choose(PANELS.find((panel) => `#${panel}` === location.hash) ?? "alerts");
}

async function show(vault: VaultState): Promise<void> {
  isOpen = vault.state === "open";
  people = vault.subjects;
  part("open").hidden = !isOpen;
  showDoor(part("closed"), vault);
  // Nothing that was sealed stays on the page once it is locked.
  if (!isOpen) {
    PANELS.forEach((panel) => part(panel).replaceChildren());
  } else {
    await fill();
  }
}

async function fill(): Promise<void> {
  if (!isOpen) {
    return;
  }
  attempt(async () => {
    const { alerts, unread } = await ask("inbox.list", {});
    // Whoever reads one alert is not thrown out of it by another: an open card stays as it is.
    const open = new Map([...part("alerts").children].filter(isBeingRead).map((card) => [card.id, card]));
    const cards = alerts.map((alert) => open.get(cardId(alert)) ?? alertCard(alert, attempt));
    const focused = document.activeElement;
    part("alerts").replaceChildren(...(cards.length === 0 ? [nothingSeen()] : cards));
    if (focused instanceof HTMLElement && focused.isConnected) {
      focused.focus();
    }
    document.title = unread === 0 ? word("inbox_title") : `(${number(unread)}) ${word("inbox_title")}`;
  });
  part("questions").replaceChildren(...(await questions(attempt)));
  // What is shown there took a passphrase: it stays until she leaves.
  if (part("checks").querySelector("li") === null) {
    part("checks").replaceChildren(...(await checks(people)));
  }
}

function isBeingRead(card: Element): boolean {
  return card.querySelector("[aria-expanded=true]") !== null;
}

function choose(chosen: Panel): void {
  for (const panel of PANELS) {
    const tab = part(`tab-${panel}`);
    tab.setAttribute("aria-selected", String(panel === chosen));
    tab.tabIndex = panel === chosen ? 0 : -1;
    part(panel).hidden = panel !== chosen;
  }
}

/** Arrow keys go round the tabs, as a screen reader announces. */
function step(event: KeyboardEvent, from: Panel): void {
  const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const backward = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
  const by = event.key === forward ? 1 : event.key === backward ? -1 : 0;
  const next = PANELS[(PANELS.indexOf(from) + by + PANELS.length) % PANELS.length];
  if (by !== 0 && next !== undefined) {
    choose(next);
    part(`tab-${next}`).focus();
  }
}

function attempt(work: () => Promise<void>): void {
  const status = part("status");
  work().then(
    () => say(status, ""),
    (error: unknown) => say(status, wrong(error), "bad"),
  );
}

void start();
