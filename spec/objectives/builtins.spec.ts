// DPO, WPO and SFT as the language says them, against the same losses and TRL's metrics as plain loops, on
// random ragged batches; and the gradient through the weights only where it was asked for.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { reduce } from "../../src/core/build.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { referenceFree, type Objective } from "../../src/dsl/index.ts";
import {
  dpo,
  none,
  sampled,
  sft,
  withWeighting,
  wpo,
  type WpoOptions,
} from "../../src/objectives/index.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { ragged } from "../support/arbitraries.ts";
import * as plain from "./plain.ts";

/** Both sides are float64 sums of up to a few hundred terms of size up to 160, whose exponentials are compared. */
const tolerance = 1e-10;

const close = (actual: number, wanted: number): void =>
  expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted)));

const values = (root: Node, batch: Batch, params = {}): readonly number[] => [
  ...evaluate([root], batch, params)[0]!.data,
];

const onBatches = (claim: (batch: Batch) => void): void => fc.assert(fc.property(ragged(), claim));

const expectLosses = (
  objective: Objective,
  batch: Batch,
  wanted: readonly number[],
  params = {},
): void => {
  const actual = values(objective.loss, batch, params);
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((value, index) => close(value, wanted[index]!));
};

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

describe("wpo", () => {
  const clamps = {
    none: (w: number, l: number) => w * l,
    product: (w: number, l: number) => Math.min(w * l, 1),
    each: (w: number, l: number) => Math.min(w, 1) * Math.min(l, 1),
  };
  const options = fc.record({
    alignment: fc.constantFrom("sampled" as const, "greedy" as const, "none" as const),
    clamp: fc.constantFrom("none" as const, "product" as const, "each" as const),
    responses: fc.constantFrom("pair" as const, "chosen" as const, "rejected" as const),
    stop: fc.boolean(),
    beta: fc.constantFrom(0.01, 0.1, 1),
    label_smoothing: fc.constantFrom(0, 0.1),
  });

  it("weights each pair of DPO by the likelihood of its responses", () => {
    fc.assert(
      fc.property(options, ragged(), (given, batch) => {
        const wanted = plain.examples(batch).map((pair) => {
          const w = given.responses === "rejected" ? 1 : plain.weight(pair.w, given.alignment);
          const l = given.responses === "chosen" ? 1 : plain.weight(pair.l, given.alignment);
          return clamps[given.clamp](w, l) * plain.dpo(pair, given.beta, given.label_smoothing);
        });
        expectLosses(wpo(given), batch, wanted);
      }),
    );
  });

  it("is sampled, unclamped and stopped unless asked otherwise", () => {
    const spelled: WpoOptions = {
      alignment: "sampled",
      clamp: "none",
      responses: "pair",
      stop: true,
      beta: 0.1,
      label_smoothing: 0,
    };
    expect(wpo().loss).toBe(wpo(spelled).loss);
    expect(wpo().name).toBe("wpo");
    expect(Object.keys(wpo().metrics)).toEqual(Object.keys(dpo().metrics));
  });

  it("differentiates its weights only when they are not stopped", () => {
    const slope = (stop: boolean): Node => {
      const { loss } = withWeighting(none, { stop })(dpo());
      return gradient(
        reduce("sum", "batch", loss),
        topological([loss]).filter(
          (node) => node.tag === "input" && node.name === "policy.logits.w",
        ),
      )[0]!;
    };
    onBatches((batch) => {
      const weights = plain
        .examples(batch)
        .map((pair) => plain.weight(pair.w, "none") * plain.weight(pair.l, "none"));
      const { offsets } = batch.responses["w"]!;
      const alone = dpo().loss;
      const logits = topological([alone]).filter(
        (node) => node.tag === "input" && node.name === "policy.logits.w",
      );
      const unweighted = values(gradient(reduce("sum", "batch", alone), logits)[0]!, batch);
      const token = (index: number): number => Math.floor(index / batch.vocab);
      const example = (index: number): number =>
        offsets.findLastIndex((start) => start <= token(index));
      // a stopped weight only scales the gradient of its example
      values(slope(true), batch).forEach((value, index) =>
        close(value, weights[example(index)]! * unweighted[index]!),
      );
    });
    const weighted = (stop: boolean): readonly number[] =>
      values(slope(stop), fc.sample(ragged({ scales: ["normal"] }), { numRuns: 1, seed: 3 })[0]!);
    expect(weighted(false)).not.toEqual(weighted(true));
  });

  it("weights any objective over the pair, even one over the chosen response alone", () => {
    const weighted = withWeighting(sampled)(sft());
    expect(weighted.responses).toEqual(["w", "l"]);
    expect(weighted.source).toMatch(/TRL.*Zhou et al\./);
    onBatches((batch) => {
      const [average] = values(sft().loss, batch);
      const wanted = plain
        .examples(batch)
        .map(
          (pair) => plain.weight(pair.w, "sampled") * plain.weight(pair.l, "sampled") * average!,
        );
      expectLosses(weighted, batch, wanted);
    });
  });

  it("needs no reference when reference-free", () => {
    const free = referenceFree(wpo());
    const names = topological([free.loss, ...Object.values(free.metrics)]).flatMap((node) =>
      node.tag === "input" ? [node.name] : [],
    );
    expect(names.filter((name) => name.startsWith("ref."))).toEqual([]);
    onBatches((batch) => {
      const wanted = plain.examples(batch).map((pair) => {
        const x = 0.1 * (plain.total(pair.w.policy) - plain.total(pair.l.policy));
        return (
          plain.weight(pair.w, "sampled") * plain.weight(pair.l, "sampled") * -plain.logSigmoid(x)
        );
      });
      expectLosses(free, batch, wanted);
    });
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
