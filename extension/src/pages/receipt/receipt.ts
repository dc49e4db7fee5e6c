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

/** How often what is shown was taken away: what was begun before is of other fields. */
let cleared = 0;
/** How often each was written in, or is about to be. */
const written = { statement: 0, keys: 0 };

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
    for (const field of FIELDS) {
      written[field] += 1;
    }
    clear();
    part("statement").focus();
  });
  for (const field of FIELDS) {
    part(field).addEventListener("input", () => {
      written[field] += 1;
    });
  }
  for (const field of [...FIELDS, "log"]) {
    // What stands there belongs to what was checked, and to nothing else.
    part(field).addEventListener("input", clear);
  }
  part("keys-companion").hidden = (await ask("companion.state", {})).state === "not_paired";
}

/** The keys of the companion that is paired: it has shown by its pinned key that it is the one. */
async function take(): Promise<void> {
  const asked = ask("companion.keys", {}).then(({ keys }) => keys);
  await write("keys", asked, (error) => say(part("status"), wrong(error), "bad"));
}

/** Write what is waited for, unless something else was written there meanwhile. */
async function write(field: (typeof FIELDS)[number], waited: Promise<string>, failed: (error: unknown) => void): Promise<void> {
  clear();
  written[field] += 1;
  const own = written[field];
  const outcome = await waited.then(
    (found) => () => {
      part<HTMLTextAreaElement>(field).value = found;
    },
    (error: unknown) => () => failed(error),
  );
  if (written[field] === own) {
    // Again: what was checked while it was waited for is of what stood there until now.
    clear();
    outcome();
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
  // What cannot be read, a folder or a file that is gone, is as little a statement as what is too large for one.
  await write(field, file.size > MAX_BYTES ? Promise.reject(new NotReadable(field)) : file.text(), () => fault(field));
}

async function check(): Promise<void> {
  clear();
  const own = cleared;
  const outcome = await judged();
  if (cleared === own) {
    outcome();
  }
}

/** What to show of what stands in the fields now. */
async function judged(): Promise<() => void> {
  const fields = [text("statement"), text("keys"), text("log")] as const;
  try {
    const statement = given(fields[0]);
    const keys = await believedKeys(fields[1]);
    const trust = await believedLog(fields[2]);
    const reading = await read(statement, keys, trust);
    return () => show(reading, statement.key);
  } catch (error) {
    if (error instanceof NotReadable) {
      return () => fault(error.field, error.isSeveral ? "receipt_several" : UNREADABLE[error.field]);
    }
    if (error instanceof StatementInvalid) {
      return showFalse;
    }
    throw error;
  }
}

function show(reading: Reading, key: string): void {
  const isBroken = reading.kind !== "token" && reading.log.state === "broken";
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

function fault(field: NotReadable["field"], why: Key = UNREADABLE[field]): void {
  say(part("status"), word(why), "bad");
  part(field).setAttribute("aria-invalid", "true");
  if (field === "log") {
    part<HTMLDetailsElement>("log-field").open = true;
  }
  part(field).focus();
}

function clear(): void {
  cleared += 1;
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
