/**
 * What the background and the engine's worker say to each other, by structured clone over a `MessagePort`.
 *
 * The engine knows pictures and faces, not people: no template ever reaches it, and it keeps nothing from one picture
 * to the next but the loaded networks.
 */

import type { Assessment, QualityIssue } from "../messages.ts";

export interface Look {
  readonly op: "look";
  /** A whole file, as it came from the page or the person. */
  readonly file: ArrayBuffer;
  /** Look longer: at small, turned and frame-filling faces too. */
  readonly thorough: boolean;
}

/** What a text asks for. It waits for no picture and loads no network. */
export interface Assess {
  readonly op: "assess";
  readonly text: string;
  /** Earlier turns, oldest first. */
  readonly turns: readonly string[];
}

export type EngineAsk = Look | Assess | { readonly op: "load" };

/** In pixels of the view that it was seen in. */
export interface SeenFace {
  readonly box: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly score: number;
  readonly quality: number;
  readonly issues: readonly QualityIssue[];
  /** L2 norm 1; null when the face is there but too small to be told from others. */
  readonly embedding: Float32Array | null;
}

/** One way in which the file can be shown: a frame, or a transparent one on another ground. */
export interface SeenView {
  readonly width: number;
  readonly height: number;
  readonly faces: readonly SeenFace[];
}

export type Seen =
  | { readonly ok: true; readonly views: readonly SeenView[] }
  | { readonly ok: false; readonly why: "engine_unavailable" | "picture_too_large" | "picture_unreadable" };

export type EngineAnswer =
  | Seen
  | { readonly ok: true; readonly views?: never }
  | { readonly ok: true; readonly views?: never; readonly assessment: Assessment };
