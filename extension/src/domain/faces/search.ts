/** Who of the enrolled a face is like (1:few), at thresholds that keep a search's rate of false alarms. Server: checks/search.py. */

/** A threshold together with the rates that justify it. */
export interface MeasuredPoint {
  readonly threshold: number;
  /** False match rate (fraction). */
  readonly fmr: number;
  readonly fnmr: number;
}

/** By rising threshold, so by falling false match rate. At least one point. */
export type Curve = readonly MeasuredPoint[];

export interface Points {
  /** Part of the checks for strangers that may say "possible" of anybody. */
  readonly possibleFpir: number;
  readonly matchFpir: number;
}

export interface Enrolled {
  readonly subject: string;
  /** L2 norm 1. */
  readonly embedding: Float32Array;
}

export interface FoundMatch {
  readonly subject: string;
  readonly level: "possible" | "match";
}

export function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) {
    throw new RangeError("embeddings of different models are never compared");
  }
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    sum += (a[i] as number) * (b[i] as number);
  }
  return Math.min(1, Math.max(-1, sum));
}

/** The loosest measured point whose false match rate is at most `fmr`; the strictest where nothing was measured there. */
export function atFmr(curve: Curve, fmr: number): MeasuredPoint {
  return curve.find((point) => point.fmr <= fmr) ?? (curve.at(-1) as MeasuredPoint);
}

/** `fpir = 1 - (1 - fmr) ** comparisons`, comparisons being references times faces. */
function forIdentification(curve: Curve, fpir: number, comparisons: number): MeasuredPoint {
  return atFmr(curve, 1 - (1 - fpir) ** (1 / comparisons));
}

/** For each face the subjects that it is like, best first. */
export function search(
  probes: readonly Float32Array[],
  enrolled: readonly Enrolled[],
  curve: Curve,
  { possibleFpir, matchFpir }: Points,
): FoundMatch[][] {
  const comparisons = Math.max(1, enrolled.length) * Math.max(1, probes.length);
  const possible = forIdentification(curve, possibleFpir, comparisons).threshold;
  const match = forIdentification(curve, matchFpir, comparisons).threshold;
  // Beyond what the measured pairs support nobody is called a sure match.
  const canBeSure = comparisons <= Math.trunc(matchFpir / (curve.at(-1) as MeasuredPoint).fmr);
  return probes.map((probe) => {
    const best = new Map<string, number>();
    for (const { subject, embedding } of enrolled) {
      best.set(subject, Math.max(best.get(subject) ?? -1, cosine(probe, embedding)));
    }
    return [...best]
      .filter(([, score]) => score >= possible)
      .sort(([, a], [, b]) => b - a)
      .map(([subject, score]) => ({ subject, level: canBeSure && score >= match ? "match" : "possible" }));
  });
}
