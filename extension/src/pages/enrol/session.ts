/** The photos of one enrolment: what the engine said of each. They are in memory only, here and in the background. */

import { ask } from "../../ask.ts";
import { toBase64 } from "../../domain/base64.ts";
import type { FailureCode, Place, QualityIssue, SubjectPolicy } from "../../messages.ts";
import { codeOf } from "../secret.ts";

export interface Shot {
  readonly photo: Blob;
  /** Where the face is; null when none was taken from it. */
  readonly place: Place | null;
  readonly isAccepted: boolean;
  readonly issues: readonly QualityIssue[];
  /** Why the picture could not be used at all. */
  readonly failure: FailureCode | null;
}

export class EnrolSession {
  #id = crypto.randomUUID();
  #shots: readonly Shot[] = [];

  get shots(): readonly Shot[] {
    return this.#shots;
  }

  get accepted(): number {
    return this.#shots.filter((shot) => shot.isAccepted).length;
  }

  async add(photo: Blob): Promise<Shot> {
    const shot = await this.#rate(photo);
    this.#shots = [...this.#shots, shot];
    return shot;
  }

  /** Take one out again: the background starts anew with the others. */
  async remove(shot: Shot): Promise<void> {
    const others = this.#shots.filter((each) => each !== shot);
    this.#shots = others;
    if (shot.isAccepted) {
      await this.#forget();
      this.#shots = await Promise.all(others.map((each) => (each.isAccepted ? this.#rate(each.photo) : each)));
    }
  }

  /** Seal what was taken from the photos, and forget the photos. */
  async finish(name: string, policy: SubjectPolicy): Promise<void> {
    await ask("enrol.finish", { session: this.#id, name, policy });
    this.#id = crypto.randomUUID();
    this.#shots = [];
  }

  async cancel(): Promise<void> {
    this.#shots = [];
    await this.#forget();
  }

  async #forget(): Promise<void> {
    const old = this.#id;
    this.#id = crypto.randomUUID();
    await ask("enrol.cancel", { session: old });
  }

  async #rate(photo: Blob): Promise<Shot> {
    try {
      const bytes = new Uint8Array(await photo.arrayBuffer());
      const { accepted, issues, place } = await ask("enrol.photo", { session: this.#id, photo: toBase64(bytes) });
      return { photo, place, isAccepted: accepted, issues, failure: null };
    } catch (error) {
      return { photo, place: null, isAccepted: false, issues: [], failure: codeOf(error) };
    }
  }
}
