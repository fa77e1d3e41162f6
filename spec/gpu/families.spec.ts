// Losses of other rows than pairs on the GPU, against the interpreter: single completions with mismatched ones, three
// responses, prompts, scores without any logits, state. And where single precision would lose a loss that is written as its
// paper prints it, the kernels do not.

import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/batch/batch.ts";
import { checkObjective } from "../../src/check/check.ts";
import { gradientError, lossError } from "../../src/check/error.ts";
import {
  alphapo,
  bco,
  builtIn,
  compile,
  evaluate,
  fromResponses,
  kto,
  orpo,
  type Device,
  type Objective,
} from "../../src/index.ts";
import { gradient } from "../../src/ad/gradient.ts";
import { binary, count, reduce } from "../../src/core/build.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { seed } from "../seed.ts";
import { withDevice } from "../support/device.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

describe("the kernels agree with the interpreter", () => {
  it.each(["kto", "bco", "orpo", "tpo", "alphapo", "xpo", "nash-md", "reward"])(
    "%s",
    async (name) => {
      const failures: (readonly string[])[] = [];
      for await (const report of checkObjective(builtIn(name), { batches: 4, seed, device }))
        failures.push(report.failures);
      expect(failures.length).toBeGreaterThanOrEqual(4);
      expect(failures.flat()).toEqual([]);
    },
  );

  it("bco hands its running average from step to step", async () => {
    const compiled = compile(bco({ beta: 1 }), { device });
    const step = (policy: number, ref: number): Batch =>
      fromResponses(
        { y: { labels: [[0]], policy_logits: [[policy, 0]], ref_logits: [[ref, 0]] } },
        { examples: { desirable: [1] } },
      );
    const rewardOf = (policy: number, ref: number): number =>
      Math.log1p(Math.exp(-ref)) - Math.log1p(Math.exp(-policy));
    const first = await compiled.value(step(2, 0));
    const second = await compiled.value(step(-1, 1), { state: first.state });
    compiled.dispose();
    const [a, b] = [rewardOf(2, 0), rewardOf(-1, 1)];
    expect(lossError(first.state["running_mean"]!, a)).toBeLessThan(1e-6);
    expect(lossError(second.state["running_mean"]!, (a + b) / 2)).toBeLessThan(1e-6);
    expect(second.state["running_count"]).toBe(2);
    expect(lossError(second.loss, Math.log1p(Math.exp((a + b) / 2 - b)))).toBeLessThan(1e-6);
  });
});

/** One example of one token a response, each with the label's logit above that of the only other entry. */
const oneToken = (
  logits: Readonly<Record<string, readonly [policy: number, ref: number]>>,
  examples: Readonly<Record<string, readonly number[]>> = {},
): Batch =>
  fromResponses(
    Object.fromEntries(
      Object.entries(logits).map(([response, [policy, ref]]) => [
        response,
        { labels: [[0]], policy_logits: [[policy, 0]], ref_logits: [[ref, 0]] },
      ]),
    ),
    { examples },
  );

/** Loss and gradients in single precision and by the interpreter, with the gradients of each response side by side. */
async function both(objective: Objective, batch: Batch, responses: readonly string[]) {
  const compiled = compile(objective, { device });
  const run = await compiled.valueAndGrad(batch);
  compiled.dispose();
  const loss = binary("over", reduce("sum", "batch", objective.loss), count("batch"));
  const inputs = responses.map((response) => logitsOf("policy", response));
  const [value, ...slopes] = evaluate([loss, ...gradient(loss, inputs)], batch, {});
  return {
    loss: [run.loss, value!.data[0]!] as const,
    gradients: responses.map(
      (response, position) =>
        [run.gradients[`policy.${response}`] as Float32Array, slopes[position]!.data] as const,
    ),
  };
}

const f32 = Math.fround;
const expectAccurate = ({ loss, gradients }: Awaited<ReturnType<typeof both>>): void => {
  // relative to the numbers themselves, however small: a digit that is lost in 1 − p would show
  expect(Math.abs(loss[0] / loss[1] - 1)).toBeLessThan(1e-5);
  for (const [computed, right] of gradients) {
    expect([...computed].every(Number.isFinite)).toBe(true);
    const unit = right.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scaled = (values: ArrayLike<number>): number[] => Array.from(values, (one) => one / unit);
    expect(gradientError(scaled(computed), scaled(right))).toBeLessThan(1e-5);
  }
};

describe("single precision keeps what the printed formula loses", () => {
  it("kto: 1 − σ(x) for a large x", async () => {
    expect(f32(1 - f32(1 / (1 + f32(Math.exp(-20)))))).toBe(0);
    const objective = kto({ loss_type: "apo_zero_unpaired", beta: 1 });
    expectAccurate(await both(objective, oneToken({ y: [0.5, -20] }, { desirable: [1] }), ["y"]));
  });

  it("orpo: log(1 − p) for p near 1", async () => {
    expect(f32(Math.log(f32(1 - f32(Math.exp(f32(-1e-9))))))).toBe(-Infinity);
    const objective = orpo({ likelihood: "completion" });
    expectAccurate(await both(objective, oneToken({ w: [3, 0], l: [20, 0] }), ["w", "l"]));
  });

  it("alphapo: p^−α for p that rounds to 0", async () => {
    expect(f32(f32(Math.exp(-110)) ** -0.25)).toBe(Infinity);
    expectAccurate(await both(alphapo(), oneToken({ w: [-110, 0], l: [-109, 0] }), ["w", "l"]));
  });

  it("alphapo: a loss of 0 whose rewards float32 cannot hold", async () => {
    const batch = oneToken({ w: [-100, 0], l: [-120, 0] });
    const compiled = compile(alphapo({ alpha: 1 }), { device, metrics: false });
    const { loss, gradients } = await compiled.valueAndGrad(batch);
    compiled.dispose();
    expect(Math.abs(loss)).toBe(0);
    for (const slopes of Object.values(gradients))
      expect([...(slopes as Float32Array)].map(Math.abs)).toEqual([0, 0]);
  });

  it.each([
    ["chosen", 200, 1],
    ["rejected", 1, 200],
    ["both", 200, 200],
  ] as const)("orpo: finite where the probability of %s is 1", async (_, chosen, rejected) => {
    const objective = orpo({ likelihood: "completion" });
    const { loss, gradients } = await both(
      objective,
      oneToken({ w: [chosen, 0], l: [rejected, 0] }),
      ["w", "l"],
    );
    expect(lossError(...loss)).toBeLessThan(1e-5);
    for (const [computed] of gradients) expect([...computed].every(Number.isFinite)).toBe(true);
  });
});
