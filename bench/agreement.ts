// When the loss and gradient of another library count as those of prefc. It is right to the rounding of f32 arithmetic,
// done in the order that the library chose: the bound below is for the worst of them, one running sum over the vocabulary.

/** Half a unit in the last place of a number near 1, in f32. */
const rounding = 2 ** -24;

/** Standard deviations that a sum of roundings may be off. */
const deviations = 4;

/** The largest relative rounding of a gradient entry that is stored as bf16, beside that of f32. */
const storedRounding: Readonly<Record<string, number>> = { f32: 0, f16: 2 ** -11, bf16: 2 ** -8 };

export interface Problem {
  readonly vocab: number;
  /** Tokens of each response. */
  readonly tokens: number;
  readonly beta: number;
  readonly dtype: string;
}

/**
 * The relative distance of losses that rounding explains. A running sum of n positive terms is off by about √n roundings
 * (Higham and Mary 2019, "A new approach to probabilistic rounding error analysis"), and a log-probability by as much. The
 * margin has four responses of T of them times β, and −log σ(x) moves relative to itself by at most what x moves. A weight
 * of WPO has the mean of a log-probability and of log Σπ², which counts double: three such errors, for two responses.
 */
export function lossTolerance({ vocab, tokens, beta }: Problem): number {
  const logp = deviations * Math.sqrt(vocab) * rounding;
  return logp * (4 * tokens * beta + 6);
}

/** The same for the gradient: the coefficient of an entry is off as the loss is, its probability by one more error. */
export function gradientTolerance(problem: Problem): number {
  const logp = deviations * Math.sqrt(problem.vocab) * rounding;
  return lossTolerance(problem) + logp + (storedRounding[problem.dtype] ?? 0);
}

/** |found − expected| / |expected|, and infinity where either is no number. */
export function distance(found: number | null | undefined, expected: number): number {
  if (found === null || found === undefined) return Infinity;
  const apart = Math.abs(found - expected) / Math.abs(expected);
  return Number.isFinite(apart) ? apart : Infinity;
}
