// What the tests of whole batches share: scores without logits, for which f32 is exact, and errors as text.
import fc from "fast-check";
import { PrefcError, type Batch } from "../../src/index.ts";
import { uniforms } from "./batches.ts";

/** The code and the sentence that a run ends in, or "accepted". */
export const code = async (run: Promise<unknown>): Promise<string> => {
  try {
    await run;
  } catch (error) {
    return error instanceof PrefcError ? `${error.code}: ${error.message}` : String(error);
  }
  return "accepted";
};

/** Scores from a coarse grid, on which f32 is exact: ties are common, and every engine must break them alike. */
export const scores = (examples: number, seed: number): Batch => {
  const random = uniforms(seed);
  const column = (): Float32Array =>
    Float32Array.from({ length: examples }, () => Math.round(random() * 2 * examples) / 16 - 4);
  return {
    examples,
    vocab: 1,
    responses: {},
    inputs: {
      "reward.w": { height: "example", values: column() },
      "reward.l": { height: "example", values: column() },
    },
  };
};
/** Sizes around those of a workgroup, up to 500 examples. */
export const drawnScores: fc.Arbitrary<Batch> = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(15, 16, 17, 63, 64, 65, 255, 256, 257, 500),
    ),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  )
  .map(([examples, seed]) => scores(examples, seed));

/** The scores of a response. */
export const scoresOf = (batch: Batch, response: string): Float32Array => {
  const given = batch.inputs[`reward.${response}`]!;
  if (given.height === "logits") throw new Error("scores are no logits");
  return Float32Array.from(given.values);
};
