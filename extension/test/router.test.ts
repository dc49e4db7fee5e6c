/** Who may ask what, and what is said when something goes wrong. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { type Handlers, answer } from "../src/background/router.ts";
import { Failure } from "../src/failure.ts";
import { CONTENT_KINDS, type Envelope, type Kind } from "../src/messages.ts";

const OWN = "chrome-extension://abc/";
const ownPage = { id: "abc", url: `${OWN}pages/popup/popup.html` } as chrome.runtime.MessageSender;
const content = { id: "abc", url: "https://feed.example/", tab: { id: 7 }, frameId: 0 } as chrome.runtime.MessageSender;

const asked = <K extends Kind>(kind: K, ask: object = {}): Envelope => ({ to: "background", kind, ask }) as Envelope;

test("a page's content script is answered what concerns pages, and nothing else", async () => {
  const secret: Kind[] = ["vault.state", "vault.unlock", "vault.export", "enrol.photo", "subject.delete", "inbox.list", "upload.release"];
  const handlers = Object.fromEntries(
    [...secret, "picture.check"].map((kind) => [kind, async () => ({ checked: true })]),
  ) as unknown as Handlers;

  for (const kind of secret) {
    assert.ok(!CONTENT_KINDS.has(kind));
    assert.deepEqual(await answer(handlers, asked(kind), content, OWN), { error: "forbidden" });
    assert.ok("answer" in (await answer(handlers, asked(kind), ownPage, OWN)));
  }
  assert.ok("answer" in (await answer(handlers, asked("picture.check"), content, OWN)));
});

test("a page that only begins like one of ours is none", async () => {
  const handlers: Handlers = { "vault.lock": async () => assert.fail() };
  for (const url of ["chrome-extension://abcd/x.html", "https://chrome-extension//abc/", undefined]) {
    const from = { id: "abc", url } as chrome.runtime.MessageSender;
    assert.deepEqual(await answer(handlers, asked("vault.lock"), from, OWN), { error: "forbidden" });
  }
});

test("what nobody handles, and what every object has, is unknown", async () => {
  for (const kind of ["vault.state", "toString", "__proto__", "constructor"]) {
    assert.deepEqual(await answer({}, asked(kind as Kind), ownPage, OWN), { error: "unknown_message" });
  }
});

test("a handler learns where it is asked from, as the browser says", async () => {
  const seen: unknown[] = [];
  const handlers: Handlers = {
    "engine.state": async (_, sender) => {
      seen.push(sender);
      return { state: "ready", engine: "browser", model: "m@1" };
    },
  };
  await answer(handlers, asked("engine.state"), content, OWN);
  assert.deepEqual(seen, [{ isOwnPage: false, tabId: 7, frameId: 0, url: "https://feed.example/" }]);
});

test("a failure is told by its code; a fault of ours is told and logged without its content", async () => {
  const logged = mock.method(console, "error", () => undefined);
  const handlers: Handlers = {
    "vault.lock": () => Promise.reject(new Failure("locked")),
    "vault.state": () => Promise.reject(new TypeError("https://private.example/picture.jpg")),
  };
  assert.deepEqual(await answer(handlers, asked("vault.lock"), ownPage, OWN), { error: "locked" });
  assert.equal(logged.mock.callCount(), 0);
  assert.deepEqual(await answer(handlers, asked("vault.state"), ownPage, OWN), { error: "failed" });
  assert.equal(logged.mock.callCount(), 1);
  assert.ok(!JSON.stringify(logged.mock.calls[0]?.arguments).includes("private.example"));
  logged.mock.restore();
});
