// Random programs on the host: what the compiler makes of them, run without a driver, is what the interpreter makes of them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PrefcError } from "../../src/index.ts";
import { cases } from "../fuzz/arbitrary.ts";
import { runOnHost, type Path } from "../fuzz/paths.ts";
import { seed } from "../seed.ts";

const paths = fc.constantFrom<Path>(
  { fusion: true, schedule: "drawn", storage: "f32" },
  { fusion: false, schedule: "drawn", storage: "f32" },
  { fusion: true, schedule: "drawn", storage: "bf16" },
);

describe("random programs on the host", () => {
  it("are computed as they are interpreted", { timeout: 300_000 }, () => {
    let [ran, refused] = [0, 0];
    fc.assert(
      fc.property(cases({ terms: 12 }), paths, (one, path) => {
        try {
          expect(runOnHost(one, path).complaints).toEqual([]);
          ran++;
        } catch (error) {
          // what the compiler refuses is no run
          if (!(error instanceof PrefcError)) throw error;
          refused++;
        }
      }),
      { seed, numRuns: 100, verbose: false },
    );
    expect(refused).toBeLessThan(ran / 5);
  });
});
