// Which dispatch writes which row of a gradient: every row of every tensor once, whether a completion token uses it or
// not, for any layout, any number of gradient passes, any windows, in place or not.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile, dpo, tdpo2, type Batch } from "../../src/index.ts";
import { otherDispatch } from "../../src/kernel/kernel.ts";
import { listDispatches, tensorsWritten } from "../../src/runtime/run/dispatches.ts";
import { stack } from "../../src/runtime/run/stack.ts";
import { asSeparate, asTrl, contentOf, draws, laidOut, layouts } from "../gpu/batches.ts";

const objectives = { dpo: dpo(), tdpo2: tdpo2() } as const;

/** How often each row of each tensor is written. */
function writes(name: keyof typeof objectives, batch: Batch, maxBinding: number): number[] {
  const plan = compile(objectives[name]).plan("valueAndGrad", batch.vocab);
  const stacked = stack(batch, plan.responses);
  const limits = { maxBinding, alignment: 256 };
  const dispatches = listDispatches(plan, batch, stacked, limits);
  return tensorsWritten(dispatches).flatMap((tensor) => {
    const counts = Array.from({ length: tensor.rows }, () => 0);
    for (const { step, group, window } of dispatches) {
      if (step.pass?.kind !== "gradient" || group!.tensors[0]!.tensor !== tensor) continue;
      for (let row = window.firstRow; row < window.firstRow + window.rows; row++)
        if (group!.tokenOf[row] !== otherDispatch) counts[row]!++;
    }
    return counts;
  });
}

describe("every row of a gradient is written once", () => {
  it.each(Object.keys(objectives) as (keyof typeof objectives)[])("%s", (name) => {
    fc.assert(
      fc.property(draws(), layouts, layouts, fc.boolean(), (drawn, policy, ref, small) => {
        const content = contentOf(drawn);
        const batch = laidOut(content, policy);
        const other = laidOut(content, ref);
        const inputs = Object.entries(batch.inputs).map(([key, binding]) => [
          key,
          key.startsWith("ref.") ? other.inputs[key]! : binding,
        ]);
        const mixed = { ...batch, inputs: Object.fromEntries(inputs) } as Batch;
        // one step of aligned rows, and enough rows of the other model beside it
        const bytes = small && policy === ref ? 4 * 256 * drawn.vocab : 2 ** 30;
        expect(new Set(writes(name, mixed, bytes))).toEqual(new Set([1]));
      }),
      { numRuns: 40 },
    );
  });

  it("where two passes write one tensor, and rows between belong to neither", () => {
    const content = contentOf({
      examples: 2,
      vocab: 8,
      lengths: { w: [2, 1], l: [1, 3] },
      scale: "normal",
      masked: false,
      seed: 1,
    });
    const policy = asTrl(content);
    const separate = asSeparate(content);
    const inputs = {
      ...policy.inputs,
      "ref.logits.w": separate.inputs["ref.logits.w"]!,
      "ref.logits.l": separate.inputs["ref.logits.l"]!,
    };
    const batch: Batch = { ...policy, inputs };
    const plan = compile(tdpo2()).plan("valueAndGrad", 8);
    const limits = { maxBinding: 2 ** 30, alignment: 256 };
    const gradients = listDispatches(plan, batch, stack(batch, plan.responses), limits).filter(
      ({ step }) => step.pass?.kind === "gradient",
    );
    expect(gradients.length).toBeGreaterThan(1);
    expect(new Set(writes("tdpo2", batch, 2 ** 30))).toEqual(new Set([1]));
  });
});
