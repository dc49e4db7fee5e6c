/** Check a receipt: pasted or dropped with a platform's keys, and seen at once whether it is genuine, whose, and what it says. */

import { ask } from "../../ask.ts";
import { StatementInvalid } from "../../domain/statements/forms.ts";
import { NotReadable, type Reading, believedKeys, believedLog, given, read } from "../../domain/statements/reading.ts";
import { busy, make, note, part, say } from "../dom.ts";
import { wrong } from "../secret.ts";
import { openPage } from "../shell.ts";
import { type Key, word } from "../text.ts";
import { contents, withLine } from "./contents.ts";

const FIELDS = ["statement", "keys"] as const;
const UNREADABLE: Readonly<Record<NotReadable["field"], Key>> = {
  statement: "receipt_no_statement",
  keys: "receipt_no_keys",
  log: "receipt_no_log",
};
/** Statements are a few kilobytes; what is larger is another file. */
const MAX_BYTES = 1_000_000;

async function start(): Promise<void> {
  await openPage("receipt", () => undefined);
  for (const field of FIELDS) {
    const file = part<HTMLInputElement>(`${field}-file`);
    file.addEventListener("change", () => void fill(field, file.files));
    acceptDrops(field);
  }
  part("keys-take").addEventListener("click", () => void busy(part<HTMLButtonElement>("keys-take"), take));
  part("check").addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(part<HTMLButtonElement>("act"), check);
  });
  part("check").addEventListener("reset", () => {
    clear();
    part("statement").focus();
  });
  for (const field of ["statement", "keys", "log"]) {
    // What stands there belongs to what was checked, and to nothing else.
    part(field).addEventListener("input", clear);
  }
  part("keys-companion").hidden = (await ask("companion.state", {})).state === "not_paired";
}

/** The keys of the companion that is paired: it has shown by its pinned key that it is the one. */
async function take(): Promise<void> {
  clear();
  try {
    part<HTMLTextAreaElement>("keys").value = (await ask("companion.keys", {})).keys;
  } catch (error) {
    say(part("status"), wrong(error), "bad");
  }
}

function acceptDrops(field: (typeof FIELDS)[number]): void {
  const place = part(`${field}-field`);
  place.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files") === true) {
      event.preventDefault();
      place.classList.add("over");
    }
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    place.classList.remove("over");
    if (event.dataTransfer !== null && event.dataTransfer.files.length > 0) {
      event.preventDefault();
      void fill(field, event.dataTransfer.files);
    }
  });
}

async function fill(field: (typeof FIELDS)[number], files: FileList | null): Promise<void> {
  const [file] = files ?? [];
  if (file === undefined) {
    return;
  }
  clear();
  if (file.size > MAX_BYTES) {
    fault(field);
    return;
  }
  part<HTMLTextAreaElement>(field).value = await file.text();
}

async function check(): Promise<void> {
  clear();
  try {
    const statement = given(text("statement"));
    const keys = await believedKeys(text("keys"));
    const trust = believedLog(text("log"));
    show(await read(statement, keys, trust), statement.key);
  } catch (error) {
    if (error instanceof NotReadable) {
      fault(error.field);
    } else if (error instanceof StatementInvalid) {
      showFalse();
    } else {
      throw error;
    }
  }
}

function show(reading: Reading, key: string): void {
  const isBroken = reading.kind === "receipt" && reading.log.state === "broken";
  part("result-title").textContent = word(isBroken ? "receipt_half" : "receipt_genuine");
  const line = withLine(reading);
  part("result-body").replaceChildren(
    isBroken ? note("bad", "warning", make("p", {}, word("receipt_half_text"))) : note("good", "tick", make("p", {}, line)),
    ...contents(reading, key),
  );
  reveal();
}

function showFalse(): void {
  part("result-title").textContent = word("receipt_false");
  part("result-body").replaceChildren(
    note("bad", "cross", make("p", {}, word("receipt_false_text"))),
    make("ul", {}, ...(["receipt_false_1", "receipt_false_2", "receipt_false_3"] as const).map((each) => make("li", {}, word(each)))),
  );
  reveal();
}

/** Shown, and told to whoever does not see it: the focus goes to its heading. */
function reveal(): void {
  part("result").hidden = false;
  part("result-title").focus();
}

function fault(field: NotReadable["field"]): void {
  say(part("status"), word(UNREADABLE[field]), "bad");
  part(field).setAttribute("aria-invalid", "true");
  if (field === "log") {
    part<HTMLDetailsElement>("log-field").open = true;
  }
  part(field).focus();
}

function clear(): void {
  part("result").hidden = true;
  part("result-body").replaceChildren();
  say(part("status"), "");
  for (const field of ["statement", "keys", "log"]) {
    part(field).removeAttribute("aria-invalid");
  }
}

function text(field: string): string {
  return part<HTMLTextAreaElement>(field).value;
}

void start();
