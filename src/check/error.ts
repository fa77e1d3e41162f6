// How far a computed loss or gradient is from the right one, and how far it may be. There is one measure, used
// by `prefc check`, by `prefc conform` and by the tests; docs/notes/0004-tolerances.md gives its reasons.

/**
 * 2^-102. WGSL lets every operation flush subnormals to zero, so an absolute error of the smallest normal
 * number 2^-126 cannot be ruled out, and the relative precision 2^-24 of f32 can hold only above 2^-126 · 2^24.
 */
export const smallestScale: number = 2 ** -102;

/** The interpreter computes in float64; sums of some thousand terms stay far below this. */
export const interpreterTolerance: number = 1e-9;

const gpuTolerance = 1e-5;

/**
 * The error that a kernel in f32 may have: 1e-5, or twice what the source itself loses in float32 on the same data.
 * @param sourceError recorded error of the source's own float32 run; 0 when there is none.
 */
export function acceptedGpuError(sourceError: number = 0): number {
  return Number.isFinite(sourceError) ? Math.max(gpuTolerance, 2 * sourceError) : gpuTolerance;
}

/** |L − L*| / max(|L*|, 2^-102). Infinity when exactly one is not finite, or when they are different infinities. */
export function lossError(actual: number, expected: number): number {
  return gradientError([actual], [expected]);
}

/**
 * max |g − g*| / max(max |g*|, 2^-102) over all entries of a gradient, which have one scale.
 * Infinity when an entry is not finite and not what was expected, or when the lengths differ.
 */
export function gradientError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = smallestScale;
  let difference = 0;
  for (let position = 0; position < expected.length; position++) {
    const right = expected[position]!;
    const given = actual[position]!;
    if (Object.is(given, right)) continue;
    if (!Number.isFinite(right) || !Number.isFinite(given)) return Infinity;
    difference = Math.max(difference, Math.abs(given - right));
  }
  for (let position = 0; position < expected.length; position++) {
    const magnitude = Math.abs(expected[position]!);
    if (Number.isFinite(magnitude)) largest = Math.max(largest, magnitude);
  }
  return difference / largest;
}

/** An error relative to a size, as one relative to a scale that may be larger. */
export const relativeTo = (scale: number, size: number, error: number): number =>
  error * (Math.max(size, smallestScale) / Math.max(size, scale, smallestScale));

/** The gradient of the interpreter against central differences, relative to the largest entry of the gradient. */
export const differencesTolerance: number = 1e-6;

/** |m − m*| / max(|m*|, 1). A metric is read by a person, and many pass through 0: there the absolute error counts. */
export function metricError(actual: number, expected: number): number {
  if (Object.is(actual, expected)) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Infinity;
  return Math.abs(actual - expected) / Math.max(Math.abs(expected), 1);
}
