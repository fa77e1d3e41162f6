// The loss of one pair, and its gradient, as the margin changes, for the gallery: drawn as `prefc plot` draws it.

import { PrefcError } from "../../src/core/error.ts";
import { topological } from "../../src/core/node.ts";
import type { Plot } from "../../src/draw/plot.ts";
import type { Objective } from "../../src/index.ts";
import { againstOf } from "../../src/plots/against.ts";
import { plotOf } from "../../src/plots/plot.ts";
import { curvesOf, exampleValue } from "../../src/plots/sweep.ts";
import { inputsOf } from "../../src/reference/parts.ts";

export interface Sweep {
  readonly plot: Plot;
  /** What was held fixed, a sentence each. */
  readonly notes: readonly string[];
}

/** The curves, or a sentence on why there are none. */
export function sweep(name: string, objective: Objective): Sweep | string {
  if (!objective.responses.includes("w") || !objective.responses.includes("l"))
    return `No plot: the loss is not one of a chosen and a rejected response (it reads ${objective.responses.join(", ")}), so it has no margin.`;
  const against = againstOf("margin", [], {});
  try {
    const curves = curvesOf(objective, against);
    const { loss } = objective;
    const nodes = topological([loss]);
    const coupled = nodes.some(
      (node) =>
        (node.tag === "reduce" && node.axis === "batch") ||
        (node.tag !== "input" && node.tag.startsWith("sort")),
    );
    const given = inputsOf([loss]).filter(({ datum }) => datum.kind === "example");
    return {
      plot: plotOf([{ name, curves }], {
        ...against,
        axis: curves.isReward ? "reward of y_w − reward of y_l" : against.axis,
      }),
      notes: [
        ...(curves.isReward ? ["The margin is that of the rewards, +Δ/2 and −Δ/2."] : []),
        ...(curves.fromLogits === null
          ? []
          : [`The loss reads single tokens, so the plot is of ${curves.fromLogits}.`]),
        ...given.map((input) => `${input.name} = ${exampleValue(input.name)}.`),
        ...(nodes.some((node) => node.tag === "param" && node.kind === "state")
          ? ["The state is that of a first step."]
          : []),
        ...(coupled
          ? ["Part of the loss ranges over the batch; the plot is of a batch of this one pair."]
          : []),
      ],
    };
  } catch (error) {
    if (!(error instanceof PrefcError)) throw error;
    return "No plot: for a batch of one pair the loss is undefined, and the interpreter refuses it; a part of the loss is a statistic that needs two pairs.";
  }
}
