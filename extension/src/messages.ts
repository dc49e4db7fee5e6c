/**
 * Every message between the parts of the extension: kind -> what is asked, what is answered.
 *
 *     content script | page  --Envelope-->  background (router.ts)  --Reply-->  back
 *     background             --Notice--->   pages and content scripts, to look again; carries no content
 *
 * Messages are JSON in both browsers, so bytes travel as base64 (`Base64`). Boxes are fractions of the picture's sides.
 * Verdicts, reasons, categories and purposes are the words of server/consentry/kernel/taxonomy.py and never renamed.
 */

import type { Assessment, IntentCategory } from "./domain/intent/taxonomy.ts";

export type { Assessment, IntentCategory };

/** Standard base64, padded. */
export type Base64 = string;
/** Seconds since 1970, UTC. */
export type UnixTime = number;

export type Verdict = "allow" | "needs_consent" | "refuse";
export type Mode = "act" | "inform";
export type PublicReason = "revealing_real_person" | "minor" | "consent_required" | "unreadable" | "error";
export type PrivateReason =
  | "subject_present"
  | "possible_match"
  | "self_edit"
  | "locked"
  | "index_incomplete"
  | "search_failed"
  | "face_unidentifiable"
  | "face_in_picture"
  | "person_in_picture"
  | "picture_not_cleared"
  | "person_in_text"
  | "detector_unavailable"
  | "language_not_covered"
  | "undecodable_image"
  | "contested"
  | "named"
  | "names_not_checked"
  | "granted"
  | "token_used"
  | "token_not_valid"
  | "region_tightened"
  | "consents_not_read"
  | "intent_not_read";
export type SubjectPolicy = "every_edit" | "intimate_and_impersonating";
export type QualityIssue =
  | "too_small"
  | "blurred"
  | "too_dark"
  | "too_bright"
  | "low_contrast"
  | "turned_away"
  | "cut_off"
  | "face_not_clear";

/** What can go wrong, for a program; `_locales` has the words (`error_<code>`). */
export type FailureCode =
  | "alias_unusable"
  | "backup_unknown"
  | "companion_locked"
  | "companion_not_paired"
  | "companion_passphrase"
  | "companion_refused"
  | "companion_unreachable"
  | "companion_untrusted"
  | "companion_wait"
  | "companion_whose"
  | "different_faces"
  | "engine_unavailable"
  | "failed"
  | "forbidden"
  | "interrupted"
  | "locked"
  | "name_taken"
  | "name_unusable"
  | "no_face"
  | "not_found"
  | "passphrase_too_short"
  | "no_photos"
  | "passkey_refused"
  | "passkey_unusable"
  | "passkey_unused"
  | "picture_too_large"
  | "picture_unreachable"
  | "picture_unreadable"
  | "several_faces"
  | "storage_damaged"
  | "unknown_message"
  | "vault_exists"
  | "wrong_code"
  | "wrong_passphrase";

/** A picture: fetched by the background from the page's own host, or as bytes that the sender has. */
export type Picture = { readonly url: string } | { readonly bytes: Base64 };

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** One face that may be, or is, somebody enrolled here. Faces of others are counted, never described. */
export interface Sighting {
  readonly place: Place;
  readonly subject: string | null;
  readonly match: "match" | "possible";
}

export type PictureAnswer =
  | {
      readonly checked: true;
      readonly shows: "match" | "possible" | "nobody_enrolled";
      readonly sightings: readonly Sighting[];
      /** Faces of anybody. */
      readonly faces: number;
      /** SHA-256 of the file, hexadecimal. */
      readonly digest: string;
      readonly by: "browser" | "companion";
    }
  | { readonly checked: false; readonly why: FailureCode };

export interface UploadAnswer {
  readonly checked: boolean;
  readonly verdict: Verdict;
  readonly reasons: readonly PublicReason[];
  readonly privateReasons: readonly PrivateReason[];
  readonly category: IntentCategory;
  readonly shows: "match" | "possible" | "nobody_enrolled" | "unknown";
  /** To be shown in the approving window, and to release; null unless the verdict is `needs_consent`. */
  readonly hold: string | null;
  readonly by: "browser" | "companion";
}

export interface EngineState {
  readonly state: "idle" | "loading" | "ready" | "unavailable";
  /** `companion` while a paired companion answers, else `browser`. */
  readonly engine: "browser" | "companion";
  /** For example `mfn192+sface@1`. */
  readonly model: string;
}

export interface SubjectSummary {
  readonly subject: string;
  readonly name: string;
  readonly enrolledAt: UnixTime;
  readonly photos: number;
  readonly policy: SubjectPolicy;
  /** False when the engine has another model than the one she enrolled with: she enrols again. */
  readonly isCurrent: boolean;
}

export interface VaultState {
  readonly state: "none" | "locked" | "open";
  /** Empty while locked: names are sealed too. */
  readonly subjects: readonly SubjectSummary[];
  readonly autoLockMinutes: number;
  readonly hasPasskey: boolean;
}

/** What works on one site. */
export interface SiteState {
  /** For example `x.com`. */
  readonly host: string;
  /** What people call it; the host itself when it is none that we know. */
  readonly name: string;
  /** Match patterns that the browser has to allow: the pages, and where their pictures lie. */
  readonly origins: readonly string[];
  readonly isKnown: boolean;
  readonly isAllowed: boolean;
  /** What can be done there at all; the three below say what she has switched on. */
  readonly offers: readonly ("feed" | "requests" | "guard")[];
  readonly feed: boolean;
  readonly requests: boolean;
  readonly guard: boolean;
  /** Null: not paused. `"always"`: until she ends it. */
  readonly pausedUntil: UnixTime | "always" | null;
}

/** One thread in which somebody asked for something about her. */
export interface AlertSummary {
  readonly alert: string;
  /** When it was seen first. */
  readonly at: UnixTime;
  readonly host: string;
  readonly category: IntentCategory;
  /** Names of the people here whom it concerns. */
  readonly subjects: readonly string[];
  readonly requests: number;
  readonly isRead: boolean;
  /** Whether she has kept a picture of the screen with it. */
  readonly hasCrop: boolean;
}

export interface AlertDetail extends AlertSummary {
  /** The post that shows her, or that she wrote. */
  readonly page: string;
  readonly evidence: readonly {
    readonly url: string | null;
    readonly account: string | null;
    readonly text: string;
    readonly category: IntentCategory;
    readonly postedAt: string | null;
    readonly seenAt: UnixTime;
  }[];
  /** SHA-256 of the pictures, hexadecimal. */
  readonly digests: readonly string[];
  /** What was on the screen when she chose to keep it: PNG. */
  readonly crop: Base64 | null;
}

/** A post that a reply is about: the one it answers, quotes, or stands beneath. */
export interface AboutPost {
  readonly account: string | null;
  readonly url: string | null;
  readonly pictures: readonly Picture[];
}

/** A reply, comment or quoting post, as a page shows it. */
export interface ReportedPost {
  readonly text: string;
  readonly account: string | null;
  readonly url: string | null;
  /** As the site wrote it. */
  readonly postedAt: string | null;
  /** The replies that it answers, oldest first, without the post that all of them are about. */
  readonly turns: readonly { readonly text: string; readonly account: string | null }[];
  /** The nearest first. */
  readonly about: readonly AboutPost[];
}

export interface ConsentQuestion {
  readonly request: string;
  /** Of the person who is asked; null when the vault here does not know her, or is locked. */
  readonly name: string | null;
  readonly platform: string;
  readonly asker: string | null;
  readonly category: IntentCategory;
  readonly prompt: string | null;
  /** What was said before, oldest first. */
  readonly context: readonly string[];
  readonly pictures: number;
  readonly askedAt: UnixTime;
  readonly endsAt: UnixTime;
}

export type Purpose = "edit" | "intimate" | "face_swap" | "impersonation" | "training" | "video";

/** A check of the companion in which her face or her name mattered. */
export interface CheckSummary {
  readonly check: string;
  readonly at: UnixTime;
  /** By what she was recognised; `possible`: a face that may be hers, or somebody else's. */
  readonly how: "face" | "name" | "possible";
  /** Of what was asked for, or of what was made. */
  readonly stage: "request" | "result";
  readonly category: IntentCategory;
  readonly purpose: Purpose;
  /** Null: it did not say. */
  readonly platform: string | null;
  /** Compact JWS; null when the companion keeps it no more. */
  readonly receipt: string | null;
  readonly verdict: Verdict;
  readonly reasons: readonly PublicReason[];
}

export type SiteChange =
  | { readonly feature: "feed" | "requests" | "guard"; readonly isOn: boolean }
  | { readonly pause: "hour" | "always" | "end" };

export type Secret =
  | { readonly passphrase: string }
  /** 32 bytes from the passkey's PRF extension. */
  | { readonly prf: Base64 };

/** kind -> what is asked and what is answered. Parts add their own kinds here. */
export interface Exchanges {
  "engine.state": { ask: object; answer: EngineState };

  "picture.check": {
    /** The same `id` again while an answer is outstanding, or after an interruption, is one check. */
    ask: { readonly id: string; readonly picture: Picture; readonly page: string };
    answer: PictureAnswer;
  };

  "upload.check": {
    ask: {
      readonly id: string;
      readonly pictures: readonly Base64[];
      readonly prompt: string | null;
      readonly page: string;
    };
    answer: UploadAnswer;
  };
  "upload.release": {
    ask: { readonly hold: string; readonly secret: Secret };
    answer: { readonly released: boolean };
  };

  /** What the approving window shows. Pictures are small copies, JPEG; `prompt` is what stands in the page's box. */
  "upload.hold": {
    ask: { readonly hold: string };
    answer: {
      readonly thumbnails: readonly Base64[];
      readonly page: string;
      readonly prompt: string | null;
      readonly category: IntentCategory;
      readonly subjects: readonly string[];
      readonly endsAt: UnixTime;
    };
  };
  /** What became of it; for the guard, which lets the upload go on `released` and on nothing else. */
  "upload.outcome": {
    ask: { readonly hold: string };
    answer: { readonly state: "waiting" | "released" | "cancelled" | "ended" };
  };
  /** Open the window in which she approves as the subject (`pages/approve`, with `?hold=`), or bring it to the front. */
  "upload.approve": { ask: { readonly hold: string }; answer: object };
  /**
   * The guard holds a picture in this tab, or does no more. While it does, everything that the tab sends with a body is
   * blocked, so that no way that a page's script cannot be stopped on leads around the guard. `guard.arrive`: the tab
   * shows a new page, and what the page before it held is gone.
   */
  "guard.arrive": { ask: object; answer: object };
  "guard.hold": { ask: { readonly id: string }; answer: object };
  "guard.let-go": { ask: { readonly id: string }; answer: { readonly isBlocked: boolean } };
  /** A question to her stands in this tab, or no more; `id` is made up for it. If she does not see the tab she is told, once. */
  "guard.waits": { ask: { readonly id: string; readonly isWaiting: boolean }; answer: object };
  /** A picture that a page names by its address only, for the guard to hold and to check. */
  "guard.fetch": { ask: { readonly url: string }; answer: { readonly bytes: Base64 } };
  /** Open one of our own pages in a tab of its own; for what a content script offers her and may not do itself. */
  "page.open": { ask: { readonly page: "settings" | "inbox" | "unlock" }; answer: object };
  /** She does not want it: the page never gets the picture. */
  "upload.cancel": { ask: { readonly hold: string }; answer: object };

  /**
   * Whether words without any picture have to be checked: they name somebody here, or may while the vault is locked. For the
   * guard, which otherwise holds pictures only.
   */
  "words.concern": { ask: { readonly words: string }; answer: { readonly concerns: boolean } };

  "text.assess": { ask: { readonly text: string; readonly turns?: readonly string[] }; answer: Assessment };

  "enrol.photo": {
    /** `session` is a random id that the page makes; photos wait in memory until `enrol.finish`. */
    ask: { readonly session: string; readonly photo: Base64 };
    answer: {
      readonly accepted: boolean;
      readonly issues: readonly QualityIssue[];
      readonly place: Place | null;
      /** 0 to 1; below 0.2 is not accepted. */
      readonly quality: number | null;
      readonly photos: number;
    };
  };
  /** How a frame of the camera would do. Nothing of it is kept, not even in memory. */
  "enrol.look": {
    ask: { readonly photo: Base64 };
    answer: {
      readonly faces: number;
      readonly issues: readonly QualityIssue[];
      readonly place: Place | null;
      readonly quality: number | null;
    };
  };
  "enrol.finish": {
    ask: { readonly session: string; readonly name: string; readonly policy: SubjectPolicy };
    answer: { readonly subject: string };
  };
  "enrol.cancel": { ask: { readonly session: string }; answer: object };
  "subject.delete": { ask: { readonly subject: string; readonly secret: Secret }; answer: object };
  "subject.policy": {
    ask: { readonly subject: string; readonly policy: SubjectPolicy; readonly secret: Secret };
    answer: object;
  };

  "vault.state": { ask: object; answer: VaultState };
  "vault.create": { ask: { readonly passphrase: string }; answer: VaultState };
  "vault.unlock": { ask: { readonly secret: Secret }; answer: VaultState };
  "vault.lock": { ask: object; answer: VaultState };
  "vault.settings": { ask: { readonly autoLockMinutes: number }; answer: VaultState };
  "vault.passphrase": {
    ask: { readonly secret: Secret; readonly passphrase: string };
    answer: VaultState;
  };
  /** What the page needs for `navigator.credentials`: the salt of the PRF, and the credential if there is one. */
  "vault.passkey": { ask: object; answer: { readonly salt: Base64; readonly credential: Base64 | null } };
  "vault.passkey.add": {
    ask: { readonly secret: Secret; readonly credential: Base64; readonly prf: Base64 };
    answer: VaultState;
  };
  "vault.passkey.remove": { ask: object; answer: VaultState };
  "vault.export": {
    ask: { readonly secret: Secret; readonly passphrase: string };
    answer: { readonly file: Base64; readonly subjects: number };
  };
  "vault.import": {
    ask: { readonly file: Base64; readonly passphrase: string };
    answer: { readonly added: number; readonly known: number };
  };
  /** Destroys every key and everything sealed under them. */
  "vault.destroy": { ask: object; answer: VaultState };

  /** A site's switches; a content script asks about its own page (`page` is not believed from it). */
  "site.state": { ask: { readonly page?: string }; answer: SiteState };
  "site.list": { ask: object; answer: { readonly sites: readonly SiteState[] } };
  "site.set": { ask: { readonly host: string; readonly change: SiteChange }; answer: SiteState };

  /** What was kept for her, newest first; empty while locked. */
  /** What stands beneath posts on a page. Nothing is kept of what is no request, or concerns nobody here. */
  "thread.report": {
    ask: { readonly page: string; readonly posts: readonly ReportedPost[] };
    /** `again`: not all could be looked at now. No word of whether anything was found: the page may be listening. */
    answer: { readonly again: boolean };
  };
  /** What she is called: posts of these accounts are hers, and words with these names are about her. */
  "handles.list": {
    ask: object;
    answer: { readonly people: readonly { readonly subject: string; readonly name: string; readonly handles: readonly string[]; readonly names: readonly string[] }[] };
  };
  /** @throws `alias_unusable`: a name that stands in too many ordinary words. */
  "handles.set": { ask: { readonly subject: string; readonly handles: readonly string[]; readonly names: readonly string[] }; answer: object };

  "inbox.list": { ask: object; answer: { readonly alerts: readonly AlertSummary[]; readonly unread: number } };
  /** All of one alert; it is read from then on. */
  "inbox.read": { ask: { readonly alert: string }; answer: AlertDetail };
  /** Keep what is on the screen (PNG) with an alert that has no picture yet. */
  "inbox.illustrate": { ask: { readonly alert: string; readonly crop: Base64 }; answer: object };
  "inbox.delete": { ask: { readonly alert: string }; answer: object };
  /** The evidence as a file for a lawyer, a platform or the police: no longer sealed. */
  "inbox.export": { ask: { readonly alert: string; readonly secret: Secret }; answer: { readonly file: Base64; readonly name: string } };

  /** Whether the system may show her notifications: of alerts, and of questions in tabs that she does not see. */
  "notifications.state": { ask: object; answer: { readonly isOn: boolean } };
  "notifications.set": { ask: { readonly isOn: boolean }; answer: { readonly isOn: boolean } };

  /** How many pictures of the page show her, for the toolbar. */
  "feed.found": { ask: { readonly mine: number }; answer: object };

  "companion.state": {
    ask: object;
    answer: {
      readonly state: "not_paired" | "reachable" | "unreachable" | "untrusted";
      readonly origin: string | null;
    };
  };
  "companion.pair": { ask: { readonly origin: string; readonly code: string }; answer: object };
  "companion.forget": { ask: object; answer: object };
  /** The key set (JSON) of the receipts that the paired companion signs, once it has shown that it is the one. */
  "companion.keys": { ask: object; answer: { readonly keys: string } };

  /** Questions that platforms asked her through the companion. `forbidden`: it lets this browser not answer them. */
  "consent.list": { ask: object; answer: { readonly questions: readonly ConsentQuestion[] } };
  "consent.approve": {
    /** Once, and no longer than `seconds` (1 to 300). `passphrase`: hers in the companion, not that of the vault here. */
    ask: { readonly request: string; readonly seconds: number; readonly passphrase: string };
    answer: object;
  };
  "consent.decline": { ask: { readonly request: string }; answer: object };
  /** Small copies of what a question is about, JPEG. */
  "consent.pictures": { ask: { readonly request: string }; answer: { readonly pictures: readonly Base64[] } };
  /** Decline, and hear no more from whoever asked. */
  "consent.block": { ask: { readonly request: string }; answer: object };
  /** Checks of the companion that one person here mattered in, newest first; `before` as the page before it said. */
  "consent.checks": {
    ask: { readonly subject: string; readonly passphrase: string; readonly before: string | null };
    answer: { readonly checks: readonly CheckSummary[]; readonly before: string | null; readonly keptDays: number };
  };
}

export type Kind = keyof Exchanges;
export type Ask<K extends Kind> = Exchanges[K]["ask"];
export type Answer<K extends Kind> = Exchanges[K]["answer"];

/** What goes over `runtime.sendMessage`. */
export interface Envelope<K extends Kind = Kind> {
  readonly to: "background";
  readonly kind: K;
  readonly ask: Ask<K>;
}

export type Reply<K extends Kind = Kind> =
  | { readonly answer: Answer<K> }
  | { readonly error: FailureCode };

/**
 * What a content script may ask. A page's own script may have taken over the process that a content script runs in, so
 * everything else is answered to the extension's own pages only.
 */
export const CONTENT_KINDS: ReadonlySet<Kind> = new Set<Kind>([
  "engine.state",
  "feed.found",
  "guard.arrive",
  "guard.fetch",
  "guard.hold",
  "guard.let-go",
  "guard.waits",
  "page.open",
  "picture.check",
  "site.state",
  "text.assess",
  "thread.report",
  "upload.approve",
  "upload.cancel",
  "upload.check",
  "upload.outcome",
  "words.concern",
]);

/** What the toolbar's window asks the feed watch of a tab itself, by `tabs.sendMessage`: it is kept nowhere else. */
export interface FeedQuestion {
  readonly to: "feed";
  readonly question: "counts";
}
export interface FeedCounts {
  readonly looked: number;
  readonly mine: number;
  readonly possible: number;
  readonly notChecked: number;
}

/** Something changed; whoever shows it asks again. */
export interface Notice {
  readonly to: "everyone";
  readonly notice: "vault" | "engine" | "companion" | "inbox" | "sites";
}

/** Before the hold's id, in the name of the port that a guard keeps open while it holds: when it closes, the hold is over. */
export const LINE = "hold ";
/** The same before a question's id, for as long as the question stands. */
export const QUESTION_LINE = "question ";
