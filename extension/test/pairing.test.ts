/** Pairing and challenge, on the vectors that the companion runs. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  NotTheCompanion,
  clientMac,
  fromBase64Url,
  isCompanion,
  openToken,
  readCode,
  toBase64Url,
} from "../src/domain/pairing.ts";

const vectors = JSON.parse(readFileSync(new URL("../../tests/vectors/pairing_v1.json", import.meta.url), "utf-8"));
const { given } = vectors;
const exchange = {
  clientNonce: fromBase64Url(given.client_nonce),
  serverNonce: fromBase64Url(given.server_nonce),
  companionKey: fromBase64Url(given.companion_key),
  serverOrigin: given.server_origin,
  clientOrigin: given.client_origin,
};
const code = readCode(given.code_text) ?? assert.fail();
const proofOf = (vector: { server_mac: string; signature: string; sealed_token: string }) => ({
  serverMac: fromBase64Url(vector.server_mac),
  signature: fromBase64Url(vector.signature),
  sealedToken: fromBase64Url(vector.sealed_token),
});

for (const { text, code: expected, result } of vectors.codes) {
  test(`pairing_v1: the code ${JSON.stringify(text)} is ${result}`, () => {
    const read = readCode(text);
    assert.equal(read === null ? null : toBase64Url(read), result === "valid" ? expected : null);
  });
}

for (const vector of vectors.tests) {
  test(`pairing_v1: ${vector.id}`, async () => {
    const mac = toBase64Url(await clientMac(code, exchange));
    const opening = openToken(code, exchange, proofOf(vector));
    if (vector.result === "valid") {
      assert.equal(mac, vector.client_mac);
      assert.equal(await opening, given.token);
    } else {
      // A proof of another exchange: ours differs, and its answer opens nothing here.
      assert.notEqual(mac, vector.client_mac);
      await assert.rejects(opening, NotTheCompanion);
    }
  });
}

test("a companion that knows the code but not the key is refused, and the other way round", async () => {
  const [valid, other] = vectors.tests;
  await assert.rejects(openToken(code, exchange, { ...proofOf(valid), signature: proofOf(other).signature.with(3, 7) as never }), NotTheCompanion);
  await assert.rejects(openToken(code, exchange, { ...proofOf(valid), serverMac: proofOf(other).serverMac }), NotTheCompanion);
  await assert.rejects(openToken(code, exchange, { ...proofOf(valid), sealedToken: proofOf(other).sealedToken }), NotTheCompanion);
});

for (const { id, nonce, server_origin, signature, result } of vectors.identity) {
  test(`pairing_v1, identity: ${id}`, async () => {
    const holds = await isCompanion(exchange.companionKey, fromBase64Url(nonce), server_origin, fromBase64Url(signature));
    assert.equal(holds, result === "valid");
  });
}

test("what is no key signs nothing", async () => {
  const [{ nonce, server_origin, signature }] = vectors.identity;
  assert.equal(await isCompanion(fromBase64Url("AAEC"), fromBase64Url(nonce), server_origin, fromBase64Url(signature)), false);
});
