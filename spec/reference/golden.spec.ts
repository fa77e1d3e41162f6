// The interpreter against losses and gradients that TRL computed in float64 (recorded with PyTorch's autograd).
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { tokenAxis } from "../../src/core/axis.ts";
import { count, param, reduce, stop, unary } from "../../src/core/build.ts";
import { logitsOf, logpFromLogits } from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import { fromTrl } from "../../src/batch/trl.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { scatterRows } from "../../src/reference/tensor.ts";
import { logPi, meanOverBatch, minus, over, ratio, sft, times } from "../support/losses.ts";

interface Golden {
  readonly params: { readonly beta: number };
  readonly inputs: {
    readonly input_ids: readonly (readonly number[])[];
    readonly completion_mask: readonly (readonly number[])[];
    readonly policy_logits: readonly (readonly (readonly number[])[])[];
    readonly ref_logits: readonly (readonly (readonly number[])[])[];
  };
  readonly outputs: {
    readonly loss: number;
    readonly grad_policy_logits: readonly (readonly (readonly number[])[])[];
  };
}

const read = (name: string): Golden =>
  JSON.parse(readFileSync(new URL(`../conformance/${name}`, import.meta.url), "utf8")) as Golden;

const beta = param("beta");
const sigmoid = unary("neg", unary("logSigmoid", times(beta, minus(ratio("w"), ratio("l")))));
const weight = (response: string): Node => {
  const sampled = unary(
    "log",
    reduce("sum", "vocab", unary("square", unary("exp", logPi("policy", response)))),
  );
  const excess = reduce(
    "sum",
    tokenAxis(response),
    minus(logpFromLogits("policy", response), sampled),
  );
  return stop(unary("exp", over(excess, count(tokenAxis(response)))));
};

const recorded: Readonly<Record<string, Node>> = {
  "trl_dpo_sigmoid_a__normal_s101_b3t7v11.json": meanOverBatch(sigmoid),
  "trl_dpo_sigmoid_wpo_a__normal_s116_b3t7v11.json": meanOverBatch(
    times(times(weight("w"), weight("l")), sigmoid),
  ),
  "trl_dpo_sft_a__normal_s114_b3t7v11.json": sft,
};

describe("TRL's loss and gradient", () => {
  it.each(Object.entries(recorded))("are those of the expression: %s", (file, loss) => {
    const { inputs, outputs, params } = read(file);
    // a file also records how it was made, which is no field of a batch
    const { input_ids, completion_mask, policy_logits, ref_logits } = inputs;
    const batch = fromTrl({ input_ids, completion_mask, policy_logits, ref_logits });
    const names = ["policy.logits.w", "policy.logits.l"] as const;
    const wrt = [logitsOf("policy", "w"), logitsOf("policy", "l")];
    const [value, ...slopes] = evaluate([loss, ...gradient(loss, wrt)], batch, params);
    // both sides are float64; a few hundred roundings of 1e-16 separate them
    expect(Math.abs(value!.data[0]! / outputs.loss - 1)).toBeLessThanOrEqual(1e-12);

    const binding = batch.inputs["policy.logits.w"]!;
    if (binding.height !== "logits") throw new Error("policy logits are missing");
    const named = Object.fromEntries(names.map((name, n) => [name, slopes[n]!]));
    const found = scatterRows(binding.tensor, named, batch);
    const expected = outputs.grad_policy_logits.flat(2);
    const largest = Math.max(...expected.map(Math.abs));
    expect(found).toHaveLength(expected.length);
    expected.forEach((slope, n) =>
      expect(Math.abs(found[n]! - slope)).toBeLessThanOrEqual(1e-12 * largest),
    );
    // rows outside the completions are zero, not merely small
    expect(
      found.map((slope, n) => (expected[n] === 0 ? slope : 0)).every((slope) => slope === 0),
    ).toBe(true);
  });
});
