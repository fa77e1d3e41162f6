// The derived gradient of every form of the losses without a reference model, without pairs, of samples and of scores,
// against central differences on random batches.

import { describe, expect, it } from "vitest";
import { checkObjective } from "../../src/check/check.ts";
import { builtIn, kto, type Options } from "../../src/objectives/index.ts";
import type { Objective } from "../../src/dsl/index.ts";
import { seed } from "../seed.ts";

const form = (name: string, options: Options = {}): readonly [string, Objective] => [
  `${name} ${JSON.stringify(options)}`,
  builtIn(name, options),
];

const forms: readonly (readonly [string, Objective])[] = [
  ...["sigmoid", "hinge", "ipo", "simpo"].map((loss_type) => form("cpo", { loss_type })),
  form("cpo", { label_smoothing: 0.2, alpha: 0.5 }),
  form("simpo", { sft_weight: 0.5, label_smoothing: 0.1 }),
  form("simpo", { loss_type: "hinge" }),
  form("alphapo"),
  ...["sigmoid", "hinge", "ipo", "tpo-l"].map((loss_type) => form("tpo", { loss_type })),
  form("tpo", { tpo_alpha: 0 }),
  ...["sigmoid", "ipo"].map((loss_type) => form("xpo", { loss_type, alpha: 0.1 })),
  form("nash-md"),
  form("reward", { margin: true, center_rewards_coefficient: 0.1 }),
  ...["chosen", "gold"].map((target) => form("slic", { target })),
  form("r-dpo"),
  form("kto", { desirable_weight: 1.3 }),
  form("kto", { loss_type: "apo_zero_unpaired" }),
  form("bco"),
  form("bco", { density_ratio: true }),
  ...["prompt", "completion", "sequence"].map((likelihood) => form("orpo", { likelihood })),
];

const reportsOf = async (
  objective: Objective,
  params: Readonly<Record<string, number>> = {},
): Promise<readonly string[]> => {
  const failures: string[] = [];
  const checks = checkObjective(objective, { batches: 5, seed, params, device: null });
  let batches = 0;
  for await (const report of checks) {
    batches++;
    failures.push(...report.failures);
  }
  // and the first step of training where there is one
  expect(batches).toBeGreaterThanOrEqual(5);
  return failures;
};

describe("the derived gradient agrees with central differences", () => {
  it.each(forms)("%s", async (_, objective) => {
    expect(await reportsOf(objective)).toEqual([]);
  });

  it("kto with a given divergence", async () => {
    expect(await reportsOf(kto({ divergence: "given" }), { kl: 0.25 })).toEqual([]);
  });
});
