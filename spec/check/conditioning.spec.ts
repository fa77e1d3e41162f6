// How far a GPU may be off on a batch: 1e-5 where nothing is delicate, and in proportion to the slope where a small move of a
// log-probability changes much.

import { describe, expect, it } from "vitest";
import { randomBatch } from "../../src/sample/batch.ts";
import { interpret, type GpuErrors } from "../../src/check/compare.ts";
import { acceptedErrors } from "../../src/check/conditioning.ts";
import { random } from "../../src/sample/random.ts";
import { builtIn, compile, exp, objective, type Objective } from "../../src/index.ts";

const size = { examples: 1, tokens: 3, vocab: [5, 8] } as const;
const accepted = (made: Objective): GpuErrors => {
  const compiled = compile(made);
  const needs = { responses: made.responses, inputs: compiled.program.inputs };
  const batch = randomBatch(needs, size, random(2, 0));
  return acceptedErrors(compiled, batch, {}, interpret(compiled, batch, {}));
};

/** e^{−c h}, h < 0: the relative change of value and gradient is c times the change of h. */
const steep = (slope: number): Objective =>
  objective("steep", ["w"], ({ policy, y }) => exp(policy.logps(y.w).times(-slope)), {
    source: "this test",
  });

describe("the errors accepted of a GPU", () => {
  it("are 1e-5 for ordinary objectives on ordinary batches", () => {
    for (const name of ["dpo", "wpo", "sft"]) {
      expect(accepted(builtIn(name))).toEqual({ loss: 1e-5, gradient: 1e-5, metrics: 1e-5 });
    }
  });
  it("grow in proportion to the slope", () => {
    const [five, ten] = [accepted(steep(5)), accepted(steep(10))];
    expect(five.loss).toBeGreaterThan(1e-5);
    // e^{c δ} − 1 over c δ is 1 + c δ / 2: far below a percent for δ of a few 2^-20
    expect(ten.loss / five.loss).toBeCloseTo(2, 2);
    expect(ten.gradient).toBeGreaterThan(1e-5);
    expect(ten.gradient).toBeLessThan(1e-2);
  });
});
