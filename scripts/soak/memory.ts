// Whether memory stays flat: samples of what a process holds after garbage has been collected, and how far the end of a run
// lies above the end of its first fifth, in which caches fill and code is compiled.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes that a process holds. */
export interface Sample {
  /** All of it that is in memory, drivers included. */
  readonly rss: number;
  /** Objects of JavaScript. */
  readonly heap: number;
  /** What lies outside the heap and belongs to its objects, such as arrays of numbers. */
  readonly external: number;
}

/** npm run soak starts with --expose-gc; a test does not. */
const collect = ((): (() => void) => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

/** What is left after a few collections, between which finalizers and the driver get their turns. */
export async function sample(): Promise<Sample> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
  }
  const { rss, heapUsed: heap, external } = process.memoryUsage();
  return { rss, heap, external };
}

/** Samples that are taken over a run; a median of a tenth of them is not moved by one of them. */
const wanted = 50;

/** The cycles, of so many, after which a sample is taken. */
export const samplesAt = (cycles: number): ReadonlySet<number> => {
  const every = Math.max(1, cycles / wanted);
  const count = Math.floor(cycles / every);
  return new Set(Array.from({ length: count }, (_, n) => Math.ceil((n + 1) * every) - 1));
};

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
};

export interface Growth {
  readonly before: number;
  readonly after: number;
  /** after / before − 1 */
  readonly growth: number;
}

/** The median of the last tenth beside that of the second tenth. @throws Error for fewer than five samples */
export function growthOf(values: readonly number[]): Growth {
  if (values.length < 5)
    throw new Error(`${values.length} samples say nothing of growth; ask for more cycles.`);
  const tenth = Math.max(1, Math.round(values.length / 10));
  const before = median(values.slice(values.length / 5 - tenth, values.length / 5));
  const after = median(values.slice(-tenth));
  return { before, after, growth: after / before - 1 };
}
