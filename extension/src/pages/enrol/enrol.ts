/** Protecting a face, from the camera or photos; who is protected; and the end of it. */

import { ask } from "../../ask.ts";
import type { SubjectPolicy, SubjectSummary, VaultState } from "../../messages.ts";
import { busy, make, note, part, say, symbol, value } from "../dom.ts";
import { withSecret, wrong } from "../secret.ts";
import { openPage, showDoor } from "../shell.ts";
import { day, number, word } from "../text.ts";
import { Camera } from "./camera.ts";
import { accounts } from "./accounts.ts";
import { EnrolSession, type Shot } from "./session.ts";

const THUMBNAIL = 320;
/** How much around the face is shown of a photo, in widths of the face. */
const AROUND = 0.45;

const isFirst = new URLSearchParams(location.search).has("first");
const session = new EnrolSession();
let rating = 0;

async function start(): Promise<void> {
  part("steps").hidden = !isFirst;
  await openPage("enrol", show);
  new Camera(async (photo) => (await add([photo])) > 0);
  const chooser = part<HTMLInputElement>("photos");
  chooser.addEventListener("change", () => {
    void add([...(chooser.files ?? [])]);
    chooser.value = "";
  });
  dropped(part("drop"));
  part("enrol").addEventListener("submit", (event) => void finish(event as SubmitEvent));
}

function show(vault: VaultState): void {
  const isOpen = vault.state === "open";
  part("open").hidden = !isOpen;
  showDoor(part("closed"), vault);
  part("people").hidden = vault.subjects.length === 0;
  part("people-list").replaceChildren(...vault.subjects.map(person));
}

function person(subject: SubjectSummary): HTMLElement {
  const remove = make("button", { type: "button", class: "quiet danger small" }, symbol("bin"), word("delete"));
  remove.setAttribute("aria-label", word("delete_person", subject.name));
  remove.addEventListener("click", () => void erase(subject));
  const change = make("button", { type: "button", class: "quiet small" }, word("policy_change"));
  change.setAttribute("aria-label", word("policy_change_of", subject.name));
  change.addEventListener("click", () => void protectOtherwise(subject));
  return make(
    "li",
    {},
    make(
      "div",
      { class: "row" },
      make(
        "div",
        { class: "grow" },
        make("h3", {}, make("bdi", {}, subject.name)),
        make("p", { class: "hint" }, word("person_since", day(subject.enrolledAt), number(subject.photos))),
        make("p", { class: "hint" }, word(`policy_${subject.policy}`)),
        subject.isCurrent ? null : make("p", { class: "wrong" }, word("person_outdated")),
      ),
      change,
      remove,
    ),
    accounts(subject),
  );
}

async function erase(subject: SubjectSummary): Promise<void> {
  const isDone = await withSecret(
    {
      title: word("delete_title", subject.name),
      meaning: [word("delete_what"), word("delete_not")],
      act: word("delete_do"),
      isDanger: true,
    },
    (secret) => ask("subject.delete", { subject: subject.subject, secret }),
  );
  if (isDone) {
    show(await ask("vault.state", {}));
    say(part("people-status"), "");
    part("done").replaceChildren(note("good", "tick", make("p", {}, word("delete_done", subject.name))));
  }
}

async function protectOtherwise(subject: SubjectSummary): Promise<void> {
  const policy: SubjectPolicy = subject.policy === "every_edit" ? "intimate_and_impersonating" : "every_edit";
  const isDone = await withSecret(
    {
      title: word("policy_change_title", subject.name),
      meaning: [word(`policy_${policy}`), word(`policy_${policy}_hint`)],
      act: word("policy_change_do"),
    },
    (secret) => ask("subject.policy", { subject: subject.subject, policy, secret }),
  );
  if (isDone) {
    show(await ask("vault.state", {}));
  }
}

/** Have photos rated, one after the other. @returns How many can be used. */
async function add(photos: readonly Blob[]): Promise<number> {
  const status = part("shots-status");
  let used = 0;
  rating += photos.length;
  for (const photo of photos) {
    say(status, word("shots_rating", number(rating)));
    const shot = await session.add(photo);
    used += shot.isAccepted ? 1 : 0;
    rating -= 1;
    await showShots();
  }
  sayCount();
  return used;
}

function sayCount(): void {
  const { accepted } = session;
  say(part("shots-status"), session.shots.length === 0 ? "" : word("shots_usable", number(accepted)), accepted > 0 ? "good" : "bad");
}

async function showShots(): Promise<void> {
  part("shots").replaceChildren(...(await Promise.all(session.shots.map(frame))));
}

async function frame(shot: Shot, place: number): Promise<HTMLElement> {
  const remove = make("button", { type: "button", class: "bare small" }, word("shot_remove"));
  remove.setAttribute("aria-label", word("shot_remove_number", number(place + 1)));
  remove.addEventListener("click", () => {
    void session.remove(shot).then(async () => {
      await showShots();
      sayCount();
      (document.querySelector<HTMLElement>("#shots button") ?? part("photos")).focus();
    });
  });
  return make(
    "li",
    { class: shot.isAccepted ? "good" : "bad" },
    make("img", { src: await thumbnail(shot), alt: word("shot_number", number(place + 1)) }),
    make(
      "div",
      { class: "words" },
      make("span", { class: `tag ${shot.isAccepted ? "good" : "bad"}` }, symbol(shot.isAccepted ? "tick" : "cross"), word(shot.isAccepted ? "shot_used" : "shot_not_used")),
      ...reasons(shot).map((words) => make("p", {}, words)),
    ),
    remove,
  );
}

function reasons(shot: Shot): readonly string[] {
  if (shot.failure !== null) {
    return [word(`error_${shot.failure}`)];
  }
  return shot.issues.map((issue) => word(`quality_${issue}`));
}

/** The face that was found, with a little around it; the whole picture when there is none. A canvas leaves nothing to revoke. */
async function thumbnail({ photo, place }: Shot): Promise<string> {
  const canvas = make("canvas", { width: THUMBNAIL, height: THUMBNAIL });
  try {
    const picture = await createImageBitmap(photo);
    const { width, height } = picture;
    const side =
      place === null
        ? Math.min(width, height)
        : Math.min(width, height, Math.max(place.w * width, place.h * height) * (1 + 2 * AROUND));
    const x = place === null ? (width - side) / 2 : (place.x + place.w / 2) * width - side / 2;
    const y = place === null ? (height - side) / 2 : (place.y + place.h / 2) * height - side / 2;
    const inside = (start: number, length: number): number => Math.min(Math.max(0, start), length - side);
    canvas
      .getContext("2d")
      ?.drawImage(picture, inside(x, width), inside(y, height), side, side, 0, 0, THUMBNAIL, THUMBNAIL);
    picture.close();
  } catch {
    // A file that is no picture has an empty frame; the words beside it say why.
  }
  return canvas.toDataURL("image/jpeg", 0.85);
}

async function finish(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const status = part("enrol-status");
  if (session.accepted === 0) {
    say(status, word("enrol_needs_photo"), "bad");
    part("photos").focus();
    return;
  }
  const name = value("subject-name").trim();
  const chosen = document.querySelector<HTMLInputElement>("input[name=policy]:checked");
  await busy(event.submitter as HTMLButtonElement, async () => {
    say(status, word("enrol_sealing"));
    try {
      await session.finish(name, (chosen?.value ?? "every_edit") as SubjectPolicy);
    } catch (error) {
      say(status, wrong(error), "bad");
      return;
    }
    say(status, "");
    part<HTMLFormElement>("enrol").reset();
    await showShots();
    sayCount();
    show(await ask("vault.state", {}));
    showDone(name);
  });
}

function showDone(name: string): void {
  const next = isFirst
    ? make("a", { class: "button small", href: "../welcome/welcome.html#sites" }, word("enrol_next"))
    : null;
  part("done").replaceChildren(
    note("good", "tick", make("p", {}, word("enrol_done", name)), next === null ? null : make("p", {}, next)),
  );
  part("done").scrollIntoView({ block: "center" });
}

/** Photos may also be dropped here, or pasted anywhere on the page. */
function dropped(place: HTMLElement): void {
  const pictures = (items: DataTransfer | null): File[] =>
    [...(items?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    void add(pictures(event.dataTransfer));
  });
  addEventListener("paste", (event) => {
    const pasted = pictures(event.clipboardData);
    if (pasted.length > 0 && !part("open").hidden) {
      event.preventDefault();
      void add(pasted);
    }
  });
}

void start();
