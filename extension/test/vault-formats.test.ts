/** The browser opens what the server seals, and refuses what the server refuses: the same vectors. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { toHex } from "../src/domain/hex.ts";
import { type Bytes, SealBroken } from "../src/domain/sealed-template.ts";
import { openBackup, sealBackup } from "../src/domain/vault/backup.ts";
import { buildHeader, openHeader } from "../src/domain/vault/header.ts";
import { KeyRing } from "../src/domain/vault/keys.ts";
import { WrongPassphrase } from "../src/domain/vault/passphrases.ts";
import { sealText, unsealText } from "../src/domain/vault/sealed-text.ts";

const vectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), "utf-8"));
const unhex = (text: string): Bytes => Uint8Array.from(Buffer.from(text, "hex"));
const unbase64 = (text: string): Bytes => Uint8Array.from(Buffer.from(text, "base64"));
const CHEAP = { memoryKib: 8192, passes: 1, lanes: 1 };
const salt = unhex("80".repeat(16));

for (const { id, input, result, output } of vectors("vault_header_v1").tests) {
  test(`vault_header_v1: ${id}`, async () => {
    const opening = openHeader(unhex(input.header), input.passphrase);
    if (result === "invalid") {
      await assert.rejects(opening, WrongPassphrase);
      return;
    }
    const epochs = await opening;
    assert.deepEqual(
      Object.fromEntries([...epochs].map(([number, secret]) => [String(number), toHex(secret)])),
      output.epochs,
    );
  });
}

const backups = vectors("backup_v1");
for (const { id, input, result, output } of backups.tests) {
  test(`backup_v1: ${id}`, async () => {
    const file = input.parts
      ? Buffer.concat(input.parts.map((part: string) => unbase64(backups.parts[part])))
      : unbase64(input.data);
    const opening = openBackup(Uint8Array.from(file), input.passphrase);
    if (result === "invalid") {
      await assert.rejects(opening, WrongPassphrase);
      return;
    }
    const payload = await opening;
    assert.equal(payload.length, output.size);
    assert.equal(createHash("sha256").update(payload).digest("hex"), output.sha256);
  });
}

test("a header that is built opens with its passphrase alone", async () => {
  const epochs = new Map([[2, unhex("22".repeat(32))], [1, unhex("11".repeat(32))]]);
  const header = await buildHeader(epochs, "plum ladder cobalt nine", CHEAP, salt);

  assert.deepEqual([...(await openHeader(header, "plum ladder cobalt nine"))], [...epochs].reverse());
  await assert.rejects(openHeader(header, "plum ladder cobalt ten"), WrongPassphrase);
});

for (const size of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
  test(`a backup of ${size} bytes comes back, and with a flipped bit it does not`, async () => {
    const payload = Uint8Array.from({ length: size }, (_, i) => i % 251);
    const file = await sealBackup(payload, "plum ladder cobalt nine", CHEAP, salt);

    assert.deepEqual(await openBackup(file, "plum ladder cobalt nine"), payload);
    const broken = file.slice();
    broken[file.length - 1] = (broken[file.length - 1] as number) ^ 1;
    await assert.rejects(openBackup(broken, "plum ladder cobalt nine"), WrongPassphrase);
  });
}

const ring = await KeyRing.of(new Map([[1, unhex("11".repeat(32))]]));
const other = await KeyRing.of(new Map([[1, unhex("22".repeat(32))], [7, unhex("33".repeat(32))]]));

test("a data key opens in its own ring only, and cannot be exported", async () => {
  const { key, wrapped } = await ring.newSubjectKey();

  await assert.rejects(crypto.subtle.exportKey("raw", key));
  await ring.openSubjectKey(wrapped);
  await assert.rejects(other.openSubjectKey(wrapped), SealBroken);
  await assert.rejects(ring.openSubjectKey(wrapped.subarray(1)), SealBroken);
});

test("a data key that moves to another ring opens what it sealed", async () => {
  const { key, wrapped } = await ring.newSubjectKey();
  const sealed = await sealText("Ada", key, "sub_a", "name");
  const adopted = await other.adopt(wrapped, ring);

  assert.equal(await unsealText(sealed, await other.openSubjectKey(adopted), "sub_a", "name"), "Ada");
});

test("a name opens as itself only, and its length does not show", async () => {
  const { key } = await ring.newSubjectKey();
  const sealed = await sealText("Ada", key, "sub_a", "name");

  assert.equal(sealed.length, (await sealText("Ada Lovelace, Countess", key, "sub_a", "name")).length);
  await assert.rejects(unsealText(sealed, key, "sub_b", "name"), SealBroken);
  await assert.rejects(unsealText(sealed, key, "sub_a", "handle"), SealBroken);
});

test("a value of the home opens under its label only", async () => {
  const sealed = await ring.sealHome(unhex("c0ffee"), "inbox");

  assert.deepEqual(await ring.unsealHome(sealed, "inbox"), unhex("c0ffee"));
  await assert.rejects(ring.unsealHome(sealed, "evidence"), SealBroken);
  await assert.rejects(other.unsealHome(sealed, "inbox"), SealBroken);
  for (let at = 0; at < sealed.length; at++) {
    const broken = sealed.slice();
    broken[at] = (broken[at] as number) ^ 1;
    await assert.rejects(ring.unsealHome(broken, "inbox"), SealBroken);
  }
});
