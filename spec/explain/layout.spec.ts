// The dispatches that an explanation counts are those of a run, whichever way the logits of a batch lie: for every built-in
// objective, on batches whose responses share a tensor and on batches whose responses have one each.

import { describe, expect, it } from "vitest";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { builtIn, builtIns, compile, type Batch } from "../../src/index.ts";
import { listDispatches } from "../../src/runtime/run/dispatches.ts";
import { stack } from "../../src/runtime/run/stack.ts";
import { explanationText } from "../../src/explain/text.ts";

const limits = { maxBinding: Infinity, alignment: 256 };

/** Which layout the logits of a batch have: tensors have the name of their model where all responses share one. */
const layoutOf = ({ inputs }: Batch): "stacked" | "separate" =>
  Object.values(inputs).some(
    (binding) => binding.height === "logits" && binding.tensor.name.includes("."),
  )
    ? "separate"
    : "stacked";

describe("dispatches of a layout", () => {
  it.each(Object.keys(builtIns))("are those of a run: %s", (name) => {
    const compiled = compile(builtIn(name));
    const { responses, inputs, declared } = compiled.program;
    const readsLogits = inputs.some(({ datum }) => datum.kind === "logits");
    const wanted = readsLogits ? 2 : 1;
    const seen = new Set<string>();
    for (let seed = 1; seed <= 4 || (seen.size < wanted && seed < 40); seed++) {
      const needs = { responses, inputs, declared, fewestExamples: 2 };
      const size = { examples: 3, tokens: 4, vocab: [5, 9] as const };
      const batch = randomBatch(needs, size, random(seed, 0));
      const layout = layoutOf(batch);
      seen.add(layout);
      const rows = Object.fromEntries(
        responses.map((response) => [
          response,
          Math.max(1, batch.responses[response]!.labels.length),
        ]),
      );
      const { vocab, examples } = batch;
      const explained = compiled.explain({ rows, vocab, examples, layout });
      for (const direction of ["value", "valueAndGrad"] as const) {
        const plan = compiled.plan(direction, vocab);
        const made = listDispatches(plan, batch, stack(batch, plan.responses), limits);
        expect(made).toHaveLength(explained[direction].dispatches);
      }
    }
    expect(seen.size).toBe(wanted);
  });

  it("are told with the cost of the other layout, and of each kernel", () => {
    const compiled = compile(builtIn("dpo"));
    const [stacked, separate] = (["stacked", "separate"] as const).map((layout) =>
      explanationText(compiled.explain({ layout })),
    );
    const { dispatchesByLayout } = compiled.explain().valueAndGrad;
    expect(dispatchesByLayout.separate).toBe(dispatchesByLayout.stacked + 3);
    expect(stacked).toContain(`separate ones take ${dispatchesByLayout.separate} dispatches`);
    expect(separate).toContain(`stacked ones take ${dispatchesByLayout.stacked} dispatches`);
    expect(separate!.match(/in 2 dispatches/g)).toHaveLength(3);
    expect(stacked).not.toContain("in 2 dispatches");
  });
});
