// Runs before each test file and starts fast-check from the run's seed, so that a failure seen elsewhere can be replayed.
import fc from "fast-check";
import { runs, seed } from "./seed.ts";

// what was tuned on this machine is no business of a test, which takes tables of its own
process.env["PREFC_TUNING"] ??= "off";

fc.configureGlobal({
  seed,
  verbose: fc.VerbosityLevel.Verbose,
  ...(runs === undefined ? {} : { numRuns: runs }),
});
