/** Forms that a page sends by itself: with a file in it, a form waits like any other body. */

import type { Verdicts } from "../port.ts";
import { type Call, replace } from "./native.ts";
import { partsOf } from "./parts.ts";

type Realm = Window & typeof globalThis;

export function guardForms(realm: Realm, isAsked: Verdicts): void {
  const { FormData: Data, HTMLFormElement: Forms } = realm;
  const released = new WeakSet<object>();
  const { requestSubmit } = Forms.prototype;

  const hold = (form: HTMLFormElement, submitter: HTMLElement | null, send: () => void): boolean => {
    const data = new Data(form, submitter);
    const files = [...data.values()].filter((value) => typeof value !== "string" && value.size > 0);
    const texts = [...data.values()].filter((value) => typeof value === "string");
    if (files.length === 0 && !texts.some((text) => text.length > 3)) {
      return false;
    }
    void (async () => {
      if (await isAsked(partsOf(data), "sent")) {
        send();
      }
    })();
    return true;
  };
  replace(Forms.prototype, "submit", (native: Call) => (self, args) =>
    hold(self as HTMLFormElement, null, () => native(self, args)) ? undefined : native(self, args),
  );
  realm.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (!(form instanceof Forms)) {
        return;
      }
      if (released.has(form)) {
        released.delete(form);
        return;
      }
      const { submitter } = event as SubmitEvent;
      const again = (): void => {
        released.add(form);
        Reflect.apply(requestSubmit, form, [submitter]);
      };
      if (form.method === "post" && hold(form, submitter, again)) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    },
    true,
  );
}
