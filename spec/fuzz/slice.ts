// The slice of the fuzzer that every run of the tests takes on its adapter: the same programs each time, unless PREFC_SEED says
// otherwise. Two searches run beside each other, so that one may use the processor while the other waits for the driver.
// A counterexample is shrunk by fast-check and printed as a corpus entry.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seed } from "../seed.ts";
import { cases } from "./arbitrary.ts";
import { coverage } from "./coverage.ts";
import { devices } from "./drivers.ts";
import { outcome } from "./outcome.ts";

/** Programs of each search; there are four in two files. */
const programs = 125;

/** Searches for programs of at most so many `terms` each: drivers take long to compile large ones. */
export const onTheAdapter = (file: number, terms: readonly [number, number]): void => {
  describe(`random programs, part ${file}`, () => {
    it("are computed as they are interpreted", { timeout: 1_200_000 }, async () => {
      const counters = coverage();
      const search = async (most: number, lane: number): Promise<void> => {
        const own = devices();
        const trial = { entries: 2, secondEvery: 5, paths: 2, pathsEvery: 6 };
        const property = fc.asyncProperty(cases({ terms: most }), async (one) => {
          const { found } = await outcome(one, { ...trial, device: await own.next() }, counters);
          expect(found).toEqual([]);
        });
        const from = { seed: seed + 2 * file + lane, numRuns: programs };
        // without the list of all that failed on the way: an entry is long
        await fc.assert(property, { ...from, verbose: false }).finally(own.dispose);
      };
      await Promise.all(terms.map(search));
      // what the compiler refuses is not run, and must stay the exception
      const refused = [...counters.of("refused").values()].reduce((sum, times) => sum + times, 0);
      expect(refused).toBeLessThan(0.1 * 2 * programs);
      // and so must what floats cannot know, which is compared with nothing
      const { compared, unbounded } = Object.fromEntries(counters.of("entries"));
      expect(unbounded ?? 0).toBeLessThan(0.02 * compared!);
    });
  });
};
