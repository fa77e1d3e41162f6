// Data that learn: masks per token, weights per example and parameters, each with its gradient, in both engines.
import { describe, expect, it } from "vitest";
import { checkObjective } from "../../src/check/check.ts";
import { gradientError } from "../../src/check/error.ts";
import {
  compile,
  evaluate,
  exp,
  fromResponses,
  logSigmoid,
  logSoftmax,
  mean,
  neg,
  objective,
  param,
  relu,
  square,
  sum,
  type Device,
} from "../../src/index.ts";
import { expectError } from "../support/checks.ts";
import { seed } from "../seed.ts";
import { withDevice } from "../support/device.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

/** SparsePO (Christopoulou et al. 2024, arXiv 2410.05102, eq. 8 and 9): masks on rewards and on the divergence that learn. */
const sparse = objective(
  "sparse",
  ["w", "l"],
  ({ policy, ref, y, tokens }) => {
    const β = param("beta", 0.1, { learned: true });
    const score = (of: typeof y.w | typeof y.l): ReturnType<typeof policy.logps> => {
      const p = logSoftmax("vocab", policy.logits(of as typeof y.w));
      const q = logSoftmax("vocab", ref.logits(of as typeof y.w));
      const kl = sum("vocab", exp(q).times(q.minus(p)));
      const ratio = policy.logp(of as typeof y.w).minus(ref.logp(of as typeof y.w));
      const mask = (name: string): ReturnType<typeof policy.logp<"w">> =>
        relu(tokens(name, of as typeof y.w, { learned: true }));
      return sum("token", mask("m_u").times(ratio).minus(mask("m_d").times(kl)));
    };
    return neg(logSigmoid(β.times(score(y.w).minus(score(y.l)))));
  },
  { source: "arXiv 2410.05102" },
);
/** A value head beside a weight that learns and one that does not, and a temperature. */
const valued = objective(
  "valued",
  ["w"],
  ({ policy, y, example, tokens }) => {
    const τ = param("temperature", 1.5, { learned: true });
    const value = tokens("value", y.w, { learned: true });
    const error = square(value.minus(tokens("return", y.w)));
    const likelihood = logSoftmax("vocab", policy.logits(y.w).over(τ));
    const entropy = neg(sum("vocab", exp(likelihood).times(likelihood)));
    const weight = example("weight", { learned: true }).times(example("given"));
    return weight.times(mean("token", error.minus(entropy.times(0.1))));
  },
  { source: "a test" },
);

describe("data that learn", () => {
  it.each([sparse, valued])("have right gradients on the GPU: $name", async (of) => {
    for await (const { failures } of checkObjective(of, { batches: 3, seed, device }))
      expect(failures).toEqual([]);
  });

  it("give gradients under their own names", async () => {
    const compiled = compile(valued, { device });
    const batch = fromResponses(
      {
        w: {
          labels: [[0, 1], [2]],
          policy_logits: [
            [1, 0, 2],
            [0, 3, 1],
            [1, 1, 0],
          ],
          tokens: { value: [0.5, 1, -2], return: [1, 1, 1] },
        },
      },
      { examples: { weight: [0.5, 2], given: [1, 3] } },
    );
    const { gradients } = await compiled.valueAndGrad(batch);
    const { program } = compiled;
    compiled.dispose();
    expect(Object.keys(gradients).toSorted()).toEqual([
      "example.weight",
      "param.temperature",
      "policy.w",
      "tokens.value.w",
    ]);
    // d/dv of weight · given · mean (v − r)² over the batch of two
    const own = [0.5 * (-0.5 / 2), 0, 6 * -3].map((slope) => (2 * slope) / 2);
    expect(gradientError(gradients["tokens.value.w"] as Float32Array, own)).toBeLessThan(1e-6);
    const [right] = evaluate([program.paramGradients[0]!.node], batch, {});
    expect(
      gradientError(gradients["param.temperature"] as Float32Array, [...right!.data]),
    ).toBeLessThan(1e-6);
  });

  it("have none where they are not declared", () => {
    const fixed = objective(
      "fixed",
      ["w"],
      ({ policy, y, tokens }) => sum("token", tokens("mask", y.w).times(policy.logp(y.w))),
      { source: "a test" },
    );
    expect(compile(fixed).program.gradients.map(({ input }) => input.name)).toEqual([
      "policy.logits.w",
    ]);
  });

  it("are one input however often they are read", () => {
    expectError(
      () =>
        objective(
          "two",
          ["w"],
          ({ policy, y, example }) =>
            policy
              .logps(y.w)
              .times(example("a", { learned: true }))
              .plus(example("a")),
          { source: "a test" },
        ),
      "input-names-collide",
      /"example\.a".*learned/,
    );
  });
});
