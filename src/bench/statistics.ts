// Medians and percentiles of repeated measurements, and ratios of two providers with an interval and a verdict. Intervals are
// free of any distribution, since times have none that is known: by order statistics where two were measured in the same rounds
// (Conover 1999, Practical Nonparametric Statistics, §3.2; rounds that something disturbed widen it less than they would by signed
// ranks), by ranks where they were not (§5.4).

export interface Times {
  readonly median: number;
  readonly p20: number;
  readonly p80: number;
}

/** The value below which a share of the sorted values lies, between two of them by proportion. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}

/** @throws Error without a sample */
export function times(samples: readonly number[]): Times {
  if (samples.length === 0) throw new Error("nothing was measured.");
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    p20: quantile(sorted, 0.2),
    p80: quantile(sorted, 0.8),
  };
}

/**
 * The median over rounds of numerator / denominator. A machine that slows down in some rounds slows both in them, so this
 * holds where a ratio of medians does not. Null when one of them was not measured.
 */
export function ratio(
  numerator: readonly number[] | undefined,
  denominator: readonly number[] | undefined,
): number | null {
  if (numerator === undefined || denominator === undefined) return null;
  const ratios = ratiosOf(numerator, denominator);
  return ratios.length === 0 ? null : times(ratios).median;
}

/** Round by round; rounds without a finite ratio are left out. */
const ratiosOf = (numerator: readonly number[], denominator: readonly number[]): number[] =>
  Array.from(
    { length: Math.min(numerator.length, denominator.length) },
    (_, round) => numerator[round]! / denominator[round]!,
  ).filter(Number.isFinite);

/** An estimate, and an interval that holds the truth 19 times of 20; null where there are too few samples for one. */
export interface Estimate {
  readonly value: number;
  readonly interval: readonly [low: number, high: number] | null;
}

/** What an interval leaves out on either side. */
const tail = 0.025;

/** How many of the smallest and largest values lie outside an interval for the median; −1 where all are needed and more. */
function outside(count: number): number {
  // P(at most k of n values lie below the median) = Σ C(n, i) / 2^n
  let [chosen, sum] = [1, 0];
  for (let k = 0; k < count; k++) {
    sum += chosen / 2 ** count;
    if (sum > tail) return k - 1;
    chosen = (chosen * (count - k)) / (k + 1);
  }
  return -1;
}

/** The median of samples with its interval. @throws Error without a sample */
export function medianOf(samples: readonly number[]): Estimate {
  const sorted = samples.toSorted((a, b) => a - b);
  const cut = outside(sorted.length);
  return {
    value: times(samples).median,
    interval: cut < 0 ? null : [sorted[cut]!, sorted[sorted.length - 1 - cut]!],
  };
}

/** The median ratio of two that were measured in the same rounds; null where no round measured both. */
export function pairedRatio(
  numerator: readonly number[] | undefined,
  denominator: readonly number[] | undefined,
): Estimate | null {
  if (numerator === undefined || denominator === undefined) return null;
  const ratios = ratiosOf(numerator, denominator);
  return ratios.length === 0 ? null : medianOf(ratios);
}

/** Standard deviations of a normal distribution that leave `tail` on either side. */
const deviations = 1.96;

/** The ratio of two that were measured apart: the median of the ratios of every sample of one to every sample of the other. */
export function unpairedRatio(
  numerator: readonly number[],
  denominator: readonly number[],
): Estimate | null {
  const ratios = numerator
    .flatMap((above) => denominator.map((below) => above / below))
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b);
  if (ratios.length === 0) return null;
  const [n, m] = [numerator.length, denominator.length];
  const cut = Math.floor((n * m) / 2 - deviations * Math.sqrt((n * m * (n + m + 1)) / 12));
  return {
    value: quantile(ratios, 0.5),
    interval: cut < 1 ? null : [ratios[cut - 1]!, ratios[ratios.length - cut]!],
  };
}

export type Verdict = "faster" | "slower" | "cannot tell";

/** A ratio of times nearer to 1 than this is no difference that anyone would act on. */
const least = 0.01;

/** What a ratio of times, own / other, says of the own one. */
export function verdictOf(estimate: Estimate | null): Verdict {
  const { value = 1, interval = null } = estimate ?? {};
  if (interval === null || Math.abs(value - 1) < least) return "cannot tell";
  const [low, high] = interval;
  return high < 1 ? "faster" : low > 1 ? "slower" : "cannot tell";
}
