// The derived gradient of an objective against central differences of the interpreter.

import { gradient } from "../../src/ad/gradient.ts";
import type { Batch, Params } from "../../src/batch/batch.ts";
import { binary, count, reduce } from "../../src/core/build.ts";
import { isDifferentiated } from "../../src/core/inputs.ts";
import { topological, type Input, type Node } from "../../src/core/node.ts";
import type { Objective } from "../../src/dsl/index.ts";
import { centralDifference } from "../../src/reference/differences.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";

/** The loss as one number. */
export const scalar = ({ loss }: Pick<Objective, "loss">): Node =>
  loss.axes.includes("batch") ? binary("over", reduce("sum", "batch", loss), count("batch")) : loss;

export const slopes = (loss: Node): readonly (readonly [Input, Node])[] => {
  const inputs = topological([loss]).filter(
    (node): node is Input => node.tag === "input" && isDifferentiated(node),
  );
  const made = gradient(loss, inputs);
  return inputs.map((input, position) => [input, made[position]!]);
};

/** Largest |derived − central difference| over all inputs, relative to max(1, |loss|, |gradient|). */
export function disagreement(objective: Objective, batch: Batch, params: Params = {}): number {
  const loss = scalar(objective);
  let scale = Math.max(1, Math.abs(evaluate([loss], batch, params)[0]!.data[0]!));
  let worst = 0;
  for (const [input, slope] of slopes(loss)) {
    const [value] = evaluate([slope], batch, params);
    const derived = expand(value!, input.axes, batch).data;
    centralDifference(loss, input.name, batch, params).data.forEach((difference, n) => {
      scale = Math.max(scale, Math.abs(difference));
      worst = Math.max(worst, Math.abs(difference - derived[n]!));
    });
  }
  return worst / scale;
}
