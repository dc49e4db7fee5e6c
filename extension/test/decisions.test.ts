/** The browser decides as the server does: the same cases. And the laws that must hold in every case. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { type Findings, type Match, type SubjectPolicy, decide, stricter } from "../src/domain/consent/decide.ts";
import type { Assessment, IntentCategory } from "../src/domain/intent/taxonomy.ts";

interface Case {
  readonly id: string;
  readonly input: {
    readonly mode: "act" | "inform";
    readonly category: IntentCategory;
    readonly readable: boolean;
    readonly text: boolean;
    readonly age_cue: boolean;
    readonly refers: boolean;
    readonly intent_read: boolean;
    readonly search: Findings["search"];
    readonly named: readonly string[];
    readonly names: Findings["names"];
    readonly actor: string | null;
    readonly policies: Readonly<Record<string, SubjectPolicy>>;
    readonly images: readonly {
      readonly readable: boolean;
      readonly faces_checked: boolean;
      readonly person: "present" | "absent" | "unknown";
      readonly faces: readonly { readonly identifiable: boolean; readonly matches: readonly Match[] }[];
    }[];
  };
  readonly output: Readonly<Record<string, unknown>>;
}

const file = new URL("../../tests/vectors/decisions_v1.json", import.meta.url);
const cases: readonly Case[] = JSON.parse(readFileSync(file, "utf-8")).tests;

function decided({ input }: Case, actors = input.actor === null ? [] : [input.actor]) {
  const findings: Findings = {
    search: input.search,
    intentRead: input.intent_read,
    named: input.named,
    names: input.names,
    images: input.images.map((image) => ({ ...image, facesChecked: image.faces_checked })),
  };
  const intent: Assessment = {
    category: input.category,
    spans: [],
    language: "en",
    isReadable: input.readable,
    hasText: input.text,
    hasAgeCue: input.age_cue,
    refersToPerson: input.refers,
  };
  const request = { mode: input.mode, actors: new Set(actors) };
  return decide(findings, intent, request, new Map(Object.entries(input.policies)));
}

test("the cases hold every verdict, many times", () => {
  for (const verdict of ["allow", "needs_consent", "refuse"]) {
    assert.ok(cases.filter(({ output }) => output["verdict"] === verdict).length > 40, verdict);
  }
});

test("decisions_v1: every case is decided as the server decides it", () => {
  for (const each of cases) {
    const { privateReasons, ...decision } = decided(each);
    assert.deepEqual({ ...decision, private: privateReasons }, each.output, each.id);
  }
});

const strictness = { allow: 0, needs_consent: 1, refuse: 2 } as const;

test("a further picture never loosens", () => {
  for (const each of cases) {
    const face = { identifiable: true, matches: [{ subject: "sub_a", level: "match" }] as const };
    const picture = { readable: true, faces_checked: true, person: "absent", faces: [face] } as const;
    const more: Case = { ...each, input: { ...each.input, images: [...each.input.images, picture] } };
    assert.ok(strictness[decided(more).verdict] >= strictness[decided(each).verdict], each.id);
  }
});

test("a protected name in the words never loosens", () => {
  for (const each of cases) {
    const more: Case = { ...each, input: { ...each.input, named: ["sub_a", "sub_b"] } };
    assert.ok(strictness[decided(more).verdict] >= strictness[decided(each).verdict], each.id);
  }
});

test("of two decisions the stricter counts, in whichever order", () => {
  cases.slice(1).forEach((each, i) => {
    const [one, other] = [decided(each), decided(cases[i] ?? assert.fail())];
    const both = stricter(one, other);
    assert.deepEqual(both, stricter(other, one));
    assert.equal(strictness[both.verdict], Math.max(strictness[one.verdict], strictness[other.verdict]));
    assert.equal(both.checked, one.checked && other.checked);
  });
});

test("an unlock opens nothing that is revealing", () => {
  for (const each of cases.filter(({ input }) => input.category === "nude")) {
    assert.equal(decided(each, ["sub_a", "sub_b"]).verdict, decided(each, []).verdict, each.id);
  }
});
