// The time that a plan takes if every dispatch moves its bytes as fast as the adapter can: at the rate of reading where
// it only reads, at the rate of copying where it writes logits' gradients as well. What arithmetic and launching cost is
// not in it, so a measured time is held against it from above.

import type { StepBytes } from "./bytes.ts";
import type { DirectionExplanation, Explanation } from "./json.ts";

/** Rates of an adapter in 10^9 bytes a second; a copied byte counts twice, read and written. */
export interface Rates {
  readonly readGbS: number;
  readonly copyGbS: number;
}
/** Milliseconds of a direction: of each dispatch in order, and in all. */
export interface PredictedDirection {
  readonly kernels: readonly number[];
  readonly total: number;
}
export interface Prediction {
  readonly value: PredictedDirection;
  readonly valueAndGrad: PredictedDirection;
}

/** Milliseconds that a dispatch takes at these rates. */
export const predictedMs = (
  { read, written, small }: StepBytes,
  { readGbS, copyGbS }: Rates,
): number => (read + written + small) / (written > 0 ? copyGbS : readGbS) / 1e6;

/** The times of both directions of an explanation. */
export function predict({ value, valueAndGrad }: Explanation, rates: Rates): Prediction {
  const of = ({ kernels }: DirectionExplanation): PredictedDirection => {
    const each = kernels.map(({ bytes }) => predictedMs(bytes, rates));
    return { kernels: each, total: each.reduce((sum, ms) => sum + ms, 0) };
  };
  return { value: of(value), valueAndGrad: of(valueAndGrad) };
}
