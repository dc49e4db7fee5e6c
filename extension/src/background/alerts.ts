/**
 * Telling her: one notification a thread, a number on the toolbar's button, and the inbox with its evidence.
 *
 * A notification may be read by whoever looks at her screen, so it says that there is something, and where; never what.
 */

import { type Alert, type Sighting, categoryOf } from "../domain/requests/alert.ts";
import { bundleOf } from "../domain/requests/bundle.ts";
import { checkedName } from "../domain/requests/names.ts";
import { toBase64 } from "../domain/base64.ts";
import { Failure } from "../failure.ts";
import type { AlertSummary, Secret, VaultState } from "../messages.ts";
import type { Inbox, Outcome } from "./inbox.ts";
import type { Notification } from "./notifications.ts";
import type { Handlers } from "./router.ts";

const NOTIFICATION = "alert/";
const INBOX = "pages/inbox/inbox.html";
/** A screenful of a large screen. */
const LARGEST_PICTURE = 12_000_000;
const PNG = "iVBORw0KGgo";
const MOST_HANDLES = 50;
const LONGEST_HANDLE = 200;

export interface AlertParts {
  readonly inbox: Inbox;
  readonly state: () => Promise<VaultState>;
  /** @throws {Failure} `wrong_passphrase`. */
  readonly verify: (secret: Secret) => Promise<void>;
  /** Version of the rules that read requests. */
  readonly engine: string;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly notify: (notification: Notification) => Promise<void>;
  /** Tells everybody that the inbox is otherwise. */
  readonly tell: () => void;
}

export class Alerts {
  readonly #parts: AlertParts;

  constructor(parts: AlertParts) {
    this.#parts = parts;
  }

  /** Open the inbox when a notification is pressed. To be called when the worker starts, on its first turn. */
  watch(): void {
    chrome.notifications.onClicked.addListener((id) => {
      if (id.startsWith(NOTIFICATION)) {
        void chrome.notifications.clear(id);
        void chrome.tabs.create({ url: chrome.runtime.getURL(INBOX) });
      }
    });
  }

  /** Keep what was seen, and tell her if its thread is a new one. */
  async raise(sighting: Sighting): Promise<Outcome> {
    const outcome = await this.#parts.inbox.add(sighting);
    if (outcome.isNew) {
      const { id, host } = outcome.alert;
      await this.#parts.notify({ id: NOTIFICATION + id, title: "notice_request_title", what: "notice_request_what", host });
    }
    if (outcome.hasNews) {
      await this.#changed();
    }
    return outcome;
  }

  /** The number on the toolbar's button; none while the vault is locked, when it is not known. */
  async count(): Promise<void> {
    const { state } = await this.#parts.state();
    const unread = state === "open" ? (await this.#parts.inbox.alerts()).filter(({ isRead }) => !isRead).length : 0;
    await chrome.action.setBadgeText({ text: unread === 0 ? "" : String(unread) });
  }

  /** The handlers of `inbox.*` and `handles.*`. */
  handlers(): Handlers {
    const { inbox } = this.#parts;
    return {
      "inbox.list": async () => {
        // An empty inbox has nothing to unseal, and must not look like one in which nothing was found.
        if ((await this.#parts.state()).state === "locked") {
          throw new Failure("locked");
        }
        const alerts = await inbox.alerts();
        const names = await this.#names();
        return {
          alerts: alerts.map((alert) => summaryOf(alert, names)),
          unread: alerts.filter(({ isRead }) => !isRead).length,
        };
      },
      "inbox.read": async ({ alert: id }) => {
        const alert = await inbox.read(id);
        await this.#changed();
        const { page, evidence, digests, crop } = alert;
        return { ...summaryOf(alert, await this.#names()), page, evidence, digests, crop };
      },
      "inbox.illustrate": async ({ alert, crop }) => {
        if (!crop.startsWith(PNG) || crop.length > LARGEST_PICTURE) {
          throw new Failure("picture_unreadable");
        }
        await inbox.illustrate(alert, crop);
        this.#parts.tell();
        return {};
      },
      "inbox.delete": async ({ alert }) => {
        await inbox.delete(alert);
        await this.#changed();
        return {};
      },
      "inbox.export": async ({ alert: id, secret }) => {
        await this.#parts.verify(secret);
        const alert = await inbox.alert(id);
        const file = await bundleOf(alert, this.#parts.now(), this.#parts.engine);
        const day = new Date(alert.at * 1000).toISOString().slice(0, 10);
        return { file: toBase64(new TextEncoder().encode(file)), name: `evidence-${alert.host}-${day}.json` };
      },
      "handles.list": async () => {
        const { subjects } = await this.#parts.state();
        const known = await inbox.handles();
        return {
          people: subjects.map(({ subject, name }) => ({
            subject,
            name,
            handles: known.find((each) => each.subject === subject)?.handles ?? [],
            names: known.find((each) => each.subject === subject)?.names ?? [],
          })),
        };
      },
      "handles.set": async ({ subject, handles, names }) => {
        const called = names.filter((name) => name.trim() !== "").map(checkedName);
        if (called.length > MOST_HANDLES || called.includes(null)) {
          throw new Failure("alias_unusable");
        }
        const kept = handles.map((handle) => handle.trim()).filter((handle) => handle !== "" && handle.length <= LONGEST_HANDLE);
        await inbox.setHandles(subject, [...new Set(kept)].slice(0, MOST_HANDLES), [...new Set(called.flatMap((name) => name ?? []))]);
        return {};
      },
    };
  }

  async #names(): Promise<ReadonlyMap<string, string>> {
    const { subjects } = await this.#parts.state();
    return new Map(subjects.map(({ subject, name }) => [subject, name]));
  }

  async #changed(): Promise<void> {
    await this.count();
    this.#parts.tell();
  }
}

function summaryOf(alert: Alert, names: ReadonlyMap<string, string>): AlertSummary {
  return {
    alert: alert.id,
    at: alert.at,
    host: alert.host,
    category: categoryOf(alert),
    subjects: alert.subjects.flatMap((subject) => names.get(subject) ?? []),
    requests: alert.evidence.length,
    isRead: alert.isRead,
    hasCrop: alert.crop !== null,
  };
}
