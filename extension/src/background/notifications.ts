/**
 * Notifications of the system, if she wants them. One may be read by whoever looks at her screen, so it says that there is
 * something, and where; never what.
 */

import type { Key } from "../pages/text.ts";
import type { Handlers } from "./router.ts";

const KEY = "notifications";
const ICON = "icons/icon-128.png";

export interface Notification {
  readonly id: string;
  readonly title: Key;
  /** With the host for `$1`, if it names one. */
  readonly what: Key;
  readonly host: string;
}

export class Notifications {
  readonly #storage: chrome.storage.StorageArea;

  constructor(storage: chrome.storage.StorageArea) {
    this.#storage = storage;
  }

  /** The handlers of `notifications.*`. */
  handlers(): Handlers {
    return {
      "notifications.state": async () => ({ isOn: await this.#isOn() }),
      "notifications.set": async ({ isOn }) => {
        await this.#storage.set({ [KEY]: isOn });
        return { isOn };
      },
    };
  }

  /** Raise one, unless she wants none. */
  async raise({ id, title, what, host }: Notification): Promise<void> {
    if (await this.#isOn()) {
      await chrome.notifications.create(id, {
        type: "basic",
        iconUrl: chrome.runtime.getURL(ICON),
        title: chrome.i18n.getMessage(title),
        message: chrome.i18n.getMessage(what, host),
        // Firefox knows no such word, and refuses it.
        ...(BROWSER === "chromium" ? { silent: true } : {}),
      });
    }
  }

  async #isOn(): Promise<boolean> {
    return (await this.#storage.get(KEY))[KEY] !== false;
  }
}
