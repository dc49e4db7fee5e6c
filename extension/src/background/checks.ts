/**
 * The browser's own decision path: who is in a picture, and may this picture go with these words?
 *
 *     picture.check   file -> faces -> search -> sightings                     tells her; keeps nothing
 *     upload.check    files, words -> laws 1 and 2 -> search -> laws -> verdict; what needs consent waits in holds
 *
 * Whatever fails is a finding: at the upload door it refuses, in the feed it shows as "not checked".
 */

import { fromBase64, toBase64 } from "../domain/base64.ts";
import {
  type Decision,
  type Findings,
  type ImageFinding,
  type Match,
  type Request,
  type SearchState,
  decide,
  settledBeforeSearch,
  stricter,
} from "../domain/consent/decide.ts";
import { isRevealing, withHeard } from "../domain/intent/taxonomy.ts";
import { mentions } from "../domain/requests/handles.ts";
import { isNamed } from "../domain/requests/names.ts";
import { search } from "../domain/faces/search.ts";
import { toHex } from "../domain/hex.ts";
import data from "../engine/engine.json" with { type: "json" };
import type { SeenView } from "../engine/protocol.ts";
import type { Ask, Assessment, FailureCode, Picture, PictureAnswer, Sighting, UploadAnswer } from "../messages.ts";
import type { Reference, Vault } from "../vault/vault.ts";
import type { Companion } from "./companion/companion.ts";
import { placeOf } from "./enrolment.ts";
import type { Engine } from "./engine.ts";
import { Failure } from "../failure.ts";
import { type Holds, thumbnail } from "./holds.ts";
import type { Handles } from "./inbox.ts";
import { fetchPicture } from "./pictures.ts";
import type { Handlers, Sender } from "./router.ts";
import type { SeenPictures } from "./seen.ts";

const MAX_PICTURES = 16;
const UNREAD: Assessment = {
  category: "none",
  spans: [],
  language: "und",
  isReadable: false,
  hasText: true,
  hasAgeCue: false,
  refersToPerson: false,
};
/** What may be otherwise the next time, and so is not remembered. */
const PASSING: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "companion_unreachable",
  "engine_unavailable",
  "failed",
  "forbidden",
  "interrupted",
  "locked",
  "picture_unreachable",
]);

export interface CheckParts {
  readonly engine: Engine;
  readonly vault: Vault;
  readonly companion: Companion;
  readonly holds: Holds;
  readonly seen: SeenPictures<PictureAnswer>;
  readonly assess: (text: string) => Promise<Assessment>;
  /** What the people here are called. @throws {Failure} `locked`, if somebody is called something. */
  readonly called: () => Promise<readonly Handles[]>;
}

export class Checks {
  readonly #parts: CheckParts;
  /** Uploads that are being checked, by their id: asked again meanwhile, they are one check. */
  readonly #running = new Map<string, Promise<UploadAnswer>>();

  constructor(parts: CheckParts) {
    this.#parts = parts;
  }

  /** The handlers of `picture.check` and of `upload.check`, `hold`, `release`, `cancel`. */
  handlers(): Handlers {
    const { holds, vault } = this.#parts;
    return {
      "picture.check": ({ picture }, sender) => this.picture(picture, sender),
      "upload.check": (asked, sender) => this.#once(asked, sender),
      "words.concern": async ({ words }) => ({ concerns: await this.#concerns(words) }),
      "upload.hold": async ({ hold }) => {
        const { thumbnails, page, prompt, category, subjects, endsAt } = await holds.waiting(hold);
        return { thumbnails, page, prompt, category, subjects, endsAt };
      },
      "upload.release": async ({ hold, secret }) => {
        await holds.waiting(hold);
        await vault.verify(secret);
        await holds.settle(hold, "released");
        return { released: true };
      },
      "upload.cancel": async ({ hold }, sender) => {
        const { tabId } = await holds.waiting(hold);
        if (!sender.isOwnPage && sender.tabId !== tabId) {
          throw new Failure("not_found");
        }
        await holds.settle(hold, "cancelled");
        return {};
      },
    };
  }

  /** Look at one picture of a page. Never throws: what could not be checked is an answer. */
  async picture(picture: Picture, sender: Sender): Promise<PictureAnswer> {
    const isLasting = (answer: PictureAnswer): boolean => answer.checked || !PASSING.has(answer.why);
    const known = (file: ArrayBuffer): Promise<PictureAnswer> =>
      this.#parts.seen.once(file, () => this.#look(file), isLasting);
    try {
      if ("bytes" in picture) {
        return await known(fromBase64(picture.bytes).buffer);
      }
      const { url } = picture;
      // What a page may have fetched depends on the page.
      const key = `${new URL(sender.url).origin} ${url}`;
      return await this.#parts.seen.once(key, async () => known(await fetchPicture(url, sender.url)), isLasting);
    } catch (error) {
      return { checked: false, why: codeOf(error) };
    }
  }

  async #look(file: ArrayBuffer): Promise<PictureAnswer> {
    try {
      const references = await this.#references();
      const told = await this.#parts.companion.inform(file);
      if (told !== null && (told.shows === "nobody_enrolled" || references === "none" || references === "locked")) {
        // Whom the companion knows it tells nobody; where, the browser's own engine finds, if it may.
        return { checked: true, sightings: [], faces: told.faces, shows: told.shows, digest: await digestOf(file), by: "companion" };
      }
      if (references === "locked") {
        return { checked: false, why: "locked" };
      }
      const digest = await digestOf(file);
      if (references === "none") {
        return { checked: true, shows: "nobody_enrolled", sightings: [], faces: 0, digest, by: "browser" };
      }
      const views = await this.#parts.engine.look(file, { thorough: false, urgent: false });
      const sightings = sightingsIn(views, references);
      const shows = sightings.some(({ match }) => match === "match") ? "match" : "possible";
      return {
        checked: true,
        shows: sightings.length === 0 ? "nobody_enrolled" : shows,
        sightings,
        faces: Math.max(...views.map(({ faces }) => faces.length)),
        digest,
        by: "browser",
      };
    } catch (error) {
      return { checked: false, why: codeOf(error) };
    }
  }

  async #references(): Promise<readonly Reference[] | "locked" | "none"> {
    try {
      const references = await this.#parts.vault.references();
      return references.length === 0 ? "none" : references;
    } catch (error) {
      if (error instanceof Failure && error.code === "locked") {
        return "locked";
      }
      throw error;
    }
  }

  #once(asked: Ask<"upload.check">, sender: Sender): Promise<UploadAnswer> {
    const key = `${sender.tabId ?? ""} ${asked.id}`;
    const running = this.#running.get(key) ?? this.#upload(asked, sender);
    this.#running.set(key, running);
    return running.finally(() => this.#running.delete(key));
  }

  async #upload({ pictures, prompt, page }: Ask<"upload.check">, sender: Sender): Promise<UploadAnswer> {
    if (pictures.length > MAX_PICTURES) {
      throw new Failure("picture_too_large");
    }
    const files = pictures.map((each) => fromBase64(each).buffer);
    const own = await this.#intent(prompt);
    const names = await this.#named(prompt);
    const told = await this.#parts.companion.act(files, prompt);
    const actors = await this.#parts.holds.actors(sender.tabId, sender.url);
    // Whatever the companion could not examine, the browser's own engine looks at, if it may.
    const isAlone = told === null || (!told.decision.checked && (await this.#canLook()));
    const intent = told !== null && isAlone ? await this.#heard(own, prompt) : own;
    const decision = isAlone
      ? await this.#decided(files, intent, { names, actors })
      : stricter(told.decision, await this.#decided([], intent, { names, actors }));
    const { verdict, reasons, privateReasons, checked } = decision;
    // Whoever has no vault here cannot show here that it is she.
    const canApprove = verdict === "needs_consent" && (await this.#parts.vault.state()).state !== "none";
    return {
      checked,
      verdict,
      reasons,
      privateReasons,
      category: intent.category,
      shows: isAlone ? showsOf(decision) : told.shows,
      hold: canApprove ? await this.#hold(files, { prompt, sender, decision, intent, page: pageOf(page, sender) }) : null,
      by: isAlone ? "browser" : "companion",
    };
  }

  async #canLook(): Promise<boolean> {
    const references = await this.#references();
    return references !== "none" && references !== "locked";
  }

  /** The browser's own reading and the companion's, whichever is stricter. */
  async #heard(own: Assessment, prompt: string | null): Promise<Assessment> {
    const heard = prompt === null || prompt === "" || own === UNREAD ? null : await this.#parts.companion.words(prompt);
    return heard === null ? own : withHeard(own, heard, prompt ?? "");
  }

  /** Law 6: whom the words name. Names are sealed: while locked nobody can say. */
  async #named(words: string | null): Promise<Pick<Findings, "named" | "names">> {
    if (words === null || words === "") {
      return { named: [], names: "checked" };
    }
    try {
      const people = await this.#parts.called();
      const named = people.filter(({ handles, names }) => isNamed(words, names) || mentions(words, handles));
      return { named: named.map(({ subject }) => subject), names: "checked" };
    } catch (error) {
      const isLocked = error instanceof Failure && error.code === "locked";
      if (!isLocked) {
        console.error("names could not be read", error instanceof Error ? error.name : typeof error);
      }
      return { named: [], names: isLocked ? "locked" : "failed" };
    }
  }

  async #concerns(words: string): Promise<boolean> {
    const { named, names } = await this.#named(words);
    if (named.length > 0 || names === "failed") {
      return true;
    }
    return names === "locked" && isRevealing((await this.#intent(words)).category);
  }

  async #decided(
    files: readonly ArrayBuffer[],
    intent: Assessment,
    { names, actors }: { readonly names: Pick<Findings, "named" | "names">; readonly actors: ReadonlySet<string> },
  ): Promise<Decision> {
    const request: Request = { mode: "act", actors };
    const looked: Looked[] = [];
    for (const file of files) {
      looked.push(await this.#thorough(file));
    }
    const unsearched: Findings = {
      images: looked.map((each) => findingOf(each, [])),
      search: "not_searched",
      intentRead: intent !== UNREAD,
      ...names,
    };
    const settled = settledBeforeSearch(unsearched, intent, request);
    if (settled !== null) {
      return settled;
    }
    const { state, matches, policies } = await this.#searched(looked);
    const images = looked.map((each, i) => findingOf(each, matches[i] ?? []));
    const findings = { ...unsearched, images, search: state };
    return decide(findings, intent, request, policies);
  }

  async #intent(prompt: string | null): Promise<Assessment> {
    try {
      return await this.#parts.assess(prompt ?? "");
    } catch (error) {
      console.error("words could not be read", error instanceof Error ? error.name : typeof error);
      return UNREAD;
    }
  }

  async #thorough(file: ArrayBuffer): Promise<Looked> {
    try {
      return { views: await this.#parts.engine.look(file, { thorough: true, urgent: true }) };
    } catch (error) {
      return { views: [], failure: codeOf(error).startsWith("picture_") ? "picture" : "engine" };
    }
  }

  /** One search over the faces of all pictures. A search that fails is a finding. */
  async #searched(looked: readonly Looked[]): Promise<Searched> {
    const policies = new Map<string, Reference["policy"]>();
    try {
      const references = await this.#references();
      if (references === "none" || references === "locked") {
        return { state: references === "none" ? "empty_gallery" : "locked", matches: [], policies };
      }
      references.forEach(({ subject, policy }) => policies.set(subject, policy));
      const probes = looked.flatMap((each) => embeddingsOf(each));
      const found = search(probes, references, data.curve.points, data.points).values();
      const matches = looked.map((each) => embeddingsOf(each).map(() => found.next().value ?? []));
      return { state: "complete", matches, policies };
    } catch (error) {
      console.error("faces could not be compared", error instanceof Error ? error.name : typeof error);
      return { state: "failed", matches: [], policies };
    }
  }

  async #hold(files: readonly ArrayBuffer[], { prompt, page, sender, decision, intent }: Asked): Promise<string> {
    const thumbnails: string[] = [];
    for (const file of files) {
      const small = await thumbnail(new Blob([file]));
      if (small !== null) {
        thumbnails.push(toBase64(new Uint8Array(await small.arrayBuffer())));
      }
    }
    const { subjects } = await this.#parts.vault.state();
    const names = subjects.filter(({ subject }) => decision.subjects.includes(subject)).map(({ name }) => name);
    const { category } = intent;
    const subjectIds = decision.subjects;
    const tabId = sender.tabId ?? -1;
    return this.#parts.holds.open({ tabId, thumbnails, page, prompt, category, subjects: names, subjectIds });
  }
}

interface Asked {
  readonly prompt: string | null;
  readonly page: string;
  readonly sender: Sender;
  readonly decision: Decision;
  readonly intent: Assessment;
}

interface Searched {
  readonly state: SearchState;
  /** For each picture, for each face that has an embedding. */
  readonly matches: readonly (readonly (readonly Match[])[])[];
  readonly policies: ReadonlyMap<string, Reference["policy"]>;
}

interface Looked {
  readonly views: readonly SeenView[];
  readonly failure?: "engine" | "picture";
}

const facesOf = ({ views }: Looked) => views.flatMap(({ faces }) => faces);
const embeddingsOf = (looked: Looked) => facesOf(looked).flatMap(({ embedding }) => embedding ?? []);

function findingOf(looked: Looked, matches: readonly (readonly Match[])[]): ImageFinding {
  const each = matches.values();
  return {
    readable: looked.failure !== "picture",
    facesChecked: looked.failure !== "engine",
    person: "unknown",
    faces: facesOf(looked).map(({ embedding }) => ({
      identifiable: embedding !== null,
      matches: embedding === null ? [] : (each.next().value ?? []),
    })),
  };
}

/** Each enrolled person once, where she is surest; of several ways to show the picture, the usual one first. */
function sightingsIn(views: readonly SeenView[], references: readonly Reference[]): Sighting[] {
  const faces = views.flatMap((view) =>
    view.faces.flatMap((face) => (face.embedding === null ? [] : [{ view, face, embedding: face.embedding }])),
  );
  const found = search(
    faces.map(({ embedding }) => embedding),
    references,
    data.curve.points,
    data.points,
  );
  const best = new Map<string, Sighting>();
  faces.forEach(({ view, face }, i) => {
    for (const { subject, level } of found[i] ?? []) {
      const known = best.get(subject);
      if (known === undefined || (known.match === "possible" && level === "match")) {
        best.set(subject, { place: placeOf(face, view), subject, match: level });
      }
    }
  });
  return [...best.values()];
}

function showsOf({ privateReasons, checked }: Decision): UploadAnswer["shows"] {
  if (privateReasons.includes("subject_present") || privateReasons.includes("self_edit")) {
    return "match";
  }
  if (privateReasons.includes("possible_match")) {
    return "possible";
  }
  return checked ? "nobody_enrolled" : "unknown";
}

/** Where the upload goes: as the browser says, unless one of our own pages asks. */
const pageOf = (page: string, { isOwnPage, url }: Sender): string => (isOwnPage ? page : url);

async function digestOf(file: ArrayBuffer): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", file)));
}

function codeOf(error: unknown): FailureCode {
  if (error instanceof Failure) {
    return error.code;
  }
  console.error("a check failed", error instanceof Error ? error.name : typeof error);
  return "failed";
}
