/** What the server signs is what the browser verifies, and what one refuses the other refuses: the same vectors. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { toBase64Url } from "../src/domain/pairing.ts";
import type { Bytes } from "../src/domain/sealed-template.ts";
import { pictureDigest, readToken, wordsDigest } from "../src/domain/statements/consent-token.ts";
import { requireAbout, requireLogged, verifyErasure } from "../src/domain/statements/erasure.ts";
import { fromBase64, fromBase64Url, objectOf, StatementInvalid, utf8 } from "../src/domain/statements/forms.ts";
import { keysOf } from "../src/domain/statements/keys.ts";
import { commitmentTo, leafHash, nodeHash, readEntry, verifyLogged } from "../src/domain/statements/log.ts";
import { verifyInputs, verifyReceipt } from "../src/domain/statements/receipt.ts";

const vectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), "utf-8"));
const receipts = vectors("receipt_v1");
const tokens = vectors("consent_token_v1");
const log = vectors("log_v1").tests as readonly Vector[];
const erasures = vectors("erasure_v1");

interface Vector {
  readonly id: string;
  readonly input: never;
  readonly result: string;
  readonly output: never;
}

const of = <Input, Output>(kind: string) =>
  log
    .filter((vector) => vector.id.startsWith(`${kind}: `))
    .map(({ id, input, result, output }) => ({ id, input: input as Input, result, output: output as Output }));

const plain = (bytes: readonly Bytes[]) => bytes.map(toBase64Url);

// -- receipts

for (const { id, jws, result } of receipts.tests) {
  test(`receipt_v1: ${id}`, async () => {
    const verifying = verifyReceipt(jws, await keysOf(receipts.jwks));
    if (result === "invalid") {
      await assert.rejects(verifying, StatementInvalid);
      return;
    }
    const claims = await verifying;
    const payload = JSON.parse(Buffer.from(jws.split(".")[1], "base64url").toString());
    assert.deepEqual(
      {
        iss: claims.issuer,
        jti: claims.check,
        iat: claims.issuedAt,
        mode: "act",
        verdict: claims.verdict,
        reasons: claims.reasons,
        obligations: claims.obligations,
        policy: claims.policy,
        engines: Object.fromEntries(claims.engines),
        images: plain(claims.images),
        prompt: claims.prompt && toBase64Url(claims.prompt),
        context: plain(claims.context),
        circumstances: toBase64Url(claims.circumstances),
      },
      payload,
    );
  });
}

function asked() {
  const { inputs, salts } = receipts.receipt;
  return {
    inputs: { ...inputs, images: inputs.images.map((each: string) => fromBase64Url(each)) },
    salts: {
      images: salts.images.map(fromBase64Url),
      prompt: salts.prompt && fromBase64Url(salts.prompt),
      context: salts.context.map(fromBase64Url),
      circumstances: fromBase64Url(salts.circumstances),
    },
  };
}

test("a receipt is about its inputs, with its salts", async () => {
  const claims = await verifyReceipt(receipts.receipt.jws, await keysOf(receipts.jwks));
  const { inputs, salts } = asked();
  await verifyInputs(claims, salts, inputs);
});

for (const [what, change] of Object.entries({
  "another prompt": { prompt: "something else" },
  "no prompt": { prompt: null },
  "a picture too few": { images: [] },
  "a turn too many": { context: ["one", "two", "three", "four"] },
  "another platform": { platform: "elsewhere.example" },
  "another region": { region: null },
})) {
  test(`a receipt is not about ${what}`, async () => {
    const claims = await verifyReceipt(receipts.receipt.jws, await keysOf(receipts.jwks));
    const { inputs, salts } = asked();
    await assert.rejects(verifyInputs(claims, salts, { ...inputs, ...change }), StatementInvalid);
  });
}

test("pictures in another order are other pictures", async () => {
  const claims = await verifyReceipt(receipts.receipt.jws, await keysOf(receipts.jwks));
  const { inputs, salts } = asked();
  await assert.rejects(verifyInputs(claims, salts, { ...inputs, images: inputs.images.toReversed() }), StatementInvalid);
});

test("a receipt is believed by the keys of its issuer alone", async () => {
  const [valid] = receipts.tests;
  await assert.rejects(verifyReceipt(valid.jws, await keysOf({ keys: [] })), StatementInvalid);
  await assert.rejects(verifyReceipt(valid.jws, await keysOf({ keys: [tokens.key] })), StatementInvalid);
});

// -- consent tokens

for (const { id, input, result, output } of tokens.tests) {
  test(`consent_token_v1: ${id}`, async () => {
    const found = await readToken(input.jws, tokens.issuer, await keysOf({ keys: [tokens.key] }));
    if (result === "invalid") {
      assert.equal(found, null);
      return;
    }
    assert.ok(found);
    assert.deepEqual(
      {
        iss: tokens.issuer,
        jti: found.token,
        aud: found.platform,
        iat: found.issuedAt,
        exp: found.validUntil,
        purpose: found.purpose,
        region: found.region,
        prompt: found.words && toBase64Url(found.words),
        images: plain(found.images),
      },
      output,
    );
  });
}

for (const { id, prompt, context, image, output } of tokens.digests) {
  test(`consent_token_v1, digest: ${id}`, async () => {
    const salt = fromBase64Url(tokens.salt);
    const made =
      image === undefined ? wordsDigest(salt, prompt, context) : pictureDigest(salt, fromBase64Url(image));
    assert.equal(toBase64Url(await made), output);
  });
}

test("a receipt is no token, and a token no receipt", async () => {
  const both = await keysOf({ keys: [tokens.key, ...receipts.jwks.keys] });
  const [token] = tokens.tests;
  const [receipt] = receipts.tests;
  assert.equal(await readToken(receipt.jws, tokens.issuer, both), null);
  await assert.rejects(verifyReceipt(token.input.jws, both), StatementInvalid);
});

// -- the log

interface EntryInput {
  readonly entry: string;
  readonly salt: string;
  readonly values: Readonly<Record<string, string>>;
}
interface EntryOutput {
  readonly leaf_hash: string;
  readonly commitments: Readonly<Record<string, string>>;
}

for (const { id, input, result, output } of of<EntryInput, EntryOutput>("entry")) {
  test(`log_v1: ${id}`, async () => {
    const bytes = fromBase64(input.entry);
    if (result === "invalid") {
      assert.throws(() => readEntry(bytes), StatementInvalid);
      return;
    }
    const entry = readEntry(bytes);
    assert.deepEqual(await leafHash(bytes), fromBase64(output.leaf_hash));
    const salt = fromBase64(input.salt);
    for (const [name, value] of Object.entries(input.values)) {
      const made = await commitmentTo(name, value, salt);
      assert.equal(made, output.commitments[name]);
      assert.equal(made, entry[name]);
    }
  });
}

interface ProofInput {
  readonly receipt: string;
  readonly proof: string;
  readonly policy: string;
  readonly jwks: never;
}

const keyIn = (policy: string, kind: RegExp) => kind.exec(policy)?.[1];

function trustIn(policy: string) {
  const witness = keyIn(policy, /^witness \S+ (\S+)$/m);
  return {
    log: keyIn(policy, /^log (\S+)$/m) ?? "nobody+00000000+AQ==",
    witnesses: witness === undefined ? [] : [witness],
    quorum: witness === undefined ? 0 : 1,
  };
}

for (const { id, input, result, output } of of<ProofInput, Readonly<Record<string, unknown>>>("proof")) {
  test(`log_v1: ${id}`, async () => {
    const verifying = verifyLogged(input.receipt, input.proof, await keysOf(input.jwks), trustIn(input.policy));
    if (result === "invalid") {
      await assert.rejects(verifying, StatementInvalid);
      return;
    }
    const { claims, size } = await verifying;
    assert.deepEqual({ ...claims.log, size, verdict: claims.verdict }, output);
  });
}

async function rootOf(leaves: readonly Bytes[]): Promise<Bytes> {
  const [only] = leaves;
  if (only && leaves.length === 1) {
    return only;
  }
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return nodeHash(await rootOf(leaves.slice(0, split)), await rootOf(leaves.slice(split)));
}

// The three large trees are the server's to hash: 400,000 digests, each with a wait, are no test of anything else.
for (const { id, input, output } of of<{ size: number }, { root: string }>("root").filter(({ input }) => input.size < 1000)) {
  test(`log_v1: ${id}`, async () => {
    const leaves = await Promise.all(Array.from({ length: input.size }, (_, i) => leafHash(utf8(`entry ${i}`))));
    assert.deepEqual(await rootOf(leaves), fromBase64(output.root));
  });
}

// -- erasure receipts

for (const { id, input, result, output } of erasures.tests) {
  test(`erasure_v1: ${id}`, async () => {
    const { receipt, entries, proofs, policy } = input;
    const verify = async () => {
      const claims = await verifyErasure(receipt, await keysOf(erasures.jwks));
      if (entries.length > 0) {
        await requireAbout(
          claims,
          entries.map((each: Readonly<Record<"subject" | "entry" | "salt", string>>) => ({
            subject: each.subject,
            entry: fromBase64Url(each.entry),
            salt: fromBase64Url(each.salt),
          })),
        );
      }
      if (proofs.length > 0) {
        await requireLogged(claims, proofs, trustIn(policy));
      }
      return claims;
    };
    if (result === "invalid") {
      await assert.rejects(verify(), StatementInvalid);
      return;
    }
    const claims = await verify();
    assert.deepEqual(
      {
        iss: claims.issuer,
        jti: claims.erasure,
        iat: claims.erasedAt,
        scope: claims.scope,
        people: claims.people,
        destroyed: Object.fromEntries(claims.destroyed),
        entries: toBase64Url(claims.entries),
        log: claims.log,
      },
      output,
    );
  });
}

// -- forms

for (const text of ['{"a":1,"a":1}', '{"a":1.0}', '{"a":1e2}', '{"a":-0}', '{"a":01}', '{"a":9007199254740992}', '{"a":1}x', "[]",
  '\ufeff{"a":1}', '{"a":"\n"}', '{"a":}', "{a:1}", '{"a":1,}', "", "NaN", `${'{"a":'.repeat(99)}1${"}".repeat(99)}`]) {
  test(`what has more than one reading is no statement: ${text.slice(0, 24)}`, () => {
    assert.throws(() => objectOf(utf8(text)), StatementInvalid);
  });
}

test("a member that is called like a property of every object is a member", () => {
  const found = objectOf(utf8('{"__proto__":{"x":1},"constructor":2}'));
  assert.deepEqual(Object.keys(found), ["__proto__", "constructor"]);
});
