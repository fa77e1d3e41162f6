// An objective as a trainer of TRL: the emitted function of statistics, the class of the trainer of its kind, and, where TRL's
// head lacks a statistic or its gradient, a head of its own.

import { fail, PrefcError } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import type { Objective } from "../dsl/objective.ts";
import { emitTorch, type Emitted, type EmitOptions } from "../torch/emit.ts";
import { broken } from "../torch/frame.ts";
import { modelsOf, rowGroups } from "../torch/operator.ts";
import { isDistilled, distilledLines } from "./distilled.ts";
import { isOnMenu, ownHeads, trlHeads } from "./heads.ts";
import { isSampled, sampledLines } from "./sampled.ts";
import type { TrainerText } from "./common.ts";
import { pairsLines } from "./pairs.ts";
import { isUnpaired, ofUnpaired, unpairedLines, withoutOthers } from "./unpaired.ts";

export type TrlOptions = Pick<EmitOptions, "options" | "version" | "hash" | "metrics">;

/** Metrics that are averages over tokens, and of which completions. */
const overTokens = {
  entropy: "all",
  mean_token_accuracy: "chosen",
  "logits/chosen": "chosen",
  "logits/rejected": "rejected",
} as const;

/** Metrics that the trainer makes itself, of a statistic that TRL's head hands out. */
const ofTrainer = ["logits/chosen", "logits/rejected"];

/** What is read of the reference alone, as one log-probability a sequence where that is enough. */
function emitted(objective: Objective, options: EmitOptions): Emitted {
  try {
    return emitTorch(objective, { ...options, sequences: ["ref"] });
  } catch (error) {
    if (error instanceof PrefcError && error.code === "emit-statistic")
      return emitTorch(objective, options);
    throw error;
  }
}

/** Wpo of wpo, RDpo of r-dpo. */
const classOf = (name: string): string =>
  `${name
    .split(/[^a-zA-Z0-9]+/)
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join("")}Trainer`;

/**
 * Emits a subclass of the trainer of TRL that brings what an objective reads: DPOTrainer for pairs, KTOTrainer for single
 * completions with labels, GRPOTrainer or RLOOTrainer for sampled ones with advantages, GKDTrainer for those of a teacher. @throws PrefcError emit-trainer for an objective that no batch of these can feed
 */
export function emitTrl(objective: Objective, options: TrlOptions): Emitted {
  if (isSampled(objective)) return emitSampled(objective, options);
  if (isDistilled(objective)) return emitDistilled(objective, options);
  const unpaired = isUnpaired(objective);
  const bound = unpaired ? withoutOthers(objective) : objective;
  const first = emitted(bound, { ...options, from: "statistics" });
  const isOwn = !first.statistics.every(isOnMenu);
  const made = isOwn ? emitted(bound, { ...options, from: "statistics", tiles: true }) : first;
  const rows = unpaired ? "both" : pairsOf(objective, made);
  const other = modelsOf(made.statistics).find((model) => model !== "policy" && model !== "ref");
  if (other !== undefined) {
    fail(
      "emit-trainer",
      `emit trl: ${cite(objective.name)} reads the model ${cite(other)}, and TRL's trainers of preferences have a policy and a reference; emit it for torch and write the trainer.`,
    );
  }
  const groups = rowGroups(made.statistics);
  const both = groups.some(({ name }) => name === "both");
  const ofModel = (model: string): Readonly<Record<string, string>> =>
    Object.fromEntries(
      made.statistics
        .filter(({ models }) => both || models[0] === model)
        .map((one) => [made.nameOf(one), isOwn ? made.nameOf(one) : one.name]),
    );
  const { tensors } = made.arguments;
  const ref = both ? {} : ofModel("ref");
  const readsRefLogps = tensors.some(
    ({ source }) => source.kind === "logps" && source.model === "ref",
  );
  const perToken = Object.fromEntries(
    Object.entries(overTokens).filter(
      ([name]) => Object.hasOwn(objective.metrics, name) || (!isOwn && ofTrainer.includes(name)),
    ),
  );
  const heads = isOwn
    ? ownHeads(made, groups)
    : trlHeads(
        ["mean_logits", ...(unpaired ? ["entropy"] : []), ...Object.values(ofModel("policy"))],
        readsRefLogps ? ["log_probs"] : [],
        Object.values(ref),
      );
  const states = Object.fromEntries(
    made.arguments.states.map(({ name, initial }) => [name, initial ?? 0]),
  );
  const text: TrainerText = {
    name: made.name,
    className: classOf(objective.name),
    headLines: heads.calls,
    policy: ofModel("policy"),
    ref,
    readsRefLogps,
    readsBoth: both,
    isOwn,
    readsPrompts: tensors.some(
      ({ source }) => source.kind === "mask" && source.family === "prompt",
    ),
    columns: columnsOf(objective, made, unpaired ? ofUnpaired : []),
    params: made.arguments.params,
    states,
    couples:
      unpaired ||
      Object.keys(states).length > 0 ||
      made.coupled.length > 0 ||
      made.totals.some(({ counts }) => !counts),
    responses: made.responses.length,
    perExample: tensors.filter(({ shape }) => shape === "examples").map(({ name }) => name),
  };
  const definitions = isOwn ? [...heads.definitions, ""] : [];
  const lines = unpaired
    ? unpairedLines(text, definitions, new Set(tensors.map(({ name }) => name)))
    : pairsLines({ ...text, rows, perToken }, definitions);
  return { ...made, text: `${made.text}\n${wrapped(lines)}\n` };
}

/** A trainer of sampled completions; RLOO's where one log-probability a sequence of the sampling policy is enough. */
function emitSampled(objective: Objective, options: TrlOptions): Emitted {
  const [made, bySequence] = ((): readonly [Emitted, boolean] => {
    const own = { ...options, from: "statistics" } as const;
    if (!objective.models.includes("old")) return [emitTorch(objective, own), false];
    try {
      return [emitTorch(objective, { ...own, sequences: ["old"] }), true];
    } catch (error) {
      if (error instanceof PrefcError && error.code === "emit-statistic")
        return [emitTorch(objective, own), false];
      throw error;
    }
  })();
  const lines = sampledLines(objective, made, classOf(objective.name), bySequence);
  return { ...made, text: `${made.text}\n${wrapped(lines)}\n` };
}

/** A trainer of a student with a teacher. */
function emitDistilled(objective: Objective, options: TrlOptions): Emitted {
  const first = emitTorch(objective, { ...options, from: "statistics" });
  const isOwn = !first.statistics.every(isOnMenu);
  const made = isOwn
    ? emitTorch(objective, { ...options, from: "statistics", tiles: true })
    : first;
  const lines = distilledLines(objective, made, classOf(objective.name), isOwn);
  return { ...made, text: `${made.text}\n${wrapped(lines)}\n` };
}

const wrapped = (lines: readonly string[]): string =>
  lines.flatMap((line) => broken(line.trimStart(), /^ */.exec(line)![0])).join("\n");

/** Numbers of each example that the dataset has in columns. */
function columnsOf(
  { name: objective }: Objective,
  made: Emitted,
  known: readonly string[],
): readonly string[] {
  return made.arguments.tensors.flatMap(({ source, name }) => {
    if (source.kind !== "data" || known.includes(name)) return [];
    if (source.datum.kind === "example") return [name];
    return fail(
      "emit-trainer",
      `emit trl: ${cite(objective)} reads ${cite(name)}, which no dataset of TRL brings for each token or response; emit it for torch and write the trainer.`,
    );
  });
}

/** Which completions of a pair the objective reads. */
function pairsOf({ name, responses }: Objective, { responses: read }: Emitted): "both" | "chosen" {
  if (read.length === 2 && read[0] === "w" && read[1] === "l") return "both";
  if (read.length === 1 && read[0] === "w") return "chosen";
  return fail(
    "emit-trainer",
    `emit trl: ${cite(name)} reads the responses ${responses.join(", ")}, and trainers of TRL bring w (chosen) and l (rejected), or y with example("desirable") and kl; emit it for torch and write the trainer of its batches.`,
  );
}
