// KTO, apo_zero_unpaired and BCO as the language says them, against the same losses as plain loops; batches of one kind;
// and the running average of BCO over several steps.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { reduce } from "../../src/core/build.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { bco, kto } from "../../src/objectives/index.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { ragged } from "../support/arbitraries.ts";
import { describeMisuses } from "../dsl/misuse.ts";
import { close, expectLosses, onBatches, values } from "./compare.ts";
import * as plain from "./plain.ts";
import { numbersOf, renamed, withNumbers } from "./rows.ts";

const sigmoid = (x: number): number => Math.exp(plain.logSigmoid(x));

/** Single completions of which some, all or none are desirable; the rejected side of the pairs is the mismatched one. */
const kinds = {
  some: (pairs: Batch) => numbersOf(pairs, 1).map((number) => number % 2),
  all: (pairs: Batch) => numbersOf(pairs, 1).map(() => 1),
  none: (pairs: Batch) => numbersOf(pairs, 1).map(() => 0),
};
const kind = fc.constantFrom("some" as const, "all" as const, "none" as const);
const single = (pairs: Batch, desirable: readonly number[]): Batch =>
  withNumbers(renamed(pairs, { w: ["y"], l: ["kl"] }), {
    "example.desirable": desirable,
    "example.prob_desirable": numbersOf(pairs, 0.25),
  });
const options = fc.record({
  beta: fc.constantFrom(0.1, 0.5),
  desirable_weight: fc.constantFrom(1, 1.33),
  undesirable_weight: fc.constantFrom(1, 0.8),
});

describe("kto", () => {
  const loss = (
    h: number,
    z: number,
    good: boolean,
    n: { beta: number; desirable_weight: number; undesirable_weight: number },
  ): number =>
    good
      ? n.desirable_weight * (1 - sigmoid(n.beta * (h - z)))
      : n.undesirable_weight * (1 - sigmoid(n.beta * (z - h)));

  it("compares the log-ratio with the divergence on mismatched completions", () => {
    fc.assert(
      fc.property(kind, options, ragged(), (which, n, pairs) => {
        const desirable = kinds[which](pairs);
        const rows = plain.examples(pairs);
        const z = Math.max(0, plain.mean(rows.map(({ l }) => plain.logRatio(l))));
        const wanted = rows.map(({ w }, b) => loss(plain.logRatio(w), z, desirable[b] === 1, n));
        expectLosses(kto(n), single(pairs, desirable), wanted);
        expectLosses(kto({ ...n, divergence: "given" }), single(pairs, desirable), wanted, {
          kl: z,
        });
      }),
    );
  });

  it("has the reference point 0 in apo_zero_unpaired", () => {
    fc.assert(
      fc.property(kind, options, ragged(), (which, n, pairs) => {
        const desirable = kinds[which](pairs);
        const wanted = plain
          .examples(pairs)
          .map(({ w }, b) => loss(plain.logRatio(w), 0, desirable[b] === 1, n));
        expectLosses(
          kto({ loss_type: "apo_zero_unpaired", ...n }),
          single(pairs, desirable),
          wanted,
        );
      }),
    );
  });

  it("does not differentiate the reference point", () => {
    onBatches((pairs) => {
      const total = reduce("sum", "batch", kto().loss);
      const [slope] = evaluate(
        gradient(total, [logitsOf("policy", "kl")]),
        single(pairs, kinds.some(pairs)),
        {},
      );
      expect(Math.max(...slope!.data.map(Math.abs))).toBe(0);
    });
  });

  it("reports averages of each kind, and 0 for a kind that is absent", () => {
    fc.assert(
      fc.property(kind, ragged(), (which, pairs) => {
        const desirable = kinds[which](pairs);
        const { metrics } = kto({ beta: 0.2 });
        const rows = plain.examples(pairs).map(({ w }) => w);
        const of = (wanted: number, f: (row: plain.Sequence) => number): number => {
          const chosen = rows.filter((_, b) => desirable[b] === wanted).map(f);
          return chosen.length === 0 ? 0 : plain.mean(chosen);
        };
        const reward = (row: plain.Sequence): number => 0.2 * plain.logRatio(row);
        const logps = ({ policy }: plain.Sequence): number => plain.total(policy);
        const batch = single(pairs, desirable);
        const reported = (name: string): number => values(metrics[name]!, batch)[0]!;
        close(reported("rewards/chosen"), of(1, reward));
        close(reported("rewards/rejected"), of(0, reward));
        close(reported("rewards/margins"), of(1, reward) - of(0, reward));
        close(reported("logps/chosen"), of(1, logps));
        close(reported("logps/rejected"), of(0, logps));
      }),
    );
  });

  it("keeps the digits of a small loss, which 1 − σ in single precision has not", () => {
    const x = 20;
    expect(Math.fround(1 - Math.fround(1 / (1 + Math.fround(Math.exp(-x)))))).toBe(0);
    const [value] = values(kto({ loss_type: "apo_zero_unpaired", beta: 1 }).loss, cached(x));
    expect(Math.abs(value! / Math.exp(-x) - 1)).toBeLessThan(1e-8);
  });
});

/** One desirable completion of one token with this log-ratio, from cached logits of two entries. */
function cached(logRatio: number): Batch {
  const rows = (model: string, z: number) => ({
    height: "logits" as const,
    tensor: { name: model, data: Float64Array.of(z, 0), rows: 1 },
    rowIndex: Uint32Array.of(0),
  });
  // log σ(z) of the reference is −logRatio up to e^−logRatio, and that of the policy as good as 0
  const z = -logRatio - Math.log1p(-Math.exp(-logRatio));
  return {
    examples: 1,
    vocab: 2,
    responses: { y: { offsets: Uint32Array.of(0, 1), labels: Uint32Array.of(0) } },
    inputs: {
      "policy.logits.y": rows("policy", 60),
      "ref.logits.y": rows("ref", z),
      "example.desirable": { height: "example", values: Float64Array.of(1) },
    },
  };
}

describe("bco", () => {
  interface Seen {
    readonly running_mean: number;
    readonly running_count: number;
  }
  const rewards = (pairs: Batch, beta: number): readonly number[] =>
    plain.examples(pairs).map(({ w }) => beta * plain.logRatio(w));
  const after = (all: readonly (readonly number[])[]): Seen => {
    const flat = all.flat();
    return { running_mean: flat.length === 0 ? 0 : plain.mean(flat), running_count: flat.length };
  };
  const classified = (reward: number, delta: number, good: boolean, weight: number): number =>
    good ? -plain.logSigmoid(reward - delta) : -weight * plain.logSigmoid(delta - reward);

  it("classifies rewards against the average of all so far, this batch included", () => {
    fc.assert(
      fc.property(fc.array(ragged(), { minLength: 1, maxLength: 3 }), kind, (steps, which) => {
        const objective = bco({ beta: 0.3 });
        let state: Readonly<Record<string, number>> = objective.state;
        expect(state).toEqual({ running_mean: 0, running_count: 0 });
        const seen: (readonly number[])[] = [];
        for (const pairs of steps) {
          const [desirable, own] = [kinds[which](pairs), rewards(pairs, 0.3)];
          seen.push(own);
          const wanted = after(seen);
          const batch = single(pairs, desirable);
          expectLosses(
            objective,
            batch,
            own.map((reward, b) => classified(reward, wanted.running_mean, desirable[b] === 1, 1)),
            state,
          );
          const next = evaluate(Object.values(objective.next), batch, state);
          state = Object.fromEntries(
            Object.keys(objective.next).map((name, i) => [name, next[i]!.data[0]!]),
          );
          close(state["running_mean"]!, wanted.running_mean);
          expect(state["running_count"]).toBe(wanted.running_count);
        }
      }),
    );
  });

  it("weights undesirable completions by the density ratio, within bounds", () => {
    onBatches((pairs) => {
      const [desirable, own] = [kinds.some(pairs), rewards(pairs, 0.1)];
      const probability = numbersOf(pairs, 0.25);
      const delta = plain.mean(own);
      const wanted = own.map((reward, b) => {
        const odds = probability[b]! / (1 - probability[b]! + 1e-8);
        return classified(reward, delta, desirable[b] === 1, Math.min(Math.max(odds, 0.4), 2));
      });
      const bounds = { min_density_ratio: 0.4, max_density_ratio: 2 };
      expectLosses(bco({ density_ratio: true, ...bounds }), single(pairs, desirable), wanted);
    });
  });

  it("does not differentiate the average", () => {
    onBatches((pairs) => {
      const desirable = kinds.some(pairs);
      const [own, delta] = [rewards(pairs, 0.1), plain.mean(rewards(pairs, 0.1))];
      const total = reduce("sum", "batch", bco().loss);
      const [derived] = evaluate(
        gradient(total, [logitsOf("policy", "y")]),
        single(pairs, desirable),
        {},
      );
      let row = 0;
      plain.examples(pairs).forEach(({ w }, b) => {
        const x = own[b]! - delta;
        const slope = 0.1 * (desirable[b] === 1 ? -sigmoid(-x) : sigmoid(x));
        w.rows.forEach((logps, t) => {
          logps.forEach((logp, v) => {
            const wanted = slope * (Number(v === w.labels[t]) - Math.exp(logp));
            close(derived!.data[row * pairs.vocab + v]!, wanted);
          });
          row++;
        });
      });
    });
  });
});

const one: Batch = cached(1);
const { "example.desirable": _, ...unlabelled } = one.inputs;
describeMisuses("unpaired feedback", [
  [
    "a divergence of a loss without one",
    "option-does-not-apply",
    /^kto: divergence does not apply to loss_type "apo_zero_unpaired"; it is read with "kto" only/,
    () => kto({ loss_type: "apo_zero_unpaired", divergence: "given" }),
  ],
  [
    "bounds of weights that are not used",
    "option-does-not-apply",
    /^bco: min_density_ratio does not apply to density_ratio "false"/,
    () => bco({ min_density_ratio: 0.1 }),
  ],
  ["no mismatched completions", "missing-response", /response "kl"/, () => values(kto().loss, one)],
  [
    "no divergence",
    "missing-parameter",
    /"kl"/,
    () => values(kto({ divergence: "given" }).loss, one),
  ],
  [
    "no label",
    "missing-input",
    /"example\.desirable"/,
    () => values(bco().loss, { ...one, inputs: unlabelled }),
  ],
  [
    "no probability for the weights",
    "missing-input",
    /"example\.prob_desirable"/,
    () => values(bco({ density_ratio: true }).loss, one),
  ],
]);
