// The random batches of `prefc check`: determined by the seed, ragged, and fit for what they are checked with.

import { describe, expect, it } from "vitest";
import { checkBatch } from "../../src/batch/check.ts";
import { checkValues } from "../../src/batch/values.ts";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { compile, objective, sum } from "../../src/index.ts";

/** Inputs at every height, and a response that only the reference reads as a sequence. */
const everything = objective(
  "reads everything",
  ["w", "any name"],
  ({ policy, ref, y, reward, example, tokens }) =>
    policy
      .logps(y.w)
      .minus(ref.logps(y["any name"]))
      .plus(reward(y.w))
      .times(example("weight"))
      .plus(sum("token", tokens("weight", y.w).times(ref.logp(y.w)))),
  { source: "this test" },
);

const numbers = (seed: number, stream: number): readonly number[] => {
  const { uniform } = random(seed, stream);
  return Array.from({ length: 4_000 }, uniform);
};

describe("random numbers", () => {
  it("are the same for a seed and stream, and others for another", () => {
    expect(numbers(7, 3)).toEqual(numbers(7, 3));
    expect(numbers(7, 3)).not.toEqual(numbers(7, 4));
    expect(numbers(7, 3)).not.toEqual(numbers(8, 3));
  });
  it("fill [0, 1) evenly", () => {
    const all = numbers(1, 0);
    expect(all.every((x) => x >= 0 && x < 1)).toBe(true);
    // 4,000 draws: a tenth holds 400 with a standard deviation of 19; six of them are 114
    for (let tenth = 0; tenth < 10; tenth++) {
      const inside = all.filter((x) => Math.floor(10 * x) === tenth).length;
      expect(Math.abs(inside - 400)).toBeLessThan(114);
    }
  });
  it("order every index once", () => {
    expect(
      random(1, 0)
        .order(50)
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });
});

describe("a random batch", () => {
  const { program } = compile(everything, { heights: { ref: "logp" } });
  const needs = { responses: everything.responses, inputs: program.inputs };
  const size = { examples: 4, tokens: 5, vocab: [3, 9] } as const;
  const batches = Array.from({ length: 60 }, (_, stream) =>
    randomBatch(needs, size, random(3, stream)),
  );

  it("brings everything that the objective reads", () => {
    const roots = [program.loss];
    for (const batch of batches) {
      checkBatch(batch, roots);
      checkValues(batch, roots);
    }
  });
  it("keeps to its bounds and uses them", () => {
    const sizes = batches.map(({ examples }) => examples);
    expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([1, 4]);
    const lengths = batches.flatMap(({ responses }) => {
      const { offsets } = responses["w"]!;
      return Array.from(offsets.subarray(1), (end, example) => end - offsets[example]!);
    });
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([1, 5]);
  });
  it("has rows that belong to no token, and rows out of order", () => {
    const rows = batches.map(({ inputs }) => inputs["policy.logits.w"]!);
    const used = rows.map((binding) => (binding.height === "logits" ? [...binding.rowIndex] : []));
    rows.forEach((binding, position) => {
      expect(binding.height === "logits" && binding.tensor.rows).toBeGreaterThan(
        used[position]!.length,
      );
    });
    expect(
      used.some((index) => index.some((row, token) => token > 0 && row < index[token - 1]!)),
    ).toBe(true);
  });
});
