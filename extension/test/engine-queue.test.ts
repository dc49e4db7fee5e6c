/** One picture at a time, uploads first, and a silent engine is ended. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Engine, type EngineHost } from "../src/background/engine.ts";
import type { EngineAnswer, EngineAsk } from "../src/engine/protocol.ts";
import { Failure } from "../src/failure.ts";

class StagedHost implements EngineHost {
  readonly asks: EngineAsk[] = [];
  readonly ports: MessagePort[] = [];
  stops = 0;
  post = async (ask: EngineAsk, port: MessagePort): Promise<void> => {
    this.asks.push(ask);
    this.ports.push(port);
  };
  stop = async (): Promise<void> => {
    this.stops += 1;
  };
  async answer(answer: EngineAnswer): Promise<void> {
    await until(() => this.ports.length > 0);
    const port = this.ports.shift() ?? assert.fail("nothing was asked");
    const isHeard = new Promise((resolve) => port.addEventListener("close", resolve));
    port.postMessage(answer);
    await isHeard;
  }
}

const MOST_TURNS = 1_000_000;

/** Messages take as many turns as the machine likes; what has not come after a million of them never comes. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    if (condition()) {
      return;
    }
    await new Promise(setImmediate);
  }
  assert.fail("what was waited for never came");
}
const file = (size: number): ArrayBuffer => new ArrayBuffer(size);
const sizes = (host: StagedHost): unknown[] => host.asks.map((ask) => (ask.op === "look" ? ask.file.byteLength : ask.op));
const seen = { ok: true, views: [] } as const;

test("an upload goes before what waits in the feed, and behind the upload before it", async () => {
  const host = new StagedHost();
  const engine = new Engine(host);
  const feed = { thorough: false, urgent: false };
  const door = { thorough: true, urgent: true };
  const looks = [engine.look(file(1), feed), engine.look(file(2), feed), engine.look(file(3), door), engine.look(file(4), door)];
  for (let i = 0; i < looks.length; i++) {
    await until(() => host.ports.length > 0);
    assert.equal(host.ports.length, 1);
    await host.answer(seen);
  }
  await Promise.all(looks);
  assert.deepEqual(sizes(host), [1, 3, 4, 2]);
});

test("what could not be seen is said, and the next picture has its turn", async () => {
  const host = new StagedHost();
  const engine = new Engine(host);
  const feed = { thorough: false, urgent: false };
  const broken = engine.look(file(1), feed);
  const whole = engine.look(file(2), feed);
  await Promise.all([
    assert.rejects(broken, (error) => error instanceof Failure && error.code === "picture_unreadable"),
    host.answer({ ok: false, why: "picture_unreadable" }),
  ]);
  await host.answer(seen);
  assert.deepEqual(await whole, []);
  assert.equal(engine.state, "ready");
});

test("an engine that says nothing is ended and said to be unavailable", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const host = new StagedHost();
  const engine = new Engine(host);
  const look = engine.look(file(1), { thorough: false, urgent: false });
  await until(() => host.ports.length > 0);
  mock.timers.tick(60_000);
  await assert.rejects(look, (error) => error instanceof Failure && error.code === "engine_unavailable");
  assert.deepEqual([host.stops, engine.state], [1, "unavailable"]);
  mock.timers.reset();
  host.ports.forEach((port) => port.close());
});
