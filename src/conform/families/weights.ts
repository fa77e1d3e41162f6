// The weights of WPO on their own: what is left of a weighted objective whose loss is 1 for every pair.

import { constant, objective } from "../../dsl/index.ts";
import {
  greedy,
  none,
  sampled,
  withWeighting,
  type Alignment,
  type PairwiseObjective,
  type WeightingOptions,
} from "../../objectives/index.ts";
import type { Node } from "../../core/node.ts";
import type { Quantities } from "../quantities.ts";

const one: PairwiseObjective = objective("one", ["w", "l"], () => constant(1), {
  source: "the constant 1",
});
type AlignmentName = "sampled" | "greedy" | "none";
const alignments: Readonly<Record<AlignmentName, Alignment>> = { sampled, greedy, none };

/** The weight that is applied, and each response's own before any clamp. */
export function pairWeights(alignment: AlignmentName, options: WeightingOptions = {}): Quantities {
  const weight = (chosen: WeightingOptions): Node =>
    withWeighting(alignments[alignment], chosen)(one).loss;
  return {
    weights: weight(options),
    chosen_weights: weight({ responses: "chosen" }),
    rejected_weights: weight({ responses: "rejected" }),
  };
}
