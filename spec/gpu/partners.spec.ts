// Responses whose gradients read different models run in passes of their own, over one tensor or several: neither
// overwrites the other's rows, and no response needs logits that only another one reads.
import { describe, expect, it } from "vitest";
import type { LogitsBinding } from "../../src/batch/batch.ts";
import { gradientError, lossError } from "../../src/check/error.ts";
import { compile, evaluate, exp, logSoftmax, objective, sum } from "../../src/index.ts";
import type { Device } from "../../src/index.ts";
import { expand, scatterRows } from "../../src/reference/tensor.ts";
import { exampleBatch } from "../support/arbitraries.ts";
import { withDevice } from "../support/device.ts";

const divergence = objective(
  "divergence on one response",
  ["w", "l"],
  ({ policy, ref, y }) => {
    const [p, r] = [logSoftmax("vocab", policy.logits(y.w)), logSoftmax("vocab", ref.logits(y.w))];
    const kl = sum("token", sum("vocab", exp(p).times(p.minus(r))));
    return kl.plus(policy.logps(y.l).times(0.1));
  },
  { source: "a test" },
);

describe("a gradient that reads the reference for one response only", () => {
  let device: Device;
  withDevice((opened) => {
    device = opened;
  });

  it.each(["trl", "separate"] as const)(
    "agrees with the interpreter, layout %s",
    async (layout) => {
      const batch = exampleBatch({ layouts: [layout], scales: ["normal"] }, 3);
      const compiled = compile(divergence, { device });
      const got = await compiled.valueAndGrad(batch);
      const { gradients, loss } = compiled.program;
      const [value, ...wanted] = evaluate([loss, ...gradients.map(({ node }) => node)], batch, {});
      expect(lossError(got.loss, value!.data[0]!)).toBeLessThan(1e-5);
      for (const [name, own] of Object.entries(got.gradients)) {
        const parts = gradients.flatMap(({ input }, i) => {
          const { tensor } = batch.inputs[input.name] as LogitsBinding;
          return tensor.name === name
            ? [{ tensor, input, tensorOf: expand(wanted[i]!, input.axes, batch) }]
            : [];
        });
        const byInput = Object.fromEntries(
          parts.map(({ input, tensorOf }) => [input.name, tensorOf]),
        );
        const expected = scatterRows(parts[0]!.tensor, byInput, batch);
        expect(gradientError(own as Float32Array, expected)).toBeLessThan(1e-5);
      }
      expect(
        compiled
          .plan("valueAndGrad", batch.vocab)
          .steps.filter(({ pass }) => pass?.kind === "gradient"),
      ).toHaveLength(2);
      compiled.dispose();
    },
  );
});
