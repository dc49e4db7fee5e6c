/**
 * The inbox on the disk: alerts with their evidence, and her handles, every row sealed under the vault's key.
 *
 * A row says nothing in the clear but that it is there. While the vault is locked nothing is read or added; whoever saw
 * something then reports it again once it is open. Changes go one behind the other (`#turn`): two requests of one thread
 * that are reported at once are one alert.
 */

import type { Bytes } from "../domain/sealed-template.ts";
import { type Alert, type Sighting, added, begun } from "../domain/requests/alert.ts";
import { Failure } from "../failure.ts";

const HANDLES = "handles";
const ALERT = "alert/";
/** Rows are padded to whole blocks, so that their size does not tell how much was said. */
const BLOCK = 2048;

/** What the inbox needs of the vault. */
export interface Sealer {
  /** @throws {Failure} `locked`. */
  seal(value: Bytes, label: string): Promise<Bytes>;
  /** @throws {Failure} `locked`, `storage_damaged`. */
  unseal(sealed: Bytes, label: string): Promise<Bytes>;
}

/** Sealed rows by name. */
export interface Rows {
  all(): Promise<ReadonlyMap<string, Bytes>>;
  get(name: string): Promise<Bytes | null>;
  put(name: string, sealed: Bytes): Promise<void>;
  remove(name: string): Promise<void>;
  clear(): Promise<void>;
}

/** What one person is called: on sites, and by people. */
export interface Handles {
  readonly subject: string;
  readonly handles: readonly string[];
  readonly names: readonly string[];
}

export interface Outcome {
  readonly alert: Alert;
  readonly isNew: boolean;
  /** Whether there is evidence that was not there before. */
  readonly hasNews: boolean;
}

export class Inbox {
  readonly #rows: Rows;
  readonly #sealer: Sealer;
  readonly #newId: () => string;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(rows: Rows, sealer: Sealer, newId: () => string) {
    this.#rows = rows;
    this.#sealer = sealer;
    this.#newId = newId;
  }

  /** Every alert, newest first. */
  async alerts(): Promise<readonly Alert[]> {
    const alerts: Alert[] = [];
    for (const [name, sealed] of await this.#rows.all()) {
      if (name.startsWith(ALERT)) {
        alerts.push((await this.#open(name, sealed)) as Alert);
      }
    }
    return alerts.sort((one, other) => other.at - one.at);
  }

  /** @throws {Failure} `not_found`. */
  async alert(id: string): Promise<Alert> {
    const name = ALERT + id;
    const sealed = await this.#rows.get(name);
    if (sealed === null) {
      throw new Failure("not_found");
    }
    return (await this.#open(name, sealed)) as Alert;
  }

  /** Keep what was seen, in the alert of its thread. */
  add(sighting: Sighting): Promise<Outcome> {
    return this.#change(async () => {
      const known = (await this.alerts()).find(({ thread }) => thread === sighting.thread);
      const alert = known === undefined ? begun(this.#newId(), sighting) : added(known, sighting);
      if (alert !== known) {
        await this.#keep(ALERT + alert.id, alert);
      }
      return { alert, isNew: known === undefined, hasNews: alert !== known };
    });
  }

  /** Return an alert and note that she has read it. */
  read(id: string): Promise<Alert> {
    return this.#change(async () => {
      const alert = { ...(await this.alert(id)), isRead: true };
      await this.#keep(ALERT + id, alert);
      return alert;
    });
  }

  /** Keep a picture with an alert that has none. */
  illustrate(id: string, crop: string): Promise<void> {
    return this.#change(async () => {
      const alert = await this.alert(id);
      if (alert.crop === null) {
        await this.#keep(ALERT + id, { ...alert, crop });
      }
    });
  }

  delete(id: string): Promise<void> {
    return this.#change(() => this.#rows.remove(ALERT + id));
  }

  async handles(): Promise<readonly Handles[]> {
    const sealed = await this.#rows.get(HANDLES);
    const rows = sealed === null ? [] : ((await this.#open(HANDLES, sealed)) as readonly (Omit<Handles, "names"> & Partial<Handles>)[]);
    // Rows of an earlier version have no names.
    return rows.map((row) => ({ names: [], ...row }));
  }

  /** Whether somebody has written down what she is called; also while locked. */
  async hasHandles(): Promise<boolean> {
    return (await this.#rows.get(HANDLES)) !== null;
  }

  /** One person is called this from now on. */
  setHandles(subject: string, handles: readonly string[], names: readonly string[]): Promise<void> {
    return this.#change(async () => {
      const others = (await this.handles()).filter((each) => each.subject !== subject);
      const all = handles.length + names.length === 0 ? others : [...others, { subject, handles, names }];
      await (all.length === 0 ? this.#rows.remove(HANDLES) : this.#keep(HANDLES, all));
    });
  }

  /** She was deleted: what concerned her alone goes, and her name goes from the rest. */
  forget(subject: string): Promise<void> {
    return this.#change(async () => {
      for (const alert of await this.alerts()) {
        const subjects = alert.subjects.filter((each) => each !== subject);
        if (subjects.length === 0) {
          await this.#rows.remove(ALERT + alert.id);
        } else if (subjects.length < alert.subjects.length) {
          await this.#keep(ALERT + alert.id, { ...alert, subjects });
        }
      }
      const others = (await this.handles()).filter((each) => each.subject !== subject);
      await (others.length === 0 ? this.#rows.remove(HANDLES) : this.#keep(HANDLES, others));
    });
  }

  /** The vault is destroyed: without its key the rows are noise already. */
  clear(): Promise<void> {
    return this.#change(() => this.#rows.clear());
  }

  async #open(name: string, sealed: Bytes): Promise<unknown> {
    const plain = await this.#sealer.unseal(sealed, `inbox/${name}`);
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain));
    } catch (error) {
      throw new Failure("storage_damaged", { cause: error });
    }
  }

  async #keep(name: string, value: unknown): Promise<void> {
    const plain = new TextEncoder().encode(JSON.stringify(value));
    const padded = new Uint8Array(Math.ceil(plain.length / BLOCK) * BLOCK).fill(0x20); // JSON ends in white space
    padded.set(plain);
    await this.#rows.put(name, await this.#sealer.seal(padded, `inbox/${name}`));
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    // The next waits for this one, whether or not it succeeds.
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
