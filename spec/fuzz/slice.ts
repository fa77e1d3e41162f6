// The slice of the fuzzer that every run of the tests takes: the same programs each time, unless PREFC_SEED says otherwise, in
// several files so that they share the cores. A counterexample is shrunk by fast-check and printed as a corpus entry.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDevice, type Device } from "../../src/index.ts";
import { seed } from "../seed.ts";
import { cases } from "./arbitrary.ts";
import { coverage } from "./coverage.ts";
import { outcome } from "./outcome.ts";

/** Programs of each file. */
export const perFile = 125;
/** Larger ones take drivers long to compile; `npm run fuzz` draws them too. */
const terms = 60;

export const onTheAdapter = (file: number): void => {
  let device: Device;
  beforeAll(async () => {
    // half the width of vectors halves the time that lavapipe's compiler takes; it is read when the driver is loaded
    process.env["LP_NATIVE_VECTOR_WIDTH"] ??= "128";
    device = await openDevice();
  });
  afterAll(() => device.dispose());

  describe(`random programs, part ${file}`, () => {
    it("are computed as they are interpreted", { timeout: 1_200_000 }, async () => {
      const counters = coverage();
      const trial = { entries: 2, secondEvery: 5, paths: 1, device };
      await fc.assert(
        fc.asyncProperty(cases({ terms }), async (one) => {
          expect((await outcome(one, trial, counters)).found).toEqual([]);
        }),
        { seed: seed + file, numRuns: perFile },
      );
      const refused = [...counters.of("refused").values()].reduce((sum, times) => sum + times, 0);
      const runs = [...counters.of("path").values()].reduce((sum, times) => sum + times, 0);
      // what the compiler refuses is not run, and must stay the exception
      expect(runs - refused).toBeGreaterThan(0.9 * perFile);
    });
  });
};
