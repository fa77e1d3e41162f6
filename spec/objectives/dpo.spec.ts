// DPO and SFT as the language says them, against the same losses and TRL's metrics as plain loops, on random
// ragged batches.

import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/batch/batch.ts";
import { topological } from "../../src/core/node.ts";
import { dpo, sft } from "../../src/objectives/index.ts";
import { close, expectLosses, onBatches, values } from "./compare.ts";
import * as plain from "./plain.ts";

describe("dpo", () => {
  it("is the smoothed log-sigmoid of the margin", () => {
    onBatches((batch) => {
      const pairs = plain.examples(batch);
      expectLosses(
        dpo(),
        batch,
        pairs.map((pair) => plain.dpo(pair, 0.1, 0)),
      );
      expectLosses(
        dpo({ beta: 0.5, label_smoothing: 0.2 }),
        batch,
        pairs.map((pair) => plain.dpo(pair, 0.5, 0.2)),
      );
      expectLosses(
        dpo(),
        batch,
        pairs.map((pair) => plain.dpo(pair, 2, 0.1)),
        { beta: 2, label_smoothing: 0.1 },
      );
    });
  });

  it("reports TRL's metrics", () => {
    const { metrics } = dpo({ beta: 0.3 });
    onBatches((batch) => {
      const pairs = plain.examples(batch);
      const sides = (f: (s: plain.Sequence) => number, side: "w" | "l"): readonly number[] =>
        pairs.map((pair) => f(pair[side]));
      const chosen = sides(plain.logRatio, "w").map((h) => 0.3 * h);
      const rejected = sides(plain.logRatio, "l").map((h) => 0.3 * h);
      const tokens = (side: "w" | "l"): number =>
        plain.total(sides(({ labels }) => labels.length, side));
      const wanted: Readonly<Record<string, number>> = {
        "rewards/chosen": plain.mean(chosen),
        "rewards/rejected": plain.mean(rejected),
        "rewards/margins": plain.mean(chosen.map((reward, b) => reward - rejected[b]!)),
        "rewards/accuracies": plain.mean(chosen.map((reward, b) => Number(reward > rejected[b]!))),
        "logps/chosen": plain.mean(sides(({ policy }) => plain.total(policy), "w")),
        "logps/rejected": plain.mean(sides(({ policy }) => plain.total(policy), "l")),
        entropy:
          (plain.total(sides(plain.entropy, "w")) + plain.total(sides(plain.entropy, "l"))) /
          (tokens("w") + tokens("l")),
        mean_token_accuracy: plain.total(sides(plain.correct, "w")) / tokens("w"),
      };
      expect(Object.keys(metrics)).toEqual(Object.keys(wanted));
      for (const [name, node] of Object.entries(metrics))
        close(plain.mean(values(node, batch)), wanted[name]!);
    });
  });

  it("counts a tie for the largest logit as correct", () => {
    const tie: Batch = {
      examples: 1,
      vocab: 3,
      responses: { w: { offsets: Uint32Array.of(0, 2), labels: Uint32Array.of(1, 2) } },
      inputs: {
        "policy.logits.w": {
          height: "logits",
          tensor: { name: "policy", data: Float32Array.of(4, 4, 0, 4, 4, 0), rows: 2 },
          rowIndex: Uint32Array.of(0, 1),
        },
      },
    };
    expect(values(sft().metrics["mean_token_accuracy"]!, tie)).toEqual([0.5]);
  });
});

describe("sft", () => {
  it("averages over the tokens of the batch, not over its sequences", () => {
    onBatches((batch) => {
      const tokens = plain.examples(batch).flatMap(({ w }) => w.policy);
      expectLosses(sft(), batch, [-plain.mean(tokens)]);
    });
  });

  it("needs only the policy on the chosen response", () => {
    const inputs = topological([sft().loss]).flatMap((node) =>
      node.tag === "input" ? [node.name] : [],
    );
    expect(inputs.toSorted()).toEqual(["ids.w", "policy.logits.w"]);
  });
});
