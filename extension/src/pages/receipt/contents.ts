/** What a statement says, in plain words and in its own. */

import type { ErasureClaims } from "../../domain/statements/erasure.ts";
import type { InLog, Reading } from "../../domain/statements/reading.ts";
import type { ReceiptClaims } from "../../domain/statements/receipt.ts";
import type { TokenClaims } from "../../domain/statements/consent-token.ts";
import type { PublicReason, Purpose, Verdict } from "../../messages.ts";
import { make } from "../dom.ts";
import { moment, number, word } from "../text.ts";

type Fact = readonly [name: string, ...values: readonly (Node | string)[]];

/** The one sentence that matters. */
export function withLine(reading: Reading): string {
  switch (reading.kind) {
    case "receipt": {
      const { issuer, issuedAt, verdict } = reading.claims;
      return word("receipt_says", moment(issuedAt), issuer, word(`verdict_${verdict as Verdict}`));
    }
    case "erasure": {
      const { issuer, erasedAt, people, scope } = reading.claims;
      const when = moment(erasedAt);
      return scope === "home" ? word("receipt_says_home", when, issuer) : word("receipt_says_erased", when, issuer, number(people));
    }
    case "token": {
      const { claims, issuer } = reading;
      return word("receipt_says_token", issuer, claims.platform, moment(claims.validUntil));
    }
  }
}

/** All of it. @param key The thumbprint of the key that signed it. */
export function contents(reading: Reading, key: string): readonly HTMLElement[] {
  const own = factsOf(reading);
  const signed: readonly Fact[] = [[word("receipt_key"), code(key)]];
  return [
    make("dl", { class: "facts" }, ...[...own, ...signed].flatMap(([name, ...values]) => [make("dt", {}, name), make("dd", {}, ...values)])),
  ];
}

function factsOf(reading: Reading): readonly Fact[] {
  switch (reading.kind) {
    case "receipt":
      return [...receipt(reading.claims), [word("receipt_log"), placed(reading.claims, reading.log)]];
    case "erasure":
      return erasure(reading.claims, reading.subjects, reading.log);
    case "token":
      return token(reading.claims, reading.issuer);
  }
}

function receipt(claims: ReceiptClaims): readonly Fact[] {
  const { images, prompt, context } = claims;
  const reasons = claims.reasons.map((reason) => word(`reason_${reason as PublicReason}`));
  const inputs = [
    word("receipt_pictures", number(images.length)),
    word(prompt === null ? "receipt_words_none" : "receipt_words"),
    ...(context.length === 0 ? [] : [word("receipt_turns", number(context.length))]),
  ];
  return [
    [word("receipt_kind"), word("receipt_kind_check")],
    [word("receipt_issuer"), apart(claims.issuer)],
    [word("receipt_when"), moment(claims.issuedAt)],
    [word("receipt_verdict"), [word(`verdict_${claims.verdict as Verdict}`), ...reasons].join(" · ")],
    ...(claims.obligations.length === 0 ? [] : [[word("receipt_obligation"), word("receipt_obligation_output")] as const]),
    [word("receipt_inputs"), inputs.join(" · ")],
    [word("receipt_check_id"), code(claims.check)],
    [word("receipt_policy"), code(claims.policy)],
    [word("receipt_engines"), code([...claims.engines].map(([name, version]) => `${name} ${version}`).join(", "))],
  ];
}

function placed({ log }: ReceiptClaims, place: InLog): string {
  const where = log === null ? [] : [number(log.index), log.origin];
  switch (place.state) {
    case "holds":
      return word("receipt_log_holds", ...where, number(place.size), number(place.witnesses));
    case "broken":
      return word("receipt_log_broken", ...where);
    case "no_proof":
      return word("receipt_log_no_proof", ...where);
    case "no_key":
      return word("receipt_log_no_key", ...where);
    case "unnamed":
      return word("receipt_log_unnamed");
  }
}

function erasure(claims: ErasureClaims, subjects: readonly string[] | null, log: InLog): readonly Fact[] {
  const destroyed = [...claims.destroyed].map(([name, count]) => `${name} ${count}`).join(", ");
  return [
    [word("receipt_kind"), word("receipt_kind_erasure")],
    [word("receipt_issuer"), apart(claims.issuer)],
    [word("receipt_when"), moment(claims.erasedAt)],
    [word("receipt_destroyed"), code(destroyed)],
    [word("receipt_of_whom"), subjects === null ? word("receipt_of_whom_unsaid") : code(subjects.join(", "))],
    [word("receipt_check_id"), code(claims.erasure)],
    [word("receipt_log"), allPlaced(claims, log)],
  ];
}

/** Of an erasure, whose receipt names a log and no places in it. */
function allPlaced({ log }: ErasureClaims, place: InLog): string {
  const where = log === null ? [] : [log];
  switch (place.state) {
    case "holds":
      return word("receipt_log_all_hold", place.origin, number(place.size), number(place.witnesses));
    case "broken":
      return word("receipt_log_all_broken");
    case "no_proof":
      return word("receipt_log_all_no_proof", ...where);
    case "no_key":
      return word("receipt_log_all_no_key", ...where);
    case "unnamed":
      return word("receipt_log_unnamed");
  }
}

function token(claims: TokenClaims, issuer: string): readonly Fact[] {
  const isOver = claims.validUntil * 1000 <= Date.now();
  return [
    [word("receipt_kind"), word("receipt_kind_token")],
    [word("receipt_issuer"), apart(issuer)],
    [word("receipt_for"), apart(claims.platform)],
    [word("receipt_purpose"), word(`purpose_${claims.purpose as Purpose}`)],
    [word("receipt_when"), moment(claims.issuedAt)],
    [word("receipt_until"), moment(claims.validUntil), isOver ? ` · ${word("receipt_lapsed")}` : ""],
    [word("receipt_inputs"), word("receipt_pictures", number(claims.images.length)), " · ", word(claims.words === null ? "receipt_words_any" : "receipt_words")],
    [word("receipt_used"), word("receipt_used_unknown")],
    [word("receipt_check_id"), code(claims.token)],
  ];
}

function code(text: string): HTMLElement {
  return make("code", { dir: "ltr" }, text);
}

function apart(text: string): HTMLElement {
  return make("bdi", { dir: "ltr" }, text);
}
