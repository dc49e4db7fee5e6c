/** Forms that a page sends by itself: with a file in it, a form waits like any other body. */

import type { Verdicts } from "../port.ts";
import { replace } from "./native.ts";
import { partsOf } from "./parts.ts";

type Realm = Window & typeof globalThis;
const COPIED = ["action", "method", "enctype", "target", "accept-charset", "rel"];

export function guardForms(realm: Realm, isAsked: Verdicts): void {
  const { FormData: Data, HTMLFormElement: Forms } = realm;
  const { requestSubmit } = Forms.prototype;
  const released = new WeakSet<object>();

  /** What the form would send, if there is something in it to look at. */
  const asked = (form: HTMLFormElement, submitter: HTMLElement | null): FormData | null => {
    const data = new Data(form, submitter);
    const values = [...data.values()];
    const matters = values.some((value) => (typeof value === "string" ? /\p{L}{2}/u.test(value) : value.size > 0));
    return matters ? data : null;
  };

  replace(Forms.prototype, "submit", (native) => (self, args) => {
    const form = self as HTMLFormElement;
    const data = asked(form, null);
    if (data === null) {
      return native(self, args);
    }
    // A page may empty and drop its form right after: what is sent is what was in it when it said so.
    const copy = copyOf(form, data, realm);
    void (async () => {
      if (await isAsked(partsOf(data), "sent")) {
        realm.document.documentElement.append(copy);
        native(copy, []);
        copy.remove();
      }
    })();
    return undefined;
  });

  realm.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (!(form instanceof Forms) || form.getAttribute("method")?.toLowerCase() !== "post") {
        return;
      }
      if (released.delete(form)) {
        return;
      }
      const { submitter } = event as SubmitEvent;
      const data = asked(form, submitter);
      if (data === null) {
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      void (async () => {
        if (await isAsked(partsOf(data), "sent")) {
          released.add(form);
          Reflect.apply(requestSubmit, form, [submitter]);
        }
      })();
    },
    true,
  );
}

/** A form that sends the same to the same place. */
function copyOf(form: HTMLFormElement, data: FormData, realm: Realm): HTMLFormElement {
  const { document } = realm;
  const copy = document.createElement("form");
  copy.hidden = true;
  for (const name of COPIED) {
    const value = form.getAttribute(name);
    if (value !== null) {
      copy.setAttribute(name, value);
    }
  }
  for (const [name, value] of data) {
    const input = document.createElement("input");
    input.name = name;
    if (typeof value === "string") {
      input.type = "hidden";
      input.value = value;
    } else {
      input.type = "file";
      const transfer = new realm.DataTransfer();
      transfer.items.add(value);
      input.files = transfer.files;
    }
    copy.append(input);
  }
  return copy;
}
