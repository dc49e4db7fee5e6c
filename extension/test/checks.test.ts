/** The browser's decision path over staged parts: what fails refuses at the door and shows as "not checked" in a feed. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { toBase64 } from "../src/domain/base64.ts";
import type { Reference } from "../src/vault/vault.ts";
import { Checks } from "../src/background/checks.ts";
import { SeenPictures } from "../src/background/seen.ts";
import { Failure } from "../src/failure.ts";
import type { SeenView } from "../src/engine/protocol.ts";
import type { Assessment, FailureCode, PictureAnswer } from "../src/messages.ts";

const DIMENSION = 8;
const at = (cosine: number): Float32Array =>
  Float32Array.from({ length: DIMENSION }, (_, i) => (i === 0 ? cosine : i === 1 ? Math.sqrt(1 - cosine ** 2) : 0));
const me: Reference = { subject: "sub_me", policy: "every_edit", embedding: at(1) };
const face = (cosine: number | null): SeenView["faces"][number] => ({
  box: { x: 10, y: 20, w: 30, h: 40 },
  score: 0.9,
  quality: 1,
  issues: [],
  embedding: cosine === null ? null : at(cosine),
});
const view = (...cosines: (number | null)[]): SeenView => ({ width: 100, height: 200, faces: cosines.map(face) });
const EVERYDAY: Assessment = {
  category: "none",
  spans: [],
  language: "en",
  isReadable: true,
  hasText: true,
  hasAgeCue: false,
  refersToPerson: false,
};
const REVEALING: Assessment = { ...EVERYDAY, category: "swimwear", refersToPerson: true };
const page = { isOwnPage: false, tabId: 7, frameId: 0, url: "https://generator.example/make" };

/** What the staged parts do; each test changes what it is about. */
let staged: {
  views: () => SeenView[];
  references: () => Reference[];
  assessment: () => Assessment;
  inform: unknown;
  act: unknown;
  words: unknown;
  called: () => readonly { subject: string; handles: string[]; names: string[] }[];
  looks: number;
  actors: ReadonlySet<string>;
};
let held: Record<string, unknown>[];

const fails = (code: FailureCode) => () => {
  throw new Failure(code);
};

function checks(): Checks {
  const parts = {
    engine: {
      look: async () => {
        staged.looks += 1;
        return staged.views();
      },
    },
    vault: {
      references: async () => staged.references(),
      state: async () => ({ state: "open", subjects: [{ subject: "sub_me", name: "Ada" }] }),
      verify: async ({ passphrase }: { passphrase: string }) => {
        if (passphrase !== "right") {
          throw new Failure("wrong_passphrase");
        }
      },
    },
    companion: { inform: async () => staged.inform, act: async () => staged.act, words: async () => staged.words },
    holds: {
      open: async (hold: Record<string, unknown>) => {
        held.push(hold);
        return "hold-1";
      },
      actors: async () => staged.actors,
    },
    seen: new SeenPictures<PictureAnswer>(),
    assess: async () => staged.assessment(),
    called: async () => staged.called(),
  };
  return new Checks(parts as unknown as ConstructorParameters<typeof Checks>[0]);
}

const upload = (made = checks()) =>
  made.handlers()["upload.check"]?.(
    { id: "1", pictures: [toBase64(Uint8Array.of(1))], prompt: "make it a watercolour", page: "https://liar.example/" },
    page,
  ) ?? assert.fail();
const look = (made: Checks, bytes: number[] = [1]) => made.picture({ bytes: toBase64(Uint8Array.from(bytes)) }, page);

beforeEach(() => {
  held = [];
  staged = {
    views: () => [view(0.9)],
    references: () => [me],
    assessment: () => EVERYDAY,
    inform: null,
    act: null,
    words: null,
    called: () => [],
    actors: new Set(),
    looks: 0,
  };
  mock.method(console, "error", () => undefined);
});

test("she in an everyday edit: her consent, asked for the page that the browser names", async () => {
  const answer = await upload();

  assert.deepEqual([answer.verdict, answer.shows, answer.hold, answer.by], ["needs_consent", "match", "hold-1", "browser"]);
  assert.deepEqual([held[0]?.["page"], held[0]?.["subjects"], held[0]?.["tabId"]], [page.url, ["Ada"], 7]);
});

test("what she approved a moment ago, in the same tab, she does herself; a revealing edit is refused even so", async () => {
  staged.actors = new Set(["sub_me"]);
  const everyday = await upload();
  assert.deepEqual([everyday.verdict, everyday.hold], ["allow", null]);

  staged.assessment = () => ({ ...EVERYDAY, category: "nude" });
  const revealing = await upload();
  assert.deepEqual([revealing.verdict, revealing.reasons, revealing.hold], ["refuse", ["revealing_real_person"], null]);
});

test("a fair likeness asks too, and names nobody", async () => {
  staged.views = () => [view(0.35)];

  const answer = await upload();
  assert.deepEqual([answer.verdict, answer.shows, held[0]?.["subjects"]], ["needs_consent", "possible", []]);
});

test("somebody else passes, and so does a face too small to be told from others", async () => {
  for (const views of [[view(0.05)], [view(null)], [view()]]) {
    staged.views = () => views;
    const answer = await upload();
    assert.deepEqual([answer.verdict, answer.checked, answer.hold], ["allow", true, null]);
  }
});

test("a face that shows in one way of several only is found", async () => {
  staged.views = () => [view(), view(0.05), view(0.05, 0.9)];

  assert.equal((await upload()).verdict, "needs_consent");
});

test("a revealing request is refused before anybody is searched for", async () => {
  staged.assessment = () => REVEALING;
  staged.references = () => assert.fail("somebody was searched for");

  const answer = await upload();
  assert.deepEqual([answer.verdict, answer.reasons, answer.hold], ["refuse", ["revealing_real_person"], null]);
});

for (const [what, stage, reason] of [
  ["an engine that is not there", () => (staged.views = fails("engine_unavailable")), "error"],
  ["a picture that cannot be read", () => (staged.views = fails("picture_unreadable")), "unreadable"],
  ["a picture that is too large", () => (staged.views = fails("picture_too_large")), "unreadable"],
  ["a fault in the engine", () => (staged.views = () => assert.fail("a fault")), "error"],
  ["a locked vault with a face in the picture", () => (staged.references = fails("locked")), "error"],
  ["a damaged vault with a face in the picture", () => (staged.references = fails("storage_damaged")), "error"],
  ["words that could not be read", () => (staged.assessment = fails("engine_unavailable")), "error"],
] as const) {
  test(`${what} refuses at the door`, async () => {
    stage();
    const answer = await upload();
    assert.deepEqual([answer.verdict, answer.checked, answer.hold], ["refuse", false, null]);
    assert.ok(answer.reasons.includes(reason), String(answer.reasons));
  });
}

for (const code of ["engine_unavailable", "picture_unreadable", "locked", "storage_damaged"] as const) {
  test(`${code}: a feed's picture is not checked, and says so`, async () => {
    staged[code === "locked" || code === "storage_damaged" ? "references" : "views"] = fails(code) as never;
    assert.deepEqual(await look(checks()), { checked: false, why: code });
  });
}

test("where she is, in parts of the picture's sides, once, where she is surest", async () => {
  staged.views = () => [view(0.35, 0.95), view(0.9)];

  const answer = await look(checks());
  assert.ok(answer.checked);
  assert.deepEqual(answer.sightings, [{ subject: "sub_me", match: "match", place: { x: 0.1, y: 0.1, w: 0.3, h: 0.2 } }]);
});

test("the same content is looked at once, a failure that may pass again", async () => {
  const made = checks();
  await Promise.all([look(made), look(made), look(made)]);
  await look(made);
  assert.equal(staged.looks, 1);
  await look(made, [2]);
  assert.equal(staged.looks, 2);

  staged.references = fails("locked");
  await look(made, [3]);
  staged.references = () => [me];
  assert.equal((await look(made, [3])).checked, true);
});

test("two questions under one id are one check", async () => {
  const made = checks();
  const [one, other] = await Promise.all([upload(made), upload(made)]);

  assert.deepEqual([staged.looks, one.hold, other.hold, held.length], [1, "hold-1", "hold-1", 1]);
});

const told = (verdict: string, checked = true) => ({
  decision: { verdict, reasons: [], obligations: [], checked, privateReasons: [], subjects: [] },
  shows: "unknown",
});

test("a companion that examined everything decides; the browser does not look", async () => {
  staged.act = told("allow");

  const answer = await upload();
  assert.deepEqual([answer.verdict, answer.by, staged.looks], ["allow", "companion", 0]);
});

test("what the companion could not examine the browser decides, if it can", async () => {
  staged.act = told("refuse", false);
  assert.deepEqual([(await upload()).verdict, (await upload()).by], ["needs_consent", "browser"]);

  for (const references of [fails("locked"), () => []]) {
    staged.references = references;
    const answer = await upload();
    assert.deepEqual([answer.verdict, answer.checked, answer.by], ["refuse", false, "companion"]);
  }
});

test("in a feed the companion rules out, and the browser finds", async () => {
  staged.inform = { shows: "nobody_enrolled", faces: 3 };
  const nobody = await look(checks());
  assert.deepEqual([nobody.checked && nobody.shows, staged.looks], ["nobody_enrolled", 0]);

  staged.inform = { shows: "possible", faces: 1 };
  const hers = await look(checks());
  assert.deepEqual([hers.checked && hers.shows, hers.checked && hers.by, staged.looks], ["match", "browser", 1]);

  staged.references = fails("locked");
  const alone = await look(checks());
  assert.deepEqual([alone.checked && alone.shows, alone.checked && alone.by], ["possible", "companion"]);
});

const SHE = { subject: "sub_me", handles: ["ada"], names: ["Ada Lovelace"] };
const say = (prompt: string, pictures: string[] = []) =>
  checks().handlers()["upload.check"]?.({ id: "1", pictures, prompt, page: "https://liar.example/" }, page) ?? assert.fail();
const concerns = async (words: string) => (await checks().handlers()["words.concern"]?.({ words }, page))?.concerns;
const CLEAR = { verdict: "allow", reasons: [], privateReasons: [], obligations: [], subjects: [], checked: true } as const;

test("her name in the words counts as her, without any picture", async () => {
  staged.called = () => [SHE];
  const everyday = await say("a portrait of ada-lovelace on the moon");
  staged.assessment = () => REVEALING;
  const revealing = await say("Ada Lovelace in a bikini");

  assert.deepEqual([everyday.verdict, everyday.hold, everyday.privateReasons], ["needs_consent", "hold-1", ["named"]]);
  assert.deepEqual([revealing.verdict, revealing.reasons], ["refuse", ["revealing_real_person"]]);
  assert.equal(staged.looks, 0);
});

test("words without a picture are asked about when they name her, and not else", async () => {
  staged.called = () => [SHE];

  assert.equal(await concerns("draw @Ada as a queen"), true);
  assert.equal(await concerns("draw a queen"), false);
});

test("while her names are sealed, revealing words wait for the unlock", async () => {
  staged.called = fails("locked");
  assert.equal(await concerns("draw a queen"), false);
  staged.assessment = () => REVEALING;
  assert.equal(await concerns("put her in a bikini"), true);

  const answer = await say("put her in a bikini");
  assert.deepEqual([answer.verdict, answer.checked], ["refuse", false]);
  assert.ok(answer.privateReasons.includes("names_not_checked"));
});

test("her name is read also when a companion clears the picture: the stricter counts", async () => {
  staged.called = () => [SHE];
  staged.act = { decision: CLEAR, shows: "nobody_enrolled" };

  const answer = await say("a portrait of Ada Lovelace", [toBase64(Uint8Array.of(1))]);

  assert.deepEqual([answer.verdict, answer.by], ["needs_consent", "companion"]);
});

test("where the companion could not see all, what it hears in the words counts with what the browser sees", async () => {
  staged.act = { decision: { ...CLEAR, checked: false }, shows: "unknown" };
  assert.equal((await upload()).verdict, "needs_consent");

  staged.words = { category: "minimal", isReadable: true, hasAgeCue: false, refersToPerson: true };
  const answer = await upload();

  assert.deepEqual([answer.verdict, answer.category, answer.by], ["refuse", "minimal", "browser"]);
});
