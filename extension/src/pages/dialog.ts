/** A question before something that cannot be taken back. */

import { make } from "./dom.ts";
import { word } from "./text.ts";

/** Ask in a dialog. @returns Whether she wants it; Escape is a no. */
export async function confirmed(question: { readonly title: string; readonly meaning: string; readonly act: string }): Promise<boolean> {
  const act = make("button", { class: "danger", value: "yes" }, question.act);
  const back = make("button", { class: "quiet", value: "no", autofocus: true }, word("back"));
  const dialog = make(
    "dialog",
    { "aria-labelledby": "confirm-title" },
    make("h2", { id: "confirm-title" }, question.title),
    make("p", {}, question.meaning),
    make("form", { method: "dialog" }, make("p", { class: "actions" }, act, back)),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

/** Put a file into the browser's downloads. */
export function download(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  const address = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  make("a", { href: address, download: name }).click();
  // The browser has begun to read it by then; revoking at once would end the download in some.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
