// Medians and percentiles of repeated measurements, and ratios of two providers that were measured in the same rounds.

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
  const rounds = Math.min(numerator.length, denominator.length);
  const ratios = Array.from(
    { length: rounds },
    (_, round) => numerator[round]! / denominator[round]!,
  );
  const finite = ratios.filter(Number.isFinite);
  return finite.length === 0 ? null : times(finite).median;
}
