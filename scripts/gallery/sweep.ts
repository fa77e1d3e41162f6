// The loss of one pair, and its gradient, as the margin changes: what the float64 interpreter makes of the objective when
// log-probabilities of sequences, or rewards, are given as data.

import type { Batch, Binding } from "../../src/batch/batch.ts";
import { compileProgram } from "../../src/compile/pipeline.ts";
import { PrefcError } from "../../src/core/error.ts";
import { topological } from "../../src/core/node.ts";
import { evaluate } from "../../src/index.ts";
import type { Objective } from "../../src/index.ts";
import type { Plot } from "../plot.ts";

export interface Sweep {
  readonly plot: Plot;
  /** What was held fixed, a sentence each. */
  readonly notes: readonly string[];
}

/** Tokens in every response and prompt. */
export const tokens = 20;
/** log π of every response at margin 0, and of the reference at every margin: −3 per token. */
export const level = -60;
const positions: readonly number[] = Array.from({ length: 161 }, (_, n) => (n - 80) / 2);

/** Data per example that an objective may need. */
const examples: Readonly<Record<string, number>> = {
  "example.chosen_probs_win": 1,
  "example.chosen_probs_lose": 0,
};

/** The curves, or a sentence on why there are none. */
export function sweep(name: string, objective: Objective): Sweep | string {
  if (!objective.responses.includes("w") || !objective.responses.includes("l"))
    return `No plot: the loss is not one of a chosen and a rejected response (it reads ${objective.responses.join(", ")}), so it has no margin.`;
  try {
    return curves(name, objective);
  } catch (error) {
    if (!(error instanceof PrefcError)) throw error;
    if (error.code === "input-too-high")
      return "No plot: the loss reads the policy below the log-probability of a sequence (single tokens or the vocabulary), so the margin alone does not determine it.";
    return "No plot: for a batch of one pair the loss is undefined, and the interpreter refuses it; a part of the loss is a statistic that needs two pairs.";
  }
}

function curves(name: string, objective: Objective): Sweep | string {
  const program = compileProgram(objective, {
    heights: { policy: "logps", ref: "logps" },
    metrics: false,
  });
  const swept = program.gradients.filter(({ input }) => /^\w+(?:\.logps)?\.[wl]$/.test(input.name));
  const roots = [program.loss, ...swept.map(({ node }) => node)];
  const results = positions.map((margin) =>
    evaluate(roots, batchAt(margin, program), {}).map(({ data }) => data[0]!),
  );
  if (results.flat().some((value) => !Number.isFinite(value)))
    return "No plot: the loss of one pair is not finite at some margins.";
  const isReward = swept.some(({ input }) => input.datum.kind === "reward");
  const given = program.inputs.filter((input) => input.name in examples);
  const coupled = topological([objective.loss]).some(
    (node) =>
      (node.tag === "reduce" && node.axis === "batch") ||
      (node.tag !== "input" && node.tag.startsWith("sort")),
  );
  const gradients = swept.map(({ input }, index) => ({
    name: `d loss / d ${isReward ? "reward" : "log π"}(y_${input.name.at(-1)!})`,
    values: results.map((values) => values[index + 1]!),
  }));
  return {
    plot: {
      title: name,
      axis: isReward ? "reward of y_w − reward of y_l" : "margin Δ = h(y_w) − h(y_l)",
      positions,
      panels: [
        { axis: "loss", curves: [{ name: "loss", values: results.map(([loss]) => loss!) }] },
        { axis: "gradient", curves: gradients.toSorted((a, b) => (a.name < b.name ? 1 : -1)) },
      ],
    },
    notes: [
      ...(isReward ? ["The margin is that of the rewards, +Δ/2 and −Δ/2."] : []),
      ...given.map((input) => `${input.name} = ${examples[input.name]!}.`),
      ...(program.params.some(({ kind }) => kind === "state")
        ? ["The state is that of a first step."]
        : []),
      ...(coupled
        ? ["Part of the loss ranges over the batch; the plot is of a batch of this one pair."]
        : []),
    ],
  };
}

function batchAt(margin: number, program: ReturnType<typeof compileProgram>): Batch {
  const offsets = Uint32Array.from([0, tokens]);
  const labels = new Uint32Array(tokens);
  const share: Readonly<Record<string, number>> = { w: margin / 2, l: -margin / 2 };
  const value = (input: string): number => {
    const shift = /^(policy\.logps|reward)\.(w|l)$/.exec(input);
    const moved = shift === null ? 0 : share[shift[2]!]!;
    return examples[input] ?? (input.startsWith("reward.") ? moved : level + moved);
  };
  const responses = program.responses.map((response) => [response, { offsets, labels }] as const);
  const inputs = program.inputs.map((input): [string, Binding] => [
    input.name,
    { height: "example", values: Float64Array.of(value(input.name)) },
  ]);
  return {
    examples: 1,
    vocab: 2,
    responses: Object.fromEntries(responses),
    inputs: Object.fromEntries(inputs),
  };
}
