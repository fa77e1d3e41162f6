// What the interpreter says at the ends of domains and beyond: the table that every engine is held to.
import { describe, it } from "vitest";
import { compile, evaluate, fromResponses, objective, PrefcError } from "../../src/index.ts";
import { expectMeaning } from "../support/meanings.ts";
import { table } from "../support/undefined.ts";

describe.each(table)("$formula at $x", ({ of, x, value, slope }) => {
  const made = compile(
    objective("f", ["y"], ({ reward, y }) => of(reward(y.y)), { source: "own" }),
  );
  const batch = fromResponses({ y: { labels: [0], lengths: [1], reward: [x] } }, { vocab_size: 1 });
  const found = (of: () => number): number | null => {
    try {
      return of();
    } catch (error) {
      if (error instanceof PrefcError) return null;
      throw error;
    }
  };

  it("has its value", () => {
    const { loss } = made.program;
    expectMeaning(
      found(() => evaluate([loss], batch, {})[0]!.data[0]!),
      value,
      1e-12,
    );
  });
  it("has its slope", () => {
    const node = made.program.gradients[0]?.node;
    const derived =
      node === undefined
        ? 0
        : found(() => evaluate([made.program.loss, node], batch, {})[1]!.data[0]!);
    expectMeaning(derived, slope, 1e-12);
  });
});
