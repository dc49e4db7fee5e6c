/** A statement is found in whatever it was handed out in, and read under the keys that somebody believes. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { toHex } from "../src/domain/hex.ts";
import { toBase64Url } from "../src/domain/pairing.ts";
import type { Bytes } from "../src/domain/sealed-template.ts";
import { fromBase64, joined, StatementInvalid, utf8 } from "../src/domain/statements/forms.ts";
import { sha256, thumbprint } from "../src/domain/statements/keys.ts";
import { commitmentTo, leafHash } from "../src/domain/statements/log.ts";
import { NotReadable, believedKeys, believedLog, given, read } from "../src/domain/statements/reading.ts";

const vectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), "utf-8"));
const receipts = vectors("receipt_v1");
const tokens = vectors("consent_token_v1");
const proved = vectors("log_v1").tests.find(({ id }: { id: string }) => id === "proof: a proved receipt").input;
const erasures = vectors("erasure_v1");
const { jws } = receipts.receipt;
const keys = await believedKeys(JSON.stringify(receipts.jwks));

const FORMS: Readonly<Record<string, string>> = {
  "as it is": jws,
  "with a line break": `${jws}\n`,
  "in lines, as in a letter": jws.replace(/.{60}/g, "$&\r\n  "),
  "in the answer to a check": JSON.stringify({ format: "consentry.verdict/1", score: 0.5, receipt: jws, salts: {} }),
  "in a list of receipts": JSON.stringify({ receipts: [{ check_id: "chk_a", receipt: jws }] }),
};

for (const [how, text] of Object.entries(FORMS)) {
  test(`a receipt is found ${how}`, async () => {
    const reading = await read(given(text), keys, null);
    assert.equal(reading.kind, "receipt");
    assert.equal(given(text).jws, jws);
  });
}

for (const [what, text] of Object.entries({
  nothing: "",
  words: "hello",
  "an empty object": "{}",
  "JSON that is none": '{"receipt": ',
  "a token of another kind": `${toBase64Url(utf8('{"alg":"EdDSA","kid":"a","typ":"JWT"}'))}.e30.AA`,
  "a list": "[1]",
})) {
  test(`${what} is no statement`, () => assert.throws(() => given(text), NotReadable));
}

const forged = `${jws.slice(0, -8)}AAAAAAAA`;
const deep = (value: object, levels: number): object => (levels === 0 ? value : { more: deep(value, levels - 1) });

for (const [how, found] of Object.entries({
  "in a list": { receipts: [{ receipt: jws }, { receipt: forged }] },
  "beneath the first": { receipt: jws, more: { receipt: forged } },
  "under another name": { receipt: jws, jws: forged },
  "deep within": { receipt: jws, more: deep({ receipt: forged }, 9) },
  "twice the same": { receipts: [{ receipt: jws }, { receipt: jws }] },
})) {
  test(`of two receipts, ${how}, none is chosen`, () => {
    const several = (error: unknown) => error instanceof NotReadable && error.field === "statement" && error.isSeveral;
    assert.throws(() => given(JSON.stringify(found)), several);
  });
}

test("a text of many thousand levels is read to its end", () => {
  const text = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)},"receipt":${JSON.stringify(jws)}}`;
  assert.equal(given(text).jws, jws);
});

test("a receipt that was changed, or is of other keys, does not hold", async () => {
  const others = await believedKeys(JSON.stringify(tokens.key));
  await assert.rejects(read(given(jws), others, null), StatementInvalid);
  const [head, payload, signature] = jws.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  const changed = toBase64Url(utf8(JSON.stringify({ ...claims, verdict: "allow" })));
  await assert.rejects(read(given(`${head}.${changed}.${signature}`), keys, null), StatementInvalid);
});

for (const [what, text] of Object.entries({
  nothing: "",
  "no JSON": "keys",
  "an empty set": '{"keys": []}',
  "a set without a key that signs": '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}',
  "a key of another length": '{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}',
})) {
  test(`${what} is nothing to believe`, () => assert.rejects(believedKeys(text), NotReadable));
}

test("a single key is a set of one", async () => {
  assert.equal((await believedKeys(JSON.stringify(tokens.key))).size, 1);
});

// -- the log

const loggedKeys = await believedKeys(JSON.stringify(proved.jwks));
const document = JSON.stringify({ format: "consentry.receipt-proof/1", receipt: proved.receipt, proof: proved.proof });
const vkey = /^log (\S+)$/m.exec(proved.policy)?.[1] ?? "";
const witnessKey = /^witness \S+ (\S+)$/m.exec(proved.policy)?.[1] ?? "";
const [ORIGIN = ""] = vkey.split("+", 1);

/** The same key under another name, with the ID that it then has. */
async function renamed(key: string, name: string): Promise<string> {
  const material = key.split("+").slice(2).join("+");
  const hash = await sha256(joined(utf8(`${name}\n`), fromBase64(material)));
  return `${name}+${toHex(hash.slice(0, 4))}+${material}`;
}

for (const [what, text, witnesses] of [
  ["its key alone", vkey, 0],
  ["a policy with a witness", proved.policy, 1],
  ["a policy with a group", proved.policy.replace("quorum w", "group any-of-them any w\nquorum any-of-them"), 1],
  ["a policy that asks for no witness", proved.policy.replace("quorum w", "quorum none"), 0],
] as const) {
  test(`a place in the log holds under ${what}`, async () => {
    const reading = await read(given(document), loggedKeys, await believedLog(text));
    assert.ok(reading.kind === "receipt");
    assert.deepEqual(reading.log, { state: "holds", origin: ORIGIN, size: 260, witnesses });
  });
}

test("a receipt is genuine and its place is not: both are said", async () => {
  const other = await renamed(vkey, "log.example/other");
  const reading = await read(given(document), loggedKeys, await believedLog(other));
  assert.ok(reading.kind === "receipt");
  assert.deepEqual(reading.log, { state: "broken" });
});

test("what was not looked at is said to be so", async () => {
  const unproved = await read(given(proved.receipt), loggedKeys, await believedLog(vkey));
  const unbelieved = await read(given(document), loggedKeys, await believedLog(" \n# nobody\n"));
  const unnamed = await read(given(jws), keys, await believedLog(vkey));
  assert.deepEqual(
    [unproved, unbelieved, unnamed].map((each) => each.kind === "receipt" && each.log.state),
    ["no_proof", "no_key", "unnamed"],
  );
});

for (const text of ["hello", "hello world", `log ${vkey}`, `log ${vkey}\nquorum w`, proved.policy.replace("quorum w", "group g 2 w\nquorum g"), proved.policy.replace("quorum", "qourum")]) {
  test(`${JSON.stringify(text.slice(0, 20))}… is nobody to believe about a log`, () => assert.rejects(believedLog(text), NotReadable));
}

const mistyped = (key: string): string => key.replace(/.(?==*$)/, (letter) => (letter === "A" ? "B" : "A"));

for (const [what, text] of Object.entries({
  "with a changed letter in its name": vkey.replace("log.example", "log.exampel"),
  "with a changed letter in its ID": vkey.replace(/\+./, (found) => (found === "+0" ? "+1" : "+0")),
  "with a changed letter in its key": mistyped(vkey),
  "that lost its end": vkey.slice(0, -4),
  "of a witness": witnessKey,
  "of a witness, in a policy": `log ${witnessKey}\nquorum none`,
  "beside a mistyped one of a witness": proved.policy.replace(witnessKey, mistyped(witnessKey)),
  "beside a log's in a witness's place": proved.policy.replace(witnessKey, vkey),
})) {
  test(`a key ${what} accuses nobody: it is no key of a log`, async () => {
    await assert.rejects(believedLog(text), (error) => error instanceof NotReadable && error.field === "log");
  });
}

// -- consent tokens

test("a consent token is read with whoever issued it", async () => {
  const reading = await read(given(JSON.stringify({ token: tokens.tests[0].input.jws })), await believedKeys(JSON.stringify(tokens.key)), null);
  assert.ok(reading.kind === "token");
  assert.equal(reading.issuer, tokens.issuer);
  await assert.rejects(read(given(tokens.tests[0].input.jws), keys, null), StatementInvalid);
});

// -- erasure receipts: those of the vectors, and such as are signed here as the specification says

const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
const jwk = JSON.stringify({ kty: "OKP", crv: "Ed25519", x: toBase64Url(publicKey) });
const SUBJECT = "sub_aaaaaaaaaaaaaaaaaaaaaaaaaa";
const salt = new Uint8Array(32).fill(7);

async function signed(claims: object, type = "consentry-erasure+jwt"): Promise<string> {
  const header = { alg: "EdDSA", kid: await thumbprint(publicKey), typ: type };
  const input = [header, claims].map((each) => toBase64Url(utf8(JSON.stringify(each)))).join(".");
  const signature = await crypto.subtle.sign("Ed25519", pair.privateKey, utf8(input));
  return `${input}.${toBase64Url(new Uint8Array(signature))}`;
}

async function entryOf(subject: string): Promise<Bytes> {
  const change = await commitmentTo("change", JSON.stringify({ change: "revoked", subject }), salt);
  return utf8(JSON.stringify({ change, day: "2026-11-22", kind: "subject", v: 1 }));
}

async function erasure(): Promise<{ claims: object; entries: object[] }> {
  const entry = await entryOf(SUBJECT);
  const digest = await sha256(await leafHash(entry));
  return {
    claims: {
      iss: "https://consentry.example",
      jti: "ers_a",
      iat: 1795262400,
      scope: "person",
      people: 1,
      destroyed: { templates: 3, subjects: 1 },
      entries: toBase64Url(digest),
      log: null,
    },
    entries: [{ subject: SUBJECT, entry: toBase64Url(entry), salt: toBase64Url(salt) }],
  };
}

test("an erasure receipt says what was destroyed, and with its entries of whom", async () => {
  const { claims, entries } = await erasure();
  const receipt = await signed(claims);
  const alone = await read(given(receipt), await believedKeys(jwk), null);
  const whole = await read(given(JSON.stringify({ receipt, entries })), await believedKeys(jwk), null);
  assert.ok(alone.kind === "erasure" && whole.kind === "erasure");
  assert.deepEqual([alone.subjects, whole.subjects], [null, [SUBJECT]]);
  assert.deepEqual(Object.fromEntries(whole.claims.destroyed), { templates: 3, subjects: 1 });
});

test("an erasure receipt with entries that are not its own does not hold", async () => {
  const { claims, entries } = await erasure();
  const receipt = await signed(claims);
  const other = await entryOf("sub_bbbbbbbbbbbbbbbbbbbbbbbbbb");
  for (const changed of [
    [],
    [...entries, ...entries],
    [{ ...entries[0], subject: "sub_bbbbbbbbbbbbbbbbbbbbbbbbbb" }],
    [{ ...entries[0], salt: toBase64Url(new Uint8Array(32)) }],
    [{ ...entries[0], entry: toBase64Url(other) }],
  ]) {
    await assert.rejects(read(given(JSON.stringify({ receipt, entries: changed })), await believedKeys(jwk), null), StatementInvalid);
  }
});

const { input: erased } = erasures.tests.find(({ id }: { id: string }) => id === "three people, proved");
const erasedKeys = await believedKeys(JSON.stringify(erasures.jwks));

async function logged(document: object, policy: string) {
  const reading = await read(given(JSON.stringify({ ...erased, ...document })), erasedKeys, await believedLog(policy));
  assert.ok(reading.kind === "erasure");
  return reading.log;
}

test("an erasure receipt is proved by the proofs that came with it", async () => {
  const holds = { state: "holds", origin: ORIGIN, size: 260, witnesses: 1 };
  assert.deepEqual(await logged({}, erased.policy), holds);
  // Whoever does not want to say of whom it is can still show that the log has it.
  assert.deepEqual(await logged({ entries: undefined }, erased.policy), holds);
});

test("an erasure receipt is genuine and its proofs are not: both are said", async () => {
  const other = await renamed(vkey, "log.example/other");
  assert.deepEqual(await logged({}, other), { state: "broken" });
  assert.deepEqual(await logged({ proofs: erased.proofs.slice(1) }, erased.policy), { state: "broken" });
  assert.deepEqual(await logged({ proofs: ["a proof"] }, erased.policy), { state: "broken" });
});

test("proofs of an erasure that were not looked at are said to be so", async () => {
  assert.deepEqual(await logged({}, ""), { state: "no_key" });
  assert.deepEqual(await logged({ proofs: undefined }, erased.policy), { state: "no_proof" });
  assert.deepEqual(await logged({ proofs: [] }, erased.policy), { state: "no_proof" });
  await assert.rejects(logged({ proofs: [1] }, erased.policy), NotReadable);
});

test("an erasure receipt that names no log says so, unless proofs show it in one", async () => {
  const { input } = erasures.tests.find(({ id }: { id: string }) => id === "a home without a log, proved later");
  assert.deepEqual(await logged(input, ""), { state: "unnamed" });
  assert.equal((await logged(input, input.policy)).state, "holds");
  assert.deepEqual(await logged(input, await renamed(vkey, "log.example/other")), { state: "broken" });
});

for (const [what, change] of Object.entries({
  "a claim too many": { more: 1 },
  "another scope": { scope: "town" },
  "people that are no number": { people: "1" },
  "a short digest": { entries: "AAAA" },
  "a time beyond the calendar": { iat: 253_402_300_800 },
  "a log without a name": { log: "" },
})) {
  test(`an erasure receipt with ${what} does not hold`, async () => {
    const { claims } = await erasure();
    await assert.rejects(read(given(await signed({ ...claims, ...change })), await believedKeys(jwk), null), StatementInvalid);
  });
}

test("no statement passes for one of another kind", async () => {
  const { claims } = await erasure();
  const receipt = await signed(claims, "consentry-receipt+jwt");
  await assert.rejects(read(given(receipt), await believedKeys(jwk), null), StatementInvalid);
});
