// Where the source of a loss is not a number in float32 although the loss is one: the source's form as float32 arithmetic,
// which fails, beside the interpreter and the GPU, which agree. Formulas are written as the papers have them; what makes
// them stable is the language's log-softmax and the compiler's rules.

import { describe, expect, it } from "vitest";
import {
  compile,
  evaluate,
  fromResponses,
  type Batch,
  type Device,
  type Objective,
} from "../../src/index.ts";
import { dbaql, halosSimpo, ktoPair, lrml, tdpo2, tisDpo } from "../../src/objectives/index.ts";
import { withDevice } from "../support/device.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const f = Math.fround;
const exp = (x: number): number => f(Math.exp(x));
const sigmoid = (x: number): number => f(1 / f(1 + exp(-x)));

/** WGSL's exp and log are off by a few units in the last place; sums of a few of them stay below this. */
const relative = 1e-5;
const expectClose = (actual: number, wanted: number): void =>
  expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(relative * Math.abs(wanted));

const average = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The loss by the interpreter and the slope of the first chosen log-probability by the GPU, after the GPU was found to agree
 * with the interpreter and to have finite gradients.
 */
async function agreed(
  objective: Objective,
  batch: Batch,
  heights: Parameters<typeof compile>[1] = {},
): Promise<{ readonly loss: number; readonly slope: number | undefined }> {
  const compiled = compile(objective, { device, metrics: false, ...heights });
  try {
    const wanted = average(evaluate([compiled.program.loss], batch, {})[0]!.data);
    const { loss, gradients } = await compiled.valueAndGrad(batch);
    expectClose(loss, wanted);
    const slopes = Object.values(gradients).flatMap((slope) => [...(slope as Float32Array)]);
    expect(slopes.length).toBeGreaterThan(0);
    expect(slopes.every(Number.isFinite)).toBe(true);
    const own = gradients["policy.logps.w"];
    return { loss: wanted, slope: own instanceof Float32Array ? own[0] : undefined };
  } finally {
    compiled.dispose();
  }
}

/** Pairs with these log-ratios, which the chosen response has alone. */
const withMargins = (...margins: readonly number[]): Batch => {
  const zeros = margins.map(() => 0);
  const one = { labels: margins.map(() => [0]), ref_logps: zeros };
  return fromResponses(
    { w: { ...one, policy_logps: margins }, l: { ...one, policy_logps: zeros } },
    { vocab_size: 2 },
  );
};
const cached = { heights: { policy: "logps", ref: "logps" } } as const;

describe("a product of an infinity and a zero", () => {
  it("is one exponential in lrml", async () => {
    const x = -100;
    const m = sigmoid(f(x / 0.05));
    expect(f(m * exp(-x))).toBeNaN();
    const { loss, slope } = await agreed(lrml({ beta: 1 }), withMargins(x), cached);
    expectClose(loss, 100);
    expectClose(slope!, -1);
  });

  it("is one exponential in dbaql, where the variance of the margins is large", async () => {
    const share = sigmoid(1e6);
    expect(f(f(1 - share) * exp(180))).toBeNaN();
    const { loss } = await agreed(dbaql({ beta: 1 }), withMargins(-200, 200), cached);
    expectClose(loss, 200 / 0.9 / 2);
  });
});

describe("one minus a probability near one", () => {
  it("keeps its digits in kto-pair", async () => {
    const x = 40;
    expect(f(1 - sigmoid(x))).toBe(0);
    const { loss, slope } = await agreed(ktoPair({ beta: 1 }), withMargins(x), cached);
    // the chosen half is 1 − σ(40); the rejected one compares 0 with the divergence 40
    expectClose(loss, Math.exp(-40));
    expectClose(slope!, -Math.exp(-40));
  });
});

describe("the logarithm of a probability that rounds to zero", () => {
  const policy = [
    [90, -60, 0],
    [-70, 0, 80],
  ];
  const ref = [
    [-60, 90, 0],
    [10, 0, -100],
  ];
  const response = (labels: readonly number[]) => ({
    labels: [labels],
    policy_logits: Float32Array.from(policy.flat()),
    ref_logits: Float32Array.from(ref.flat()),
    tokens: { weight: [1, 0.5] },
  });
  const batch = fromResponses({ w: response([1, 0]), l: response([0, 2]) });

  it("makes the divergences of the sources infinite, and ours finite", async () => {
    const [largest, other] = [Math.max(...policy[0]!), policy[0]![1]!];
    const probability = exp(f(other - largest));
    expect(f(Math.log(probability))).toBe(-Infinity);
    for (const objective of [tdpo2(), tisDpo({ token_level: true, alpha: 0.2 })])
      await agreed(objective, batch);
  });
});

describe("a log-probability that only float64 tells from zero", () => {
  const logits = [20, 40, 1].flatMap((gap) => [gap, 0]);
  const response = (labels: readonly number[]) => ({
    labels: [labels],
    policy_logits: Float32Array.from(logits),
  });
  const batch = fromResponses({ w: response([0, 0, 0]), l: response([1, 1, 1]) });

  it("counts in the averages of HALOs, and one that float64 loses too does not", async () => {
    const inSingle = (gap: number): number => f(gap - f(gap + f(Math.log1p(Math.exp(-gap)))));
    expect([20, 40, 1].map(inSingle).filter((logp) => logp !== 0)).toHaveLength(1);
    const logp = (gap: number): number => -Math.log1p(Math.exp(-gap));
    const chosen = (logp(20) + logp(1)) / 2;
    const rejected = (logp(-20) + logp(-40) + logp(-1)) / 3;
    const { loss } = await agreed(halosSimpo({ beta: 0.1 }), batch);
    expectClose(loss, Math.log1p(Math.exp(-0.1 * (chosen - rejected - 0.3))));
  });
});
