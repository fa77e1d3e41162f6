// Makes property tests repeatable: every file starts fast-check from one seed, which is printed so that a failure seen
// elsewhere can be replayed with PREFC_SEED. PREFC_RUNS raises (or lowers) the number of cases of each property that
// does not fix its own.
import fc from "fast-check";

const defaultSeed = 20_260_101;

const integerFrom = (name: string): number | undefined => {
  const text = process.env[name];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new Error(`${name} must be an integer, but it is "${text}"; unset it or give a whole number`);
  }
  return value;
};

const seed = integerFrom("PREFC_SEED") ?? defaultSeed;
const numRuns = integerFrom("PREFC_RUNS");

fc.configureGlobal({
  seed,
  verbose: fc.VerbosityLevel.Verbose,
  ...(numRuns === undefined ? {} : { numRuns }),
});
