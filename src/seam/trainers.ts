// What trainers hand a loss of each token, by the version that was read. A loss that needs more, or a gradient that a trainer
// does not carry, has to bring its own head or be given logits; whoever asks is told which statistic it is.

import { inOrder, responsesNeeded } from "../batch/check.ts";
import type { Node } from "../core/node.ts";
import { bindStatistics, type SeamRoots, type Statistic } from "./statistics.ts";

/** How a trainer hands a statistic out: with its gradient, as data, or with its gradient if an option asks for it. */
export type HandedOut = "differentiated" | "data" | "optional";

export interface Trainer {
  readonly name: string;
  readonly version: string;
  /** The statistics of one model that it hands out. */
  readonly statistics: Readonly<Record<string, HandedOut>>;
}

const logProbs = { log_probs: "differentiated" } as const;
const withEntropy = { ...logProbs, entropy: "optional" } as const;

/** The trainers that were read, in the order in which they are told. */
export const trainers: readonly Trainer[] = [
  {
    name: "TRL",
    version: "1.16",
    statistics: {
      ...logProbs,
      entropy: "differentiated",
      log_sum_sq_probs: "data",
      mean_logits: "data",
      is_top1: "data",
    },
  },
  { name: "Tinker", version: "0.38", statistics: logProbs },
  { name: "verl", version: "0.9.1", statistics: withEntropy },
  { name: "OpenRLHF", version: "0.11.2", statistics: withEntropy },
  // its losses of preferences take sums of log-probabilities, train/trainer_utils.py, get_batch_logps
  { name: "LLaMA-Factory", version: "0.9.5", statistics: logProbs },
];

/** A statistic as it is told: what it is, of which models, and what becomes of it. */
export type StatisticNeed = Pick<
  Statistic,
  "name" | "formula" | "models" | "responses" | "differentiated" | "needed"
>;
/** Whether a trainer hands out what a loss needs. */
export interface TrainerFit {
  readonly trainer: string;
  readonly version: string;
  /** Clauses such as "no log_sum_sq_probs"; empty where the trainer hands out everything. */
  readonly lacks: readonly string[];
}

/** What an objective needs of each row of each model. */
export function statisticsOf(
  objective: Omit<SeamRoots, "next"> & {
    readonly next?: SeamRoots["next"];
    readonly responses: readonly string[];
  },
): readonly StatisticNeed[] {
  const { loss, metrics, next = {} } = objective;
  const roots: readonly Node[] = [loss, ...Object.values(metrics), ...Object.values(next)];
  const responses = inOrder([...objective.responses, ...responsesNeeded(roots)]);
  return bindStatistics({ loss, metrics, next }, responses).statistics.map(
    ({ name, formula, models, responses, differentiated, needed }) => ({
      name,
      formula,
      models,
      responses,
      differentiated,
      needed,
    }),
  );
}

/** What of a statistic a trainer does not hand out; null where it does. */
function lack({ statistics }: Trainer, need: StatisticNeed): string | null {
  const handed = need.models.length === 1 ? statistics[need.name] : undefined;
  if (handed === undefined) return `no ${need.name}`;
  return need.differentiated && handed === "data" ? `no gradient of ${need.name}` : null;
}

/** Which trainers hand out what the loss needs. */
export const trainerFits = (needs: readonly StatisticNeed[]): readonly TrainerFit[] =>
  trainers.map((trainer) => ({
    trainer: trainer.name,
    version: trainer.version,
    lacks: [
      ...new Set(needs.filter(({ needed }) => needed).flatMap((need) => lack(trainer, need) ?? [])),
    ],
  }));
