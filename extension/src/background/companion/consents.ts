/**
 * What platforms asked her through the companion, her answers, and who checked her face there.
 *
 * A yes, and her own list, take the companion's passphrase each time (docs/adr/0037). It is read from the message, sent once
 * to a companion that has just shown who it is, and kept nowhere.
 */

import { Failure } from "../../failure.ts";
import type { CheckSummary, ConsentQuestion } from "../../messages.ts";
import type { Handlers } from "../router.ts";
import type { Companion } from "./companion.ts";

const QUICK_MS = 10_000;
/** A passphrase is tried with Argon2id, and others may wait before it. */
const PROOF_MS = 60_000;
const CHECKS_A_PAGE = 50;

interface PendingOut {
  readonly request_id: string;
  readonly subject: string;
  readonly platform: string;
  readonly asker: string | null;
  readonly category: ConsentQuestion["category"];
  readonly prompt: string | null;
  readonly context: readonly string[];
  readonly pictures: number;
  readonly asked_at: string;
  readonly ends_at: string;
}

interface MyCheckOut {
  readonly check_id: string;
  readonly at: string;
  readonly how: CheckSummary["how"];
  readonly stage: CheckSummary["stage"];
  readonly category: CheckSummary["category"];
  readonly purpose: CheckSummary["purpose"];
  readonly platform: string | null;
  readonly verdict: CheckSummary["verdict"];
  readonly reasons: CheckSummary["reasons"];
  readonly receipt: string | null;
}

/** Names of the people in the vault of this browser, by identifier: a vault that was moved has the companion's. */
export type Names = () => Promise<ReadonlyMap<string, string>>;

const secondsOf = (text: string): number => Math.floor(Date.parse(text) / 1000);

/** The handlers of `consent.*`. A companion that lets this browser not see or answer them says `forbidden`. */
export function consentHandlers(companion: Companion, names: Names): Handlers {
  const get = async (path: string): Promise<unknown> => (await (await companion.link()).call(path, { method: "GET" }, QUICK_MS)).json();
  const post = async (path: string, body: object, timeoutMs: number): Promise<Response> => {
    const headers = { "content-type": "application/json" };
    return (await companion.link()).call(path, { method: "POST", headers, body: JSON.stringify(body) }, timeoutMs);
  };
  const postProof = async (path: string, body: Readonly<Record<string, string | number>>): Promise<Response> => {
    const link = await companion.link();
    link.doubt();
    return post(path, body, PROOF_MS);
  };
  const at = (request: string, what: string): string => `/v1/consent-requests/${encodeURIComponent(request)}/${what}`;
  return {
    "consent.list": async () => {
      const rows = rowsOf<PendingOut>(await get("/v1/consent-requests"), "requests");
      const known = await names();
      return { questions: rows.map((row) => questionOf(row, known)) };
    },
    "consent.pictures": async ({ request }) => ({ pictures: rowsOf<string>(await get(at(request, "pictures")), "pictures") }),
    "consent.approve": async ({ request, seconds, passphrase }) => {
      try {
        await postProof(at(request, "approve"), { lifetime_s: seconds, passphrase });
      } catch (error) {
        // It lets this browser answer, or it would not have shown the question: then it is her proof that it does not take.
        throw error instanceof Failure && error.code === "forbidden" ? new Failure("companion_whose", { cause: error }) : error;
      }
      return {};
    },
    "consent.decline": async ({ request }) => {
      await post(at(request, "decline"), {}, QUICK_MS);
      return {};
    },
    "consent.block": async ({ request }) => {
      await post(at(request, "block"), {}, QUICK_MS);
      return {};
    },
    "consent.checks": async ({ subject, passphrase, before }) => {
      const name = (await names()).get(subject);
      const read = async (whom: string): Promise<Response> =>
        postProof("/v1/subjects/checks", { subject: whom, passphrase, limit: CHECKS_A_PAGE, ...(before === null ? {} : { before }) });
      const response = await read(subject).catch((error: unknown) => {
        // She may be enrolled there from photos of its own, under the same name and another identifier.
        if (error instanceof Failure && error.code === "not_found" && name !== undefined) {
          return read(name);
        }
        throw error;
      });
      const page: unknown = await response.json();
      const { before: next, kept_days } = page as { readonly before: string | null; readonly kept_days: number };
      return { checks: rowsOf<MyCheckOut>(page, "checks").map(summaryOf), before: next, keptDays: kept_days };
    },
  };
}

function rowsOf<Row>(value: unknown, name: string): readonly Row[] {
  const rows = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : null;
  if (!Array.isArray(rows)) {
    throw new Failure("companion_unreachable");
  }
  // From the companion that was paired, after it has shown who it is: its words are believed.
  return rows as readonly Row[];
}

function questionOf(row: PendingOut, names: ReadonlyMap<string, string>): ConsentQuestion {
  const { request_id, asked_at, ends_at, subject, platform, asker, category, prompt, context, pictures } = row;
  return {
    request: request_id,
    askedAt: secondsOf(asked_at),
    endsAt: secondsOf(ends_at),
    name: names.get(subject) ?? null,
    ...{ platform, asker, category, prompt, context, pictures },
  };
}

function summaryOf({ check_id, at, how, stage, category, purpose, platform, verdict, reasons, receipt }: MyCheckOut): CheckSummary {
  return { check: check_id, at: secondsOf(at), how, stage, category, purpose, platform, verdict, reasons, receipt };
}
