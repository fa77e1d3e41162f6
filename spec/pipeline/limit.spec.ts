// Expressions that a loop wrote: the levels that work on expressions have a result for 100,000 nodes in a row, and the compiler
// a sentence, never an overflow of the stack.
import { describe, expect, it } from "vitest";
import { compileProgram } from "../../src/pipeline/pipeline.ts";
import { mostNodes } from "../../src/pipeline/limit.ts";
import { gradient } from "../../src/ad/gradient.ts";
import { reduce } from "../../src/core/build.ts";
import { topological } from "../../src/core/node.ts";
import { parse } from "../../src/core/parse.ts";
import { print } from "../../src/core/print.ts";
import { verify } from "../../src/core/verify.ts";
import {
  constant,
  evaluate,
  fromResponses,
  objective,
  PrefcError,
  sigmoid,
  stopGrad,
  sum,
  type Expr,
  type Objective,
  type PerExample,
} from "../../src/index.ts";
import { simplify } from "../../src/rewrite/simplify.ts";

const length = 100_000;
type Step = (x: Expr<PerExample>, i: number) => Expr<PerExample>;

const grown = (steps: number, step: Step): Objective =>
  objective(
    "grown",
    ["w"],
    ({ policy, y }) => {
      let x: Expr<PerExample> = policy.logps(y.w);
      for (let i = 0; i < steps; i++) x = step(x, i);
      return x;
    },
    { source: "own" },
  );

const chains: Readonly<Record<string, Step>> = {
  "of one operator": (x) => sigmoid(x),
  "of stopped gradients": (x) => stopGrad(x),
  "to the left": (x, i) => x.minus(i),
  "to the right": (x, i) => constant(i).minus(x),
};

const batch = fromResponses({
  w: { labels: [1], lengths: [1], policy_logits: Float32Array.of(0, 1, 2) },
});

describe.each(Object.entries(chains))("100,000 nodes in a row %s", (_, step) => {
  const { loss } = grown(length, step);
  const all = grown(length, step);

  it("are printed, parsed back and verified", () => {
    expect(parse(print({ loss }))["loss"]).toBe(loss);
    expect(() => verify([loss], "growing")).not.toThrow();
  });

  it("are simplified, differentiated and interpreted", () => {
    expect(simplify([loss]).roots).toHaveLength(1);
    const logits = topological([loss]).filter(({ tag }) => tag === "input");
    expect(gradient(reduce("sum", "batch", loss), logits)).toHaveLength(logits.length);
    expect(Number.isFinite(evaluate([loss], batch, {})[0]!.data[0])).toBe(true);
  });

  it("are refused by the compiler in one sentence that names the limit", () => {
    expect(() => compileProgram(all)).toThrow(
      expect.objectContaining({
        code: "too-large",
        message: expect.stringMatching(new RegExp(`more than the ${mostNodes} .*\\.$`)) as string,
      }),
    );
  });
});

describe("shared subexpressions", () => {
  it("are counted once, so that a tree of 2^60 leaves compiles", () => {
    expect(compileProgram(grown(60, (x) => x.plus(x))).passes.length).toBeGreaterThan(0);
  });

  it("along the vocabulary are read at the label once each", () => {
    const powers = objective(
      "powers",
      ["w"],
      ({ policy, y }) => {
        let z = policy.logits(y.w);
        for (let i = 0; i < 60; i++) z = z.times(z).plus(z);
        return sum("token", sum("vocab", z));
      },
      { source: "own" },
    );
    let thrown: unknown;
    try {
      compileProgram(powers);
    } catch (error) {
      thrown = error;
    }
    expect(thrown === undefined || thrown instanceof PrefcError).toBe(true);
  });
});
