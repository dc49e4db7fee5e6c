/** What the server's data say about models, thresholds and limits, as this engine's types. */

import type { Landmarks } from "../domain/faces/places.ts";
import type { NetworkName } from "../domain/faces/networks.ts";
import type { Recipe } from "../domain/faces/pipeline.ts";
import type { QualityIssue, Ramp } from "../domain/faces/quality.ts";
import data from "./engine.json" with { type: "json" };

/** A JSON file says `string` and `number[]`; generate_engine.py and its test say which strings and how many. */
const points = (list: number[][]): Landmarks => list as unknown as Landmarks;

export const MODEL: string = data.model;
export const DIMENSION: number = data.dimension;

export const RECIPE: Recipe = {
  identifiableEyePx: data.identifiableEyePx,
  parts: data.parts.map((part) => ({
    ...part,
    network: part.network as NetworkName,
    points: points(part.points),
    mean: part.mean as unknown as readonly [number, number, number],
  })),
  quality: {
    ...data.quality,
    issues: data.quality.issues as QualityIssue[],
    ramps: data.quality.ramps as Recipe["quality"]["ramps"] & Record<string, Ramp>,
    innerRows: data.quality.innerRows as unknown as readonly [number, number],
    innerColumns: data.quality.innerColumns as unknown as readonly [number, number],
    points: points(data.quality.points),
  },
};

export const NETWORKS: readonly { readonly name: NetworkName; readonly file: string; readonly sha256: string }[] =
  data.networks as readonly { name: NetworkName; file: string; sha256: string }[];

export const MAX_FACES: number = data.maxFaces;
