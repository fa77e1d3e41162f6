// WPO as the language says it, against the weighted loss as plain loops on random ragged batches, under every
// option; and the gradient through the weights only where it was asked for.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { reduce } from "../../src/core/build.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { referenceFree } from "../../src/dsl/index.ts";
import {
  dpo,
  none,
  sampled,
  sft,
  withWeighting,
  wpo,
  type WpoOptions,
} from "../../src/objectives/index.ts";
import { ragged } from "../support/arbitraries.ts";
import { close, expectLosses, onBatches, values } from "./compare.ts";
import * as plain from "./plain.ts";

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
