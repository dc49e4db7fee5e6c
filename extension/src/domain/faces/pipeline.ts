/** Pixels to faces: find them, judge them, embed those that are large enough. Server: faces/pipeline.py. */

import { detect } from "./detect.ts";
import { type Part, embed } from "./embed.ts";
import type { Networks } from "./networks.ts";
import type { Picture } from "./picture.ts";
import type { DetectedFace } from "./places.ts";
import { type Quality, type QualityLimits, assess, eyeDistancePx } from "./quality.ts";

/** What the server's data say (engine.json). */
export interface Recipe {
  readonly parts: readonly Part[];
  readonly quality: QualityLimits;
  /** Distance of the eyes below which a face is present but cannot be told from others. */
  readonly identifiableEyePx: number;
}

export interface Face extends DetectedFace {
  readonly quality: Quality;
  /** L2 norm 1; null when the face is too small to be told from others. */
  readonly embedding: Float32Array | null;
}

/** Find, judge and embed every face, largest first. */
export async function observe(
  networks: Networks,
  recipe: Recipe,
  picture: Picture,
  thorough: boolean,
): Promise<Face[]> {
  const found = await detect(networks, picture, thorough);
  const isKnown = (face: DetectedFace): boolean =>
    eyeDistancePx(face.landmarks, recipe.quality.points) >= recipe.identifiableEyePx;
  const known = found.filter(isKnown).map((face) => face.landmarks);
  const embeddings = (await embed(networks, recipe.parts, picture, known)).values();
  return found.map((face) => ({
    ...face,
    quality: assess(picture, face, recipe.quality),
    embedding: isKnown(face) ? (embeddings.next().value ?? null) : null,
  }));
}
