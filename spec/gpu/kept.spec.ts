// A likelihood among the entries that min-p keeps: what its value and its gradient sum over the kept entries is one pass, and
// the results are the interpreter's.
import { describe, expect, it } from "vitest";
import { againstGpu, interpret } from "../../src/check/compare.ts";
import { noSlack } from "../../src/check/kinks.ts";
import {
  compile,
  exp,
  log,
  logSoftmax,
  max,
  mean,
  neg,
  objective,
  sum,
  where,
  type Device,
  type Objective,
} from "../../src/index.ts";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { withDevice } from "../support/device.ts";

/** −log of the probability of the label among the entries whose π is at least a part of the largest one. */
const kept = (least: number): Objective =>
  objective(
    "min-p likelihood",
    ["w"],
    ({ policy, y }) => {
      const logs = logSoftmax("vocab", policy.logits(y.w));
      const isKept = logs.ge(max("vocab", logs).plus(Math.log(least)));
      const mass = sum("vocab", where(isKept, exp(logs), 0));
      return neg(mean("token", policy.logp(y.w).minus(log(mass))));
    },
    { source: "Nguyen et al. 2024, arXiv 2407.01082, equation 2" },
  );

describe("a likelihood among kept entries", () => {
  let device: Device;
  withDevice((opened) => {
    device = opened;
  });

  it("reads the logits three times", () => {
    const { traffic, extraPasses } = compile(kept(0.1)).explain().valueAndGrad;
    expect(traffic.map(({ reads }) => reads)).toEqual([3]);
    expect(extraPasses).toHaveLength(1);
  });

  it.each([0.9, 0.1, 0.001])("is right where %d of the largest is kept", async (least) => {
    const compiled = compile(kept(least), { device });
    const { responses, inputs } = compiled.program;
    for (let seed = 1; seed <= 4; seed++) {
      const size = { examples: 3, tokens: 4, vocab: [5, 400] } as const;
      const batch = randomBatch({ responses, inputs }, size, random(seed, 3));
      const truth = interpret(compiled, batch, {});
      const { loss, gradient } = await againstGpu(compiled, batch, {}, truth, noSlack);
      expect(Math.max(loss, gradient)).toBeLessThan(1e-5);
    }
    compiled.dispose();
  });
});
