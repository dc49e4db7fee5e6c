/**
 * Becoming one who is recognised here: photos one after the other, then a name.
 *
 * What was taken from a photo waits sealed, in memory only (`storage.session`), so that it survives the background's end
 * and not the browser's; photos are not kept at all. Rules and numbers are the server's (enrolment/enrol.py).
 */

import { fromBase64, toBase64 } from "../domain/base64.ts";
import { atFmr, cosine } from "../domain/faces/search.ts";
import data from "../engine/engine.json" with { type: "json" };
import type { SeenFace, SeenView } from "../engine/protocol.ts";
import type { Answer, Base64, Place } from "../messages.ts";
import type { Vault } from "../vault/vault.ts";
import type { Engine } from "./engine.ts";
import { Failure } from "../failure.ts";
import type { Handlers } from "./router.ts";

const PREFIX = "enrol:";
const LABEL = "enrolment";
const SESSION = /^[0-9A-Za-z-]{1,64}$/;
const { minQuality, dominance, dominanceInTheMiddle, maxPhotos, maxNameChars } = data.enrolment;

export class Enrolment {
  readonly #engine: Engine;
  readonly #vault: Vault;
  readonly #storage: chrome.storage.StorageArea;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, vault: Vault, storage: chrome.storage.StorageArea) {
    this.#engine = engine;
    this.#vault = vault;
    this.#storage = storage;
  }

  /** The handlers of `enrol.*`. */
  handlers(): Handlers {
    return {
      "enrol.look": ({ photo }) => this.#look(photo),
      "enrol.photo": ({ session, photo }) => this.#photo(keyOf(session), photo),
      "enrol.finish": async ({ session, name, policy }) => {
        const key = keyOf(session);
        const embeddings = await this.#held(key);
        if (embeddings.length === 0) {
          throw new Failure("no_photos");
        }
        requireOnePerson(embeddings);
        const subject = await this.#vault.enrol(tidied(name), policy, embeddings);
        await this.#storage.remove(key);
        return { subject };
      },
      "enrol.cancel": async ({ session }) => {
        await this.#storage.remove(keyOf(session));
        return {};
      },
    };
  }

  /** Forget photos that nobody finished. */
  async forget(): Promise<void> {
    const keys = Object.keys(await this.#storage.get(null));
    await this.#storage.remove(keys.filter((key) => key.startsWith(PREFIX)));
  }

  async #look(photo: Base64): Promise<Answer<"enrol.look">> {
    const [view] = await this.#engine.look(fromBase64(photo).buffer, { thorough: false, urgent: true });
    const face = view?.faces[0];
    return {
      faces: view?.faces.length ?? 0,
      issues: face?.issues ?? [],
      place: view === undefined || face === undefined ? null : placeOf(face, view),
      quality: face?.quality ?? null,
    };
  }

  async #photo(key: string, photo: Base64): Promise<Answer<"enrol.photo">> {
    const bytes = fromBase64(photo).buffer;
    let [view] = await this.#engine.look(bytes.slice(0), { thorough: false, urgent: true });
    if (view?.faces.length === 0) {
      // Only now: a photo on its side is usual, but turned candidates cost four times as much.
      [view] = await this.#engine.look(bytes, { thorough: true, urgent: true });
    }
    if (view === undefined) {
      throw new Failure("picture_unreadable");
    }
    const face = portrayed(view);
    const embedding = face.quality < minQuality ? null : face.embedding;
    const photos = await this.#keep(key, embedding);
    const place = placeOf(face, view);
    return { accepted: embedding !== null, issues: face.issues, place, quality: face.quality, photos };
  }

  /** Photos that come at once are kept one behind the other. */
  #keep(key: string, embedding: Float32Array | null): Promise<number> {
    const turn = this.#turn.then(async () => {
      const held = await this.#held(key);
      if (embedding === null || held.length >= maxPhotos) {
        return held.length;
      }
      const all = [...held, embedding];
      const plain = new Float32Array(all.flatMap((each) => [...each]));
      const sealed = await this.#vault.seal(new Uint8Array(plain.buffer), LABEL);
      plain.fill(0);
      await this.#storage.set({ [key]: toBase64(sealed) });
      return all.length;
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #held(key: string): Promise<Float32Array[]> {
    const sealed: unknown = (await this.#storage.get(key))[key];
    if (typeof sealed !== "string") {
      return [];
    }
    const plain = new Float32Array((await this.#vault.unseal(fromBase64(sealed), LABEL)).buffer);
    return Array.from({ length: plain.length / data.dimension }, (_, i) =>
      plain.slice(i * data.dimension, (i + 1) * data.dimension),
    );
  }
}

function keyOf(session: string): string {
  if (!SESSION.test(session)) {
    throw new Failure("failed");
  }
  return PREFIX + session;
}

function tidied(name: string): string {
  const text = name.normalize("NFC").replace(/\s+/gu, " ").trim();
  if (text === "" || [...text].length > maxNameChars || !text.isWellFormed()) {
    throw new Failure("name_unusable");
  }
  return text;
}

/** The face that the photo is a portrait of. @throws {Failure} `no_face`, or `several_faces` if it could be either of two. */
function portrayed(view: SeenView): SeenFace {
  const [first, ...others] = view.faces;
  if (first === undefined) {
    throw new Failure("no_face");
  }
  const lead = Math.min(...others.map((other) => areaOf(first) / areaOf(other)));
  const middle = view.faces.filter(({ box }) => {
    const across = view.width / 2 - box.x;
    const down = view.height / 2 - box.y;
    return across >= 0 && across <= box.w && down >= 0 && down <= box.h;
  });
  const needed = middle.length === 1 && middle[0] === first ? dominanceInTheMiddle : dominance;
  if (lead < needed) {
    throw new Failure("several_faces");
  }
  return first;
}

const areaOf = ({ box }: SeenFace): number => Math.max(1, box.w * box.h);

/** Each photo looks like one before it. */
function requireOnePerson(embeddings: readonly Float32Array[]): void {
  const alike = atFmr(data.curve.points, data.points.samePersonFmr).threshold;
  const isLikeOneBefore = embeddings.every(
    (embedding, i) => i === 0 || embeddings.slice(0, i).some((earlier) => cosine(embedding, earlier) >= alike),
  );
  if (!isLikeOneBefore) {
    throw new Failure("different_faces");
  }
}

/** In parts of the picture's sides. */
export function placeOf({ box }: SeenFace, { width, height }: SeenView): Place {
  return { x: box.x / width, y: box.y / height, w: box.w / width, h: box.h / height };
}
