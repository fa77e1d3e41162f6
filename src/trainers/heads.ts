// The heads that an emitted trainer asks for statistics: TRL's own where it hands out all that the loss needs, else those that the
// file brings.

import type { Statistic } from "../seam/statistics.ts";
import { trainers } from "../seam/trainers.ts";
import type { Emitted } from "../torch/emit.ts";
import { paramsOf, type RowGroup } from "../torch/operator.ts";
import { headLines } from "./head.ts";
import { string } from "./string.ts";

const menu = trainers.find(({ name }) => name === "TRL")!.statistics;

/** Whether TRL's own head hands a statistic out as the loss needs it. */
export const isOnMenu = ({ name, models, differentiated }: Statistic): boolean =>
  models.length === 1 &&
  (menu[name] === "differentiated" || (menu[name] === "data" && !differentiated));

/** How a file makes the heads of both models hand out statistics: definitions above the class, and calls where it is made. */
export interface Heads {
  readonly definitions: readonly string[];
  readonly calls: readonly string[];
}

/** The second model of a trainer. */
export interface Second {
  /** The field that holds it. */
  readonly field: string;
  /** Whether the trainer leaves it as it was made; TRL gives a reference a head that hands out log-probabilities. */
  readonly isPlain: boolean;
}
const reference: Second = { field: "ref_model", isPlain: false };

const unwrapped = (model: string): string => `self.accelerator.unwrap_model(self.${model})`;
const policyModel =
  "policy = self.model.get_base_model() if is_peft_model(self.model) else self.model";

/** Asks TRL's head for statistics. */
export function trlHeads(
  policy: readonly string[],
  logps: readonly string[],
  ref: readonly string[],
  { field, isPlain }: Second = reference,
): Heads {
  const tuple = (names: readonly string[]): string =>
    `(${[...new Set(names)].map((name) => `${string(name)},`).join(" ")})`;
  const wanted = [...logps, ...ref];
  return {
    definitions: [],
    calls: [
      policyModel,
      `add_fused_lm_head(policy, outputs=${tuple(["log_probs", ...policy])})`,
      ...(wanted.some((name) => isPlain || name !== "log_probs")
        ? [
            `if self.${field} is not None:`,
            `    add_fused_lm_head(${unwrapped(field)}, outputs=${tuple(["log_probs", ...wanted])})`,
          ]
        : []),
    ],
  };
}

/** Brings heads of the file's own: both models answer to the same call, each in its role. */
export function ownHeads(
  made: Emitted,
  groups: readonly RowGroup[],
  { field }: Second = reference,
): Heads {
  const roles = groups.map(({ name, statistics }) => {
    const isLive = statistics.some(({ differentiated }) => differentiated);
    const names = statistics.map((one) => string(made.nameOf(one))).join(", ");
    const role = name === "both" ? "policy" : name;
    return `${string(role)}: ([${names}], ${name}_kept, ${name}_statistics, ${isLive ? `${name}_slopes` : "None"})`;
  });
  const numbers = paramsOf(groups.flatMap(({ statistics }) => statistics)).map(
    (node) =>
      `self.loss_params["${made.arguments.params.find(({ param }) => param === node.name)!.name}"]`,
  );
  return {
    definitions: headLines,
    calls: [
      policyModel,
      `roles = {${roles.join(", ")}}`,
      `numbers = lambda: [${numbers.join(", ")}]`,
      `add_statistics_head(policy, roles, numbers)`,
      `if self.${field} is not None:`,
      `    add_statistics_head(${unwrapped(field)}, roles, numbers)`,
    ],
  };
}
