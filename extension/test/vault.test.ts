/** The vault: what opens it, what it keeps, and that nothing of it lies in the clear. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { toBase64 } from "../src/domain/base64.ts";
import type { Bytes } from "../src/domain/sealed-template.ts";
import { Failure } from "../src/failure.ts";
import type { FailureCode } from "../src/messages.ts";
import type { Session, VaultRecord, VaultStore } from "../src/vault/ports.ts";
import { Vault } from "../src/vault/vault.ts";

const CHEAP = { memoryKib: 8192, passes: 1, lanes: 1 };
const PASSPHRASE = { passphrase: "plum ladder cobalt nine" };
const OTHER = { passphrase: "seven wet pebbles sing" };

class MemoryStore implements VaultStore {
  record: VaultRecord | null = null;
  read = async () => structuredClone(this.record);
  write = async (record: VaultRecord | null) => {
    this.record = structuredClone(record);
  };
}

class MemorySession implements Session {
  epochs: ReadonlyMap<number, Bytes> | null = null;
  recall = async () => structuredClone(this.epochs);
  keep = async (epochs: ReadonlyMap<number, Bytes>) => {
    this.epochs = structuredClone(epochs);
  };
  forget = async () => {
    this.epochs = null;
  };
}

function unit(...values: number[]): Float32Array {
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}

const home = (store = new MemoryStore(), session = new MemorySession()) => {
  const counter = { changes: 0 };
  const vault = new Vault({
    store,
    session,
    model: "m@1",
    dimension: 4,
    now: () => new Date(Date.UTC(2026, 0, 1)),
    cost: CHEAP,
    changed: () => {
      counter.changes += 1;
    },
  });
  return { vault, store, session, counter };
};

const fails = (work: Promise<unknown>, code: FailureCode): Promise<void> =>
  assert.rejects(work, (error) => error instanceof Failure && error.code === code);

test("without a vault nobody is enrolled, and nothing is locked", async () => {
  const { vault } = home();

  assert.deepEqual((await vault.state()).state, "none");
  assert.deepEqual(await vault.references(), []);
  await fails(vault.unlock(PASSPHRASE), "not_found");
});

test("who is enrolled is known while the vault is open, and only then", async () => {
  const { vault } = home();
  await vault.create(PASSPHRASE.passphrase);
  const subject = await vault.enrol("Ada", "every_edit", [unit(1, 2, 3, 4), unit(4, 3, 2, 1)]);

  const state = await vault.state();
  assert.deepEqual(state.subjects, [
    { subject, name: "Ada", enrolledAt: 1767225600, photos: 2, policy: "every_edit", isCurrent: true },
  ]);
  const references = await vault.references();
  assert.deepEqual(references.map(({ embedding }) => embedding), [unit(1, 2, 3, 4), unit(4, 3, 2, 1)]);

  const locked = await vault.lock();
  assert.deepEqual([locked.state, locked.subjects], ["locked", []]);
  await fails(vault.references(), "locked");
  await fails(vault.enrol("Bea", "every_edit", [unit(1, 0, 0, 0)]), "locked");
});

test("a wrong passphrase opens nothing", async () => {
  const { vault } = home();
  await vault.create(PASSPHRASE.passphrase);
  await vault.lock();

  await fails(vault.unlock({ passphrase: "plum ladder cobalt ten" }), "wrong_passphrase");
  assert.equal((await vault.state()).state, "locked");
  assert.equal((await vault.unlock(PASSPHRASE)).state, "open");
});

test("the passphrase is one in whichever way its letters are composed", async () => {
  const { vault } = home();
  await vault.create("crème brûlée at nine");
  await vault.lock();

  await vault.unlock({ passphrase: "crème brûlée at nine".normalize("NFD") });
});

test("a short passphrase makes no vault", async () => {
  const { vault, store } = home();

  await fails(vault.create("short"), "passphrase_too_short");
  assert.equal(store.record, null);
});

test("a second vault is never made over the first", async () => {
  const { vault } = home();
  await vault.create(PASSPHRASE.passphrase);

  await fails(vault.create(OTHER.passphrase), "vault_exists");
  await vault.unlock(PASSPHRASE);
});

test("what lies on the disk holds neither a template nor a name nor the key", async () => {
  const { vault, store, session } = home();
  await vault.create(PASSPHRASE.passphrase);
  const embedding = unit(0.1, -0.7, 0.3, 0.2);
  await vault.enrol("Ada Lovelace", "every_edit", [embedding]);

  const bytes = (value: unknown): Buffer[] =>
    ArrayBuffer.isView(value)
      ? [Buffer.from(value.buffer, value.byteOffset, value.byteLength)]
      : typeof value === "object" && value !== null
        ? Object.values(value).flatMap(bytes)
        : [Buffer.from(String(value))];
  const dump = Buffer.concat(bytes(store.record));
  assert.ok(dump.length > 200);
  assert.ok(!dump.includes(Buffer.from(embedding.buffer)));
  assert.ok(!dump.includes("Lovelace"));
  assert.ok(!dump.includes(PASSPHRASE.passphrase));
  for (const secret of session.epochs?.values() ?? []) {
    assert.ok(!dump.includes(Buffer.from(secret)));
    assert.ok(!dump.includes(toBase64(secret)));
  }
});

test("any changed byte of what is stored is an error, never another person", async () => {
  const { vault, store, session } = home();
  await vault.create(PASSPHRASE.passphrase);
  await vault.enrol("Ada", "every_edit", [unit(1, 2, 3, 4)]);
  const whole = structuredClone(store.record) as VaultRecord;
  const flipped = (bytes: Bytes, at: number): Bytes => bytes.with(at, (bytes[at] as number) ^ 1) as Bytes;

  const subject = whole.subjects[0] as VaultRecord["subjects"][number];
  const template = whole.templates[0] as VaultRecord["templates"][number];
  const damaged: Partial<VaultRecord>[] = [];
  for (let at = 0; at < template.sealed.length; at += 5) {
    damaged.push({ templates: [{ ...template, sealed: flipped(template.sealed, at) }] });
  }
  for (let at = 0; at < subject.wrappedKey.length; at += 7) {
    damaged.push({ subjects: [{ ...subject, wrappedKey: flipped(subject.wrappedKey, at) }] });
  }
  damaged.push({ subjects: [{ ...subject, sealedName: flipped(subject.sealedName, 20) }] });
  damaged.push({ templates: [{ ...template, template: "tpl_other" }] });
  for (const change of damaged) {
    const next = home(Object.assign(new MemoryStore(), { record: { ...whole, ...change } }), session);
    await fails(next.vault.references(), "storage_damaged");
  }
  const header = home(Object.assign(new MemoryStore(), { record: { ...whole, header: flipped(whole.header, 40) } }));
  await fails(header.vault.unlock(PASSPHRASE), "wrong_passphrase");
});

test("the background comes back to an open vault, a new browser to a locked one", async () => {
  const { vault, store, session } = home();
  await vault.create(PASSPHRASE.passphrase);
  await vault.enrol("Ada", "every_edit", [unit(1, 2, 3, 4)]);

  assert.equal((await home(store, session).vault.references()).length, 1);
  await fails(home(store, new MemorySession()).vault.references(), "locked");
});

test("a passkey opens the vault until it is removed", async () => {
  const { vault } = home();
  await vault.create(PASSPHRASE.passphrase);
  const prf = toBase64(new Uint8Array(32).fill(9));
  await fails(vault.unlock({ prf }), "passkey_refused");
  await fails(vault.addPasskey(OTHER, "AAEC", prf), "wrong_passphrase");

  await vault.addPasskey(PASSPHRASE, "AAEC", prf);
  await vault.setPassphrase({ prf }, OTHER.passphrase);
  await vault.lock();
  assert.equal((await vault.unlock({ prf })).hasPasskey, true);
  await fails(vault.unlock({ prf: toBase64(new Uint8Array(32).fill(8)) }), "passkey_refused");
  await fails(vault.unlock({ prf: "AAEC" }), "passkey_refused");

  const before = await vault.passkey();
  await vault.removePasskey();
  assert.notEqual((await vault.passkey()).salt, before.salt);
  await fails(vault.unlock({ prf }), "passkey_refused");
});

test("a new passphrase replaces the old", async () => {
  const { vault } = home();
  await vault.create(PASSPHRASE.passphrase);
  await vault.enrol("Ada", "every_edit", [unit(1, 2, 3, 4)]);

  await fails(vault.setPassphrase(OTHER, OTHER.passphrase), "wrong_passphrase");
  await vault.setPassphrase(PASSPHRASE, OTHER.passphrase);
  await vault.lock();
  await fails(vault.unlock(PASSPHRASE), "wrong_passphrase");
  assert.equal((await vault.unlock(OTHER)).subjects.length, 1);
});

test("whoever is deleted leaves nothing behind, and only her own word deletes her", async () => {
  const { vault, store } = home();
  await vault.create(PASSPHRASE.passphrase);
  const ada = await vault.enrol("Ada", "every_edit", [unit(1, 2, 3, 4)]);
  await vault.enrol("Bea", "every_edit", [unit(4, 3, 2, 1)]);

  await fails(vault.remove(ada, OTHER), "wrong_passphrase");
  await vault.remove(ada, PASSPHRASE);
  assert.ok(!JSON.stringify(store.record).includes(ada));
  assert.deepEqual((await vault.state()).subjects.map(({ name }) => name), ["Bea"]);
  await fails(vault.remove(ada, PASSPHRASE), "not_found");
});

test("what she protects is hers to change", async () => {
  const { vault } = home();
  await vault.create(PASSPHRASE.passphrase);
  const ada = await vault.enrol("Ada", "every_edit", [unit(1, 2, 3, 4)]);

  await fails(vault.setPolicy(ada, "intimate_and_impersonating", OTHER), "wrong_passphrase");
  await vault.setPolicy(ada, "intimate_and_impersonating", PASSPHRASE);
  assert.deepEqual((await vault.references()).map(({ policy }) => policy), ["intimate_and_impersonating"]);
});

test("one name is one person", async () => {
  const { vault } = home();
  await vault.create(PASSPHRASE.passphrase);
  await vault.enrol("Ada", "every_edit", [unit(1, 2, 3, 4)]);

  await fails(vault.enrol("Ada", "every_edit", [unit(4, 3, 2, 1)]), "name_taken");
});

test("an exported vault opens in another browser, with the file's passphrase", async () => {
  const { vault } = home();
  await vault.create(PASSPHRASE.passphrase);
  await vault.enrol("Ada", "every_edit", [unit(1, 2, 3, 4)]);
  await fails(vault.export(OTHER, OTHER.passphrase), "wrong_passphrase");
  const { file, subjects } = await vault.export(PASSPHRASE, OTHER.passphrase);
  assert.equal(subjects, 1);

  const empty = home().vault;
  await fails(empty.import(file, PASSPHRASE.passphrase), "wrong_passphrase");
  assert.deepEqual(await empty.import(file, OTHER.passphrase), { added: 1, known: 0 });
  await empty.lock();
  await empty.unlock(OTHER);
  assert.deepEqual((await empty.references()).map(({ embedding }) => embedding), [unit(1, 2, 3, 4)]);
});

test("importing adds whom the vault does not know, and changes nobody", async () => {
  const first = home().vault;
  await first.create(PASSPHRASE.passphrase);
  await first.enrol("Ada", "every_edit", [unit(1, 2, 3, 4)]);
  const { file } = await first.export(PASSPHRASE, PASSPHRASE.passphrase);

  const second = home().vault;
  await second.create(OTHER.passphrase);
  await second.enrol("Bea", "every_edit", [unit(4, 3, 2, 1)]);
  await second.lock();
  await fails(second.import(file, PASSPHRASE.passphrase), "locked");
  await second.unlock(OTHER);
  assert.deepEqual(await second.import(file, PASSPHRASE.passphrase), { added: 1, known: 0 });
  assert.deepEqual(await second.import(file, PASSPHRASE.passphrase), { added: 0, known: 1 });
  await second.lock();
  const { subjects } = await second.unlock(OTHER);
  assert.deepEqual(subjects.map(({ name }) => name), ["Bea", "Ada"]);
  assert.equal((await second.references()).length, 2);
});

test("what was destroyed is gone", async () => {
  const { vault, store, session } = home();
  await vault.create(PASSPHRASE.passphrase);
  await vault.enrol("Ada", "every_edit", [unit(1, 2, 3, 4)]);

  assert.equal((await vault.destroy()).state, "none");
  assert.deepEqual([store.record, session.epochs], [null, null]);
});

test("evidence is sealed to her", async () => {
  const { vault } = home();
  await vault.create(PASSPHRASE.passphrase);
  const sealed = await vault.seal(Uint8Array.of(1, 2, 3), "inbox");

  assert.deepEqual(await vault.unseal(sealed, "inbox"), Uint8Array.of(1, 2, 3));
  await fails(vault.unseal(sealed, "other"), "storage_damaged");
  await vault.lock();
  await fails(vault.unseal(sealed, "inbox"), "locked");
});

test("every change is told", async () => {
  const { vault, counter } = home();
  await vault.create(PASSPHRASE.passphrase);
  await vault.lock();
  await vault.unlock(PASSPHRASE);

  assert.equal(counter.changes, 3);
});

test("changes at once are made one after the other", async () => {
  const { vault } = home();
  await vault.create(PASSPHRASE.passphrase);
  await Promise.all(["Ada", "Bea", "Cleo"].map((name) => vault.enrol(name, "every_edit", [unit(1, 2, 3, 4)])));

  assert.equal((await vault.references()).length, 3);
});
