/** What platforms asked her through the companion, her answers, and who had a picture checked there. */

import { Failure } from "../../failure.ts";
import type { CheckSummary, ConsentQuestion } from "../../messages.ts";
import type { Handlers } from "../router.ts";
import type { Companion } from "./companion.ts";

const QUICK_MS = 10_000;
const RECEIPTS = 50;

interface PendingOut {
  readonly request_id: string;
  readonly subject: string;
  readonly platform: string;
  readonly asker: string | null;
  readonly category: ConsentQuestion["category"];
  readonly prompt: string | null;
  readonly pictures: number;
  readonly asked_at: string;
  readonly ends_at: string;
}

interface ReceiptOut {
  readonly check_id: string;
  readonly issued_at: string;
  readonly verdict: CheckSummary["verdict"];
  readonly reasons: CheckSummary["reasons"];
}

const secondsOf = (text: string): number => Math.floor(Date.parse(text) / 1000);

/** The handlers of `consent.*`. A companion that lets this browser not see or answer them says `forbidden`. */
export function consentHandlers(companion: Companion): Handlers {
  const call = async (path: string, init: RequestInit): Promise<Response> => (await companion.link()).call(path, init, QUICK_MS);
  const answer = async (request: string, what: string, body: object = {}): Promise<object> => {
    const path = `/v1/consent-requests/${encodeURIComponent(request)}/${what}`;
    const headers = { "content-type": "application/json", "idempotency-key": crypto.randomUUID() };
    await call(path, { method: "POST", headers, body: JSON.stringify(body) });
    return {};
  };
  return {
    "consent.list": async () => {
      const response = await call("/v1/consent-requests", { method: "GET" });
      return { questions: rowsOf<PendingOut>(await response.json(), "requests").map(questionOf) };
    },
    "consent.approve": ({ request, seconds }) => answer(request, "approve", { lifetime_s: seconds }),
    "consent.decline": ({ request }) => answer(request, "decline"),
    "consent.block": ({ request }) => answer(request, "block"),
    "consent.checks": async () => {
      const response = await call(`/v1/receipts?limit=${RECEIPTS}`, { method: "GET" });
      return { checks: rowsOf<ReceiptOut>(await response.json(), "receipts").map(summaryOf) };
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

function questionOf(row: PendingOut): ConsentQuestion {
  const { request_id, asked_at, ends_at, subject, platform, asker, category, prompt, pictures } = row;
  return {
    request: request_id,
    askedAt: secondsOf(asked_at),
    endsAt: secondsOf(ends_at),
    ...{ subject, platform, asker, category, prompt, pictures },
  };
}

/** A receipt does not say who asked; the number of the check is what there is. */
function summaryOf({ check_id, issued_at, verdict, reasons }: ReceiptOut): CheckSummary {
  return { check: check_id, caller: check_id, at: secondsOf(issued_at), verdict, reasons };
}
