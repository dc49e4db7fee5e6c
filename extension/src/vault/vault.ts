/**
 * The vault: who is enrolled in this browser, sealed on the disk, open in memory while she lets it.
 *
 *     passphrase --Argon2id--> header --> epoch secrets --> key ring --> data key of a subject --> name, templates
 *     passkey    --PRF-------------------^
 *
 * The formats are the companion's, so that what is exported here opens there. Every change reads and writes the whole
 * record; `#turn` keeps changes one behind the other.
 */

import { fromBase64, toBase64 } from "../domain/base64.ts";
import { newSubjectId, newTemplateId } from "../domain/identifiers.ts";
import { MIN_CHARACTERS } from "../domain/passphrase.ts";
import { type Bytes, SealBroken, sealTemplate, unsealTemplate } from "../domain/sealed-template.ts";
import { openBackup, sealBackup } from "../domain/vault/backup.ts";
import { type StoredSubject, type StoredTemplate, UnknownContents, fromPayload, merged, toPayload, withoutSubject } from "../domain/vault/contents.ts";
import { buildHeader, openHeader } from "../domain/vault/header.ts";
import { KEY_BYTES, KeyRing, randomBytes } from "../domain/vault/keys.ts";
import { type Cost, DEFAULT_COST, SALT_BYTES, WrongPassphrase } from "../domain/vault/passphrases.ts";
import { sealText, unsealText } from "../domain/vault/sealed-text.ts";
import { Failure } from "../failure.ts";
import type { Secret, SubjectPolicy, VaultState } from "../messages.ts";
import { openByPasskey, wrappedByPasskey } from "./passkeys.ts";
import type { Session, VaultRecord, VaultStore } from "./ports.ts";

const NAME_LABEL = "name";
const DEFAULT_AUTO_LOCK_MINUTES = 30;
const MAX_AUTO_LOCK_MINUTES = 24 * 60;

/** A template in the open: lives in memory while the vault is open. */
export interface Reference {
  readonly subject: string;
  readonly policy: SubjectPolicy;
  readonly embedding: Float32Array;
}

interface Open {
  readonly ring: KeyRing;
  readonly names: ReadonlyMap<string, string>;
  readonly references: readonly Reference[];
}

type Epochs = ReadonlyMap<number, Bytes>;

export interface VaultParts {
  readonly store: VaultStore;
  readonly session: Session;
  /** The model that this engine embeds with, and how long its embeddings are. */
  readonly model: string;
  readonly dimension: number;
  readonly now: () => Date;
  readonly cost?: Cost;
  /** Told after every change, so that whoever shows or has remembered something looks again. */
  readonly changed: () => void;
}

export class Vault {
  readonly #parts: VaultParts;
  readonly #cost: Cost;
  #open: Promise<Open | null> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: VaultParts) {
    this.#parts = parts;
    this.#cost = parts.cost ?? DEFAULT_COST;
  }

  async state(): Promise<VaultState> {
    const record = await this.#parts.store.read();
    const open = record === null ? null : await this.#opened();
    return {
      state: record === null ? "none" : open === null ? "locked" : "open",
      subjects: record === null || open === null ? [] : record.subjects.map((each) => this.#summary(each, record, open)),
      autoLockMinutes: record?.autoLockMinutes ?? DEFAULT_AUTO_LOCK_MINUTES,
      hasPasskey: record !== null && record.passkey !== null,
    };
  }

  /** Every reference of the engine's model. @throws {Failure} `locked`; empty when there is no vault. */
  async references(): Promise<readonly Reference[]> {
    const open = await this.#opened();
    if (open === null && (await this.#parts.store.read()) !== null) {
      throw new Failure("locked");
    }
    return open?.references ?? [];
  }

  create(passphrase: string): Promise<VaultState> {
    return this.#change(async (record) => {
      if (record !== null) {
        throw new Failure("vault_exists");
      }
      requireLong(passphrase);
      const epochs = new Map([[1, randomBytes(KEY_BYTES)]]);
      await this.#parts.store.write(this.#emptyRecord(await this.#header(epochs, passphrase)));
      await this.#parts.session.keep(epochs);
    });
  }

  unlock(secret: Secret): Promise<VaultState> {
    return this.#change(async (record) => {
      await this.#parts.session.keep(await this.#epochs(record, secret));
    });
  }

  /** Whether it is she who sits there. @throws {Failure} `wrong_passphrase`, or for a passkey `passkey_refused`. */
  async verify(secret: Secret): Promise<void> {
    await this.#epochs(await this.#parts.store.read(), secret);
  }

  lock(): Promise<VaultState> {
    return this.#change(() => this.#parts.session.forget());
  }

  setAutoLock(minutes: number): Promise<VaultState> {
    if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_AUTO_LOCK_MINUTES) {
      throw new Failure("failed");
    }
    return this.#rewrite(async (record) => ({ ...record, autoLockMinutes: minutes }));
  }

  /** The passkey stays: what it opens is not changed. */
  setPassphrase(secret: Secret, passphrase: string): Promise<VaultState> {
    return this.#rewrite(async (record) => {
      requireLong(passphrase);
      const epochs = await this.#epochs(record, secret);
      return { ...record, header: await this.#header(epochs, passphrase) };
    });
  }

  async passkey(): Promise<{ readonly salt: string; readonly credential: string | null }> {
    const record = await this.#parts.store.read();
    if (record === null) {
      throw new Failure("not_found");
    }
    const credential = record.passkey === null ? null : toBase64(record.passkey.credential);
    return { salt: toBase64(record.passkeySalt), credential };
  }

  addPasskey(secret: Secret, credential: string, prf: string): Promise<VaultState> {
    return this.#rewrite(async (record) => {
      const epochs = await this.#epochs(record, secret);
      return { ...record, passkey: await wrappedByPasskey(epochs, fromBase64(credential), fromBase64(prf)) };
    });
  }

  removePasskey(): Promise<VaultState> {
    // A new salt: what the old passkey evaluates opens nothing here again.
    return this.#rewrite(async (record) => ({ ...record, passkey: null, passkeySalt: randomBytes(KEY_BYTES) }));
  }

  /** @throws {Failure} `name_taken`, if somebody is enrolled here under that name. */
  async enrol(name: string, policy: SubjectPolicy, embeddings: readonly Float32Array[]): Promise<string> {
    const subject = newSubjectId();
    await this.#rewrite(async (record) => {
      const { ring, names } = await this.#require();
      if ([...names.values()].includes(name)) {
        throw new Failure("name_taken");
      }
      const { key, wrapped } = await ring.newSubjectKey();
      const templates: StoredTemplate[] = [];
      for (const embedding of embeddings) {
        const place = { subject, template: newTemplateId(), model: this.#parts.model };
        templates.push({ ...place, sealed: await sealTemplate(embedding, key, place) });
      }
      const row: StoredSubject = {
        subject,
        wrappedKey: wrapped,
        sealedName: await sealText(name, key, subject, NAME_LABEL),
        policy,
        enrolledAt: this.#parts.now().toISOString(),
        carried: {},
      };
      return { ...record, subjects: [...record.subjects, row], templates: [...record.templates, ...templates] };
    });
    return subject;
  }

  /** Destroy her key and everything of hers. */
  async remove(subject: string, secret: Secret): Promise<void> {
    await this.#rewrite(async (record) => {
      await this.#epochs(record, secret);
      if (!record.subjects.some((each) => each.subject === subject)) {
        throw new Failure("not_found");
      }
      return {
        ...record,
        subjects: record.subjects.filter((each) => each.subject !== subject),
        templates: record.templates.filter((each) => each.subject !== subject),
        carried: withoutSubject(record.carried, subject),
      };
    });
  }

  async setPolicy(subject: string, policy: SubjectPolicy, secret: Secret): Promise<void> {
    await this.#rewrite(async (record) => {
      await this.#epochs(record, secret);
      if (!record.subjects.some((each) => each.subject === subject)) {
        throw new Failure("not_found");
      }
      const subjects = record.subjects.map((each) => (each.subject === subject ? { ...each, policy } : each));
      return { ...record, subjects };
    });
  }

  /** A file that this extension and the companion open, with a passphrase of its own. */
  async export(secret: Secret, passphrase: string): Promise<{ readonly file: Bytes; readonly subjects: number }> {
    requireLong(passphrase);
    const record = await this.#parts.store.read();
    const epochs = await this.#epochs(record, secret);
    if (record === null) {
      throw new Failure("not_found");
    }
    // The header inside opens with the file's passphrase too: that is what the companion unlocks with.
    const header = await this.#header(epochs, passphrase);
    const { subjects, templates, carried } = record;
    const payload = toPayload({ header, subjects, templates, carried });
    const file = await sealBackup(payload, passphrase, this.#cost, randomBytes(SALT_BYTES));
    return { file, subjects: subjects.length };
  }

  /**
   * Take in what was exported, here or from the companion. Where there is no vault yet, one is made with the file's
   * passphrase; into one that there is, those are added who are not known already. Nothing is overwritten.
   */
  async import(file: Bytes, passphrase: string): Promise<{ readonly added: number; readonly known: number }> {
    const { found, epochs } = await opened(file, passphrase);
    let known = 0;
    await this.#change(async (record) => {
      if (record === null) {
        await this.#parts.store.write({ ...this.#emptyRecord(found.header), ...found });
        await this.#parts.session.keep(epochs);
        return;
      }
      const { ring } = await this.#require();
      const from = await KeyRing.of(epochs);
      const here = new Set(record.subjects.map(({ subject }) => subject));
      const fresh = found.subjects.filter(({ subject }) => !here.has(subject));
      known = found.subjects.length - fresh.length;
      const subjects = [...record.subjects];
      for (const each of fresh) {
        subjects.push({ ...each, wrappedKey: await ring.adopt(each.wrappedKey, from) });
      }
      const templates = found.templates.filter(({ subject }) => !here.has(subject));
      const carried = merged(record.carried, found.carried, new Set(fresh.map(({ subject }) => subject)));
      await this.#parts.store.write({ ...record, subjects, templates: [...record.templates, ...templates], carried });
    });
    return { added: found.subjects.length - known, known };
  }

  destroy(): Promise<VaultState> {
    return this.#change(async () => {
      await this.#parts.session.forget();
      await this.#parts.store.write(null);
    });
  }

  /** Seal something of hers that is no template: evidence, the inbox. @throws {Failure} `locked`. */
  async seal(value: Bytes, label: string): Promise<Bytes> {
    return (await this.#require()).ring.sealHome(value, label);
  }

  /** @throws {Failure} `locked`, or `storage_damaged` if it is not what was sealed under that label. */
  async unseal(sealed: Bytes, label: string): Promise<Bytes> {
    const { ring } = await this.#require();
    return healthy(() => ring.unsealHome(sealed, label));
  }

  async #require(): Promise<Open> {
    const open = await this.#opened();
    if (open === null) {
      throw new Failure((await this.#parts.store.read()) === null ? "not_found" : "locked");
    }
    return open;
  }

  /** What is open now; read once, and again after every change. */
  #opened(): Promise<Open | null> {
    this.#open ??= this.#recalled().catch((error: unknown) => {
      this.#open = undefined;
      throw error;
    });
    return this.#open;
  }

  async #recalled(): Promise<Open | null> {
    const record = await this.#parts.store.read();
    const epochs = record === null ? null : await this.#parts.session.recall();
    if (record === null || epochs === null || epochs.size === 0) {
      return null;
    }
    const ring = await KeyRing.of(epochs);
    epochs.forEach((secret) => secret.fill(0));
    const names = new Map<string, string>();
    const references: Reference[] = [];
    const { model, dimension } = this.#parts;
    await healthy(async () => {
      for (const { subject, wrappedKey, sealedName, policy } of record.subjects) {
        const key = await ring.openSubjectKey(wrappedKey);
        names.set(subject, await unsealText(sealedName, key, subject, NAME_LABEL));
        for (const each of record.templates) {
          if (each.subject === subject && each.model === model) {
            references.push({ subject, policy, embedding: await unsealTemplate(each.sealed, key, each, dimension) });
          }
        }
      }
    });
    return { ring, names, references };
  }

  #summary(each: StoredSubject, record: VaultRecord, { names }: Open): VaultState["subjects"][number] {
    const templates = record.templates.filter(({ subject }) => subject === each.subject);
    return {
      subject: each.subject,
      name: names.get(each.subject) ?? "",
      enrolledAt: Math.floor(Date.parse(each.enrolledAt) / 1000),
      photos: templates.length,
      policy: each.policy,
      isCurrent: templates.some(({ model }) => model === this.#parts.model),
    };
  }

  #emptyRecord(header: Bytes): VaultRecord {
    return {
      header,
      subjects: [],
      templates: [],
      carried: {},
      passkey: null,
      passkeySalt: randomBytes(KEY_BYTES),
      autoLockMinutes: DEFAULT_AUTO_LOCK_MINUTES,
    };
  }

  #header(epochs: Epochs, passphrase: string): Promise<Bytes> {
    return buildHeader(epochs, passphrase, this.#cost, randomBytes(SALT_BYTES));
  }

  async #epochs(record: VaultRecord | null, secret: Secret): Promise<Epochs> {
    if (record === null) {
      throw new Failure("not_found");
    }
    try {
      return "prf" in secret ? await openByPasskey(record.passkey, fromBase64(secret.prf)) : await openHeader(record.header, secret.passphrase);
    } catch (error) {
      const isOther = error instanceof WrongPassphrase || error instanceof SealBroken;
      throw isOther ? new Failure("prf" in secret ? "passkey_refused" : "wrong_passphrase") : error;
    }
  }

  #rewrite(work: (record: VaultRecord) => Promise<VaultRecord>): Promise<VaultState> {
    return this.#change(async (record) => {
      if (record === null) {
        throw new Failure("not_found");
      }
      await this.#parts.store.write(await work(record));
    });
  }

  /** One change after the other; afterwards everything is read anew. */
  async #change(work: (record: VaultRecord | null) => Promise<void>): Promise<VaultState> {
    const turn = this.#turn.then(async () => work(await this.#parts.store.read()));
    // The next waits for this one, whether or not it succeeds.
    this.#turn = turn.catch(() => undefined);
    try {
      await turn;
    } finally {
      this.#open = undefined;
      this.#parts.changed();
    }
    return this.state();
  }
}

function requireLong(passphrase: string): void {
  if ([...passphrase.normalize("NFKC")].length < MIN_CHARACTERS || !passphrase.isWellFormed()) {
    throw new Failure("passphrase_too_short");
  }
}

async function opened(file: Bytes, passphrase: string): Promise<{ found: ReturnType<typeof fromPayload>; epochs: Epochs }> {
  try {
    const found = fromPayload(await openBackup(file, passphrase));
    return { found, epochs: await openHeader(found.header, passphrase) };
  } catch (error) {
    if (error instanceof WrongPassphrase) {
      throw new Failure("wrong_passphrase");
    }
    throw error instanceof UnknownContents ? new Failure("backup_unknown", { cause: error }) : error;
  }
}

async function healthy<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof SealBroken ? new Failure("storage_damaged", { cause: error }) : error;
  }
}
