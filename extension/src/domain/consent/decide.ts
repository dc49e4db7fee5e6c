/**
 * The laws, as far as they concern a browser of her own: server/consentry/consent/decide.py without grants, tokens
 * and contests, which a browser alone does not have. Pure and total; both run
 * tests/vectors/decisions_v1.json.
 *
 * Every law only adds rulings and the verdict is the strictest of them, so a further finding never loosens a decision.
 * What loosens is that she who acts is she who is seen.
 */

import { type Assessment, isRevealing } from "../intent/taxonomy.ts";
import { rulesOfUnknownRegion } from "./regions.ts";

export type Verdict = "allow" | "needs_consent" | "refuse";
export type Mode = "act" | "inform";
export type SubjectPolicy = "every_edit" | "intimate_and_impersonating";

/** In the order in which they are told. */
const REASONS = ["revealing_real_person", "minor", "consent_required", "unreadable", "error"] as const;
export type Reason = (typeof REASONS)[number];

const PRIVATE_REASONS = [
  "subject_present",
  "possible_match",
  "self_edit",
  "locked",
  "index_incomplete",
  "search_failed",
  "face_unidentifiable",
  "face_in_picture",
  "person_in_picture",
  "picture_not_cleared",
  "person_in_text",
  "detector_unavailable",
  "language_not_covered",
  "undecodable_image",
  "named",
  "names_not_checked",
  "region_tightened",
  "intent_not_read",
] as const;
export type PrivateReason = (typeof PRIVATE_REASONS)[number];

export interface Match {
  readonly subject: string;
  readonly level: "possible" | "match";
}

export interface FaceFinding {
  /** Large and clear enough to be told from others. */
  readonly identifiable: boolean;
  readonly matches: readonly Match[];
}

export interface ImageFinding {
  readonly readable: boolean;
  /** False when faces could not be looked for; then `faces` says nothing. */
  readonly facesChecked: boolean;
  readonly faces: readonly FaceFinding[];
  /** A browser has no detector of persons without a face: `unknown`, which counts as one where it matters. */
  readonly person: "present" | "absent" | "unknown";
}

export type SearchState = "not_searched" | "complete" | "empty_gallery" | "locked" | "incomplete" | "failed";

export interface Findings {
  readonly images: readonly ImageFinding[];
  readonly search: SearchState;
  readonly intentRead: boolean;
  /** Enrolled subjects whose protected name is in the words. */
  readonly named: readonly string[];
  /** Whether the words were compared with the names; `locked`: there are some, but they are sealed. */
  readonly names: "checked" | "locked" | "failed";
}

export interface Request {
  readonly mode: Mode;
  /** Who has proved by unlocking that it is they who act. */
  readonly actors: ReadonlySet<string>;
}

export interface Decision {
  readonly verdict: Verdict;
  readonly reasons: readonly Reason[];
  readonly privateReasons: readonly PrivateReason[];
  readonly obligations: readonly "check_output"[];
  /** Whose faces are there, sorted. Nobody by a possible match alone. */
  readonly subjects: readonly string[];
  /** False when something could not be examined; then never "all clear". */
  readonly checked: boolean;
}

interface Ruling {
  readonly verdict?: Verdict;
  readonly reason?: Reason;
  readonly private?: PrivateReason;
  readonly obligation?: "check_output";
  readonly subject?: string;
  readonly isGap?: true;
}

const STRICTNESS: Readonly<Record<Verdict, number>> = { allow: 0, needs_consent: 1, refuse: 2 };
const SEARCH_GAPS: Readonly<Partial<Record<SearchState, PrivateReason>>> = {
  locked: "locked",
  incomplete: "index_incomplete",
  failed: "search_failed",
};

/** Whether the answer is the same whoever is in the pictures, so that nobody needs to be searched for: laws 1 and 2. */
export function settledBeforeSearch(findings: Findings, intent: Assessment, request: Request): Decision | null {
  const rulings = [...beforeSearch(findings, intent, request)];
  const isSettled = isRevealing(intent.category) || rulings.some(({ verdict }) => verdict === "refuse");
  return isSettled ? combined(rulings) : null;
}

/** @param policies What each matched subject protects; whoever is missing protects every edit. */
export function decide(
  findings: Findings,
  intent: Assessment,
  request: Request,
  policies: ReadonlyMap<string, SubjectPolicy>,
): Decision {
  return (
    settledBeforeSearch(findings, intent, request) ??
    combined([
      ...beforeSearch(findings, intent, request),
      ...onSearch(findings, request),
      ...onSubjects(findings, intent, request, policies),
    ])
  );
}

function* beforeSearch(findings: Findings, intent: Assessment, request: Request): Generator<Ruling> {
  if (isRevealing(intent.category)) {
    if (intent.hasAgeCue) {
      yield { verdict: "refuse", reason: "minor" };
    }
    yield* onRevealing(findings, intent);
  }
  yield* onPrompt(findings, intent, request);
  yield* onNames(findings, intent, request);
  if (!findings.intentRead) {
    yield gap("error", "intent_not_read", request);
  }
  for (const image of findings.images) {
    if (!image.readable) {
      yield gap("unreadable", "undecodable_image", request);
    }
    if (!image.facesChecked) {
      yield gap("error", "detector_unavailable", request);
    }
  }
}

/** Law 2, the same for everybody: a real person, or one who cannot be ruled out, is refused. */
function* onRevealing({ images, named }: Findings, intent: Assessment): Generator<Ruling> {
  const evidence = new Set(images.flatMap((image) => [...evidenceOfPerson(image)]));
  if (intent.refersToPerson) {
    evidence.add("person_in_text");
  }
  if (named.length > 0) {
    evidence.add("named");
  }
  for (const reason of evidence) {
    yield { verdict: "refuse", reason: "revealing_real_person", private: reason };
  }
  yield { obligation: "check_output" };
}

/** Law 2e: a prompt that cannot be read may ask for anything, so it may not touch a person. */
function* onPrompt({ images }: Findings, intent: Assessment, request: Request): Generator<Ruling> {
  if (intent.isReadable) {
    return;
  }
  const mayConcernPerson = images.some((image) => !evidenceOfPerson(image).next().done);
  if (mayConcernPerson || isRevealing(intent.category)) {
    yield gap("unreadable", "language_not_covered", request);
  } else {
    yield { private: "language_not_covered", obligation: "check_output", isGap: true };
  }
}

/** Law 8 for law 6: words that were not compared may name somebody who is protected. */
function* onNames({ names }: Findings, intent: Assessment, request: Request): Generator<Ruling> {
  // Everyday words that speak of nobody in particular name nobody.
  const isInDoubt = names === "failed" || (names === "locked" && (intent.refersToPerson || isRevealing(intent.category)));
  if (isInDoubt && intent.hasText) {
    yield gap("error", "names_not_checked", request);
  }
}

/** Law 8: a face that was not searched for may be anybody's. */
function* onSearch({ images, search }: Findings, request: Request): Generator<Ruling> {
  const faces = images.flatMap((image) => image.faces);
  const reason = SEARCH_GAPS[search];
  if (reason !== undefined && faces.length > 0) {
    yield gap("error", reason, request);
  }
  if (search === "not_searched" && faces.some(({ identifiable }) => identifiable)) {
    yield gap("error", "search_failed", request);
  }
}

/** Laws 4 to 7. Each match is judged by itself, so that one cannot cover for another. */
function* onSubjects(
  { images, named }: Findings,
  intent: Assessment,
  { actors }: Request,
  policies: ReadonlyMap<string, SubjectPolicy>,
): Generator<Ruling> {
  for (const face of images.flatMap((image) => image.faces)) {
    if (!face.identifiable) {
      yield { private: "face_unidentifiable" };
      continue;
    }
    for (const { subject, level } of face.matches) {
      const why = needsConsent(policies.get(subject) ?? "every_edit", intent);
      if (level === "possible") {
        yield actors.has(subject)
          ? { private: "self_edit" }
          : { ...(why === null ? {} : CONSENT), private: "possible_match" };
      } else if (actors.has(subject)) {
        yield { private: "self_edit", subject };
      } else {
        yield { private: "subject_present", subject };
        if (why !== null) {
          yield { ...CONSENT, subject, ...(why === "region_tightened" ? { private: why } : {}) };
        }
      }
    }
  }
  for (const subject of named) {
    yield { private: "named", subject };
    const why = needsConsent(policies.get(subject) ?? "every_edit", intent);
    if (actors.has(subject)) {
      yield { private: "self_edit", subject };
    } else if (why !== null) {
      yield { ...CONSENT, subject, ...(why === "region_tightened" ? { private: why } : {}) };
    }
  }
}

/** Of two decisions about the same upload, what is stricter in each. */
export function stricter(one: Decision, other: Decision): Decision {
  const verdict = STRICTNESS[one.verdict] >= STRICTNESS[other.verdict] ? one.verdict : other.verdict;
  const told = [one, other].filter((each) => each.verdict === verdict || !each.checked);
  const either = <T>(of: (decision: Decision) => readonly T[], among = [one, other]): ReadonlySet<T> => new Set(among.flatMap(of));
  const reasons = either(({ reasons: each }) => each, told);
  const privateReasons = either(({ privateReasons: each }) => each);
  return {
    verdict,
    reasons: REASONS.filter((reason) => reasons.has(reason)),
    privateReasons: PRIVATE_REASONS.filter((reason) => privateReasons.has(reason)),
    obligations: verdict === "allow" ? [...either(({ obligations }) => obligations)] : [],
    subjects: [...either(({ subjects }) => subjects)].sort(),
    checked: one.checked && other.checked,
  };
}

const CONSENT = { verdict: "needs_consent", reason: "consent_required" } as const;

/** Why a use of her needs consent, or null when she does not protect it. Revealing ones were settled before. */
function needsConsent(policy: SubjectPolicy, intent: Assessment): PrivateReason | null {
  const isImpersonating = intent.category === "face_swap" || intent.category === "impersonation";
  if (policy === "every_edit" || isImpersonating) {
    return "subject_present";
  }
  // A browser tells nobody where it is, so the strictest region holds.
  return rulesOfUnknownRegion.asksFor.includes("edit") ? "region_tightened" : null;
}

/** Why a person is, or may be, in a picture. What was not examined counts as a person. */
function* evidenceOfPerson({ faces, readable, facesChecked, person }: ImageFinding): Generator<PrivateReason> {
  if (faces.length > 0) {
    yield "face_in_picture";
  }
  if (!readable) {
    yield "undecodable_image";
  }
  if (!facesChecked) {
    yield "detector_unavailable";
  }
  if (person === "present") {
    yield "person_in_picture";
  }
  if (person === "unknown" && faces.length === 0) {
    yield "picture_not_cleared";
  }
}

/** Something could not be examined: at a door that refuses, in a feed it is shown. */
function gap(reason: Reason, why: PrivateReason, { mode }: Request): Ruling {
  return { verdict: mode === "act" ? "refuse" : "allow", reason, private: why, isGap: true };
}

/** The strictest verdict and the reasons of all rulings for it; gaps are always told. */
function combined(rulings: readonly Ruling[]): Decision {
  const strictness = Math.max(0, ...rulings.map(({ verdict = "allow" }) => STRICTNESS[verdict]));
  const isTelling = ({ verdict = "allow", isGap }: Ruling): boolean =>
    STRICTNESS[verdict] === strictness || isGap === true;
  const reasons = new Set(rulings.filter(isTelling).map(({ reason }) => reason));
  const privateReasons = new Set(rulings.map((ruling) => ruling.private));
  const verdict = strictness === 2 ? "refuse" : strictness === 1 ? "needs_consent" : "allow";
  const mustCheckOutput = verdict === "allow" && rulings.some(({ obligation }) => obligation !== undefined);
  return {
    verdict,
    reasons: REASONS.filter((reason) => reasons.has(reason)),
    privateReasons: PRIVATE_REASONS.filter((reason) => privateReasons.has(reason)),
    obligations: mustCheckOutput ? ["check_output"] : [],
    subjects: [...new Set(rulings.flatMap(({ subject }) => subject ?? []))].sort(),
    checked: !rulings.some(({ isGap }) => isGap),
  };
}
