// Functions of a whole batch at once: they compare examples with each other, so they take one number per example.

import { describeAxis } from "../core/axis.ts";
import * as core from "../core/build.ts";
import { fail } from "../core/error.ts";
import type { PerExample } from "./axes.ts";
import type { Expr } from "./expr.ts";
import { wrap } from "./facade.ts";
import { along, type Along } from "./reductions.ts";

/** Checks one number per example, which is what can be sorted and what varies within a batch. */
function perExample(where: string, axis: unknown, value: unknown): Along {
  const found = along(where, axis, value);
  const left = found.e.axes.find((other) => other !== "batch");
  if (found.axis === "batch" && left === undefined) return found;
  return fail(
    "axis-not-batch",
    found.axis === "batch"
      ? `${where}: the expression still ranges over ${describeAxis(left!)}; reduce it to one number per example first, e.g. sum("token", …).`
      : `${where}: the axis is ${describeAxis(found.axis)}, but only the batch is meant; write ${where}("batch", …).`,
  );
}

/**
 * The unbiased variance along the batch: the squared deviations from the mean, summed, over the number of examples less
 * one. A batch of one has no variance, and a run refuses it.
 */
export const variance = (axis: "batch", value: Expr<PerExample>): Expr => {
  const { e } = perExample("variance", axis, value);
  const batch = core.count("batch");
  const average = core.binary("over", core.reduce("sum", "batch", e.node), batch);
  const deviation = core.unary("square", core.binary("minus", e.node, average));
  const freedom = core.binary("minus", batch, core.constant(1));
  return wrap(core.binary("over", core.reduce("sum", "batch", deviation), freedom));
};

/** Where each example comes in ascending order of a value, from zero; equal values keep the order of the batch. */
export const rank = (axis: "batch", value: Expr<PerExample>): Expr<PerExample, "i32"> => {
  const { e } = perExample("rank", axis, value);
  return wrap(core.sort("rank", "batch", e.node), ["batch"]);
};

/**
 * The values of the batch in ascending order: example i holds the i-th smallest. The gradient of a sorted value goes to
 * the example that it came from.
 */
export const sort = (axis: "batch", value: Expr<PerExample>): Expr<PerExample> => {
  const { e } = perExample("sort", axis, value);
  return wrap(core.at(e.node, "batch", core.sort("order", "batch", e.node)), ["batch"]);
};
