// TRL's losses and modifiers on the GPU against the interpreter, and where single precision loses what the formulas of
// their sources say: each case shows the printed form in float32 first.

import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { checkObjective } from "../../src/check/check.ts";
import { gradientError, lossError } from "../../src/check/error.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import {
  alphaDivergence,
  apoZero,
  bradleyTerry,
  compile,
  discopop,
  evaluate,
  forwardKl,
  fromResponses,
  hinge,
  ipo,
  none,
  trlDpo,
  withDivergence,
  withWeighting,
  type Device,
  type PairwiseObjective,
} from "../../src/index.ts";
import { scalar } from "../objectives/slopes.ts";
import { seed } from "../seed.ts";
import { withDevice } from "../support/device.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

describe("the kernels agree with the interpreter", () => {
  it.each([
    { loss_type: "aot", label_smoothing: 0.1 },
    { loss_type: "aot_unpaired" },
    { loss_type: "discopop", ld_alpha: 0.3 },
    { loss_type: "sigmoid", f_divergence_type: "alpha_divergence", use_weighting: true },
    { loss_type: ["sigmoid", "bco_pair", "sft"], loss_weights: [0.8, 0.2, 1] },
  ] as const)("$loss_type", async (options) => {
    const failures: string[] = [];
    for await (const report of checkObjective(trlDpo(options), { batches: 3, seed, device }))
      failures.push(...report.failures);
    expect(failures).toEqual([]);
  });
});

/** A pair of one token each: the label's logit above that of the only other entry, in the policy and in the reference. */
const pair = (
  w: readonly [policy: number, ref: number],
  l: readonly [policy: number, ref: number],
): Batch => {
  const response = ([policy, ref]: readonly [number, number]) => ({
    labels: [[0]],
    policy_logits: [[policy, 0]],
    ref_logits: [[ref, 0]],
  });
  return fromResponses({ w: response(w), l: response(l) });
};

/** Loss and gradient of the chosen and of the rejected logits. */
interface Outcome {
  readonly loss: number;
  readonly gradients: readonly ArrayLike<number>[];
}
const exactly = (objective: PairwiseObjective, batch: Batch): Outcome => {
  const loss = scalar(objective);
  const inputs = [logitsOf("policy", "w"), logitsOf("policy", "l")];
  const [value, ...slopes] = evaluate([loss, ...gradient(loss, inputs)], batch, {});
  return { loss: value!.data[0]!, gradients: slopes.map(({ data }) => data) };
};
const onDevice = async (objective: PairwiseObjective, batch: Batch): Promise<Outcome> => {
  const compiled = compile(objective, { device, metrics: false });
  const { loss, gradients } = await compiled.valueAndGrad(batch);
  compiled.dispose();
  const of = (name: string): Float32Array => gradients[name] as Float32Array;
  return { loss, gradients: [of("policy.w"), of("policy.l")] };
};

/** Both agree to 1e-5 of their own size, and everything is finite. */
async function expectAccurate(objective: PairwiseObjective, batch: Batch): Promise<Outcome> {
  const [computed, right] = [await onDevice(objective, batch), exactly(objective, batch)];
  expect(lossError(computed.loss, right.loss)).toBeLessThan(1e-5);
  right.gradients.forEach((slope, side) => {
    expect(Array.from(slope).every(Number.isFinite)).toBe(true);
    expect(gradientError(computed.gradients[side]!, slope)).toBeLessThan(1e-5);
  });
  return right;
}

const f32 = Math.fround;
const expf = (x: number): number => f32(Math.exp(f32(x)));
const sigmoidf = (x: number): number => f32(1 / f32(1 + expf(-x)));

describe("single precision keeps what the printed formula loses", () => {
  it("discopop: e⁻ˣ σ(x/τ) for a margin of −200", async () => {
    expect(f32(expf(200) * sigmoidf(-200 / 0.05))).toBeNaN();
    const { loss } = await expectAccurate(discopop({ beta: 1 }), pair([-100, 100], [100, -100]));
    expect(loss).toBeCloseTo(200, 6);
  });

  it("forward_kl: a loss of 0 whose score is beyond float32", async () => {
    const [δ, slope] = [f32(expf(100) - expf(0)), expf(100)];
    expect(f32(sigmoidf(-δ) * slope)).toBeNaN();
    for (const inner of [bradleyTerry(), hinge()]) {
      const objective = withDivergence(forwardKl)(inner);
      const { loss } = await expectAccurate(objective, pair([0, 0], [-100, 100]));
      expect(loss).toBe(0);
    }
  });

  it("forward_kl: two scores beyond float32, of which one is larger", async () => {
    expect(f32(expf(120) - expf(100))).toBeNaN();
    const objective = withDivergence(forwardKl)(bradleyTerry());
    const { loss } = await expectAccurate(objective, pair([-100, 100], [-120, 100]));
    expect(loss).toBe(0);
  });

  it("alpha_divergence: the difference of two powers of numbers near 1", async () => {
    const [w, l, α] = [0.003, 0.001, 0.9999];
    const [right, naive] = [
      (Math.expm1((α - 1) * w) - Math.expm1((α - 1) * l)) / (α - 1),
      f32(f32(expf((α - 1) * w) - expf((α - 1) * l)) / f32(α - 1)),
    ];
    expect(Math.abs(naive / right - 1)).toBeGreaterThan(0.1);
    const divergence = alphaDivergence({ f_alpha_divergence_coef: α });
    const objective = withDivergence(divergence)(ipo({ beta: 100, length_normalised: false }));
    await expectAccurate(objective, pair([2, 1], [1, 2]));
  });

  it("apo_zero: the slope of 1 − σ(x) at x = 30", async () => {
    expect(f32(sigmoidf(30) * f32(1 - sigmoidf(30)))).toBe(0);
    const { gradients } = await expectAccurate(apoZero({ beta: 1 }), pair([0, -30], [0, 30]));
    const [slope] = Array.from(gradients[0]!);
    expect(Math.abs(slope!)).toBeGreaterThan(1e-14);
  });

  it("weights whose product is no normal number, of a loss that is large", async () => {
    const weight = Math.exp(-44);
    expect(weight * weight).toBeLessThan(2 ** -126);
    const objective = withWeighting(none)(ipo({ beta: 1e-5, length_normalised: false }));
    const batch = pair([-44, 1], [-44, 1]);
    const [computed, right] = [await onDevice(objective, batch), exactly(objective, batch)];
    expect(right.loss).toBeGreaterThan(2 ** -100);
    expect(lossError(computed.loss, right.loss)).toBeLessThan(1e-5);
  });
});
