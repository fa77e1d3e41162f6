// The losses that look at every token, or at the whole vocabulary of every token, against plain loops on random ragged
// batches: TDPO, TIS-DPO and the clamped log-ratios of HALOs.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/batch/batch.ts";
import { checkBatch, inputsNeeded } from "../../src/batch/check.ts";
import {
  halosCdpo,
  halosDpo,
  halosIpo,
  halosKto,
  halosSimpo,
  tdpo1,
  tdpo2,
  tisDpo,
} from "../../src/objectives/index.ts";
import { any, describeMisuses } from "../dsl/misuse.ts";
import { ragged } from "../support/arbitraries.ts";
import { close, expectLosses, onBatches, values } from "./compare.ts";
import * as plain from "./plain.ts";

/** Σ_v p(v) (log p(v) − log q(v)) at each token. */
const divergences = (
  p: readonly (readonly number[])[],
  q: readonly (readonly number[])[],
): readonly number[] =>
  p.map((row, t) => plain.total(row.map((logp, v) => Math.exp(logp) * (logp - q[t]![v]!))));

type Pair = ReturnType<typeof plain.examples>[number];
const both = (pair: Pair, f: (s: plain.Sequence, side: "w" | "l") => number): readonly number[] => [
  f(pair.w, "w"),
  f(pair.l, "l"),
];

describe("tdpo", () => {
  const kl = ({ rows, refRows }: plain.Sequence): number => plain.total(divergences(refRows, rows));
  const wanted = (pair: Pair, beta: number, alpha: number): number => {
    const [h, k] = [both(pair, plain.logRatio), both(pair, kl)];
    return -plain.logSigmoid(beta * (h[0]! - h[1]! - alpha * (k[1]! - k[0]!)));
  };

  it("subtracts the divergences of the reference from the policy over the vocabulary", () => {
    onBatches((batch) => {
      const pairs = plain.examples(batch);
      expectLosses(
        tdpo1(),
        batch,
        pairs.map((pair) => wanted(pair, 0.1, 1)),
      );
      expectLosses(
        tdpo2({ alpha: 0.3 }),
        batch,
        pairs.map((pair) => wanted(pair, 0.5, 0.3)),
        { beta: 0.5 },
      );
    });
  });

  it("reports log-ratio and divergence together as rewards", () => {
    onBatches((batch) => {
      const rewards = plain
        .examples(batch)
        .map((pair) => both(pair, (s) => plain.logRatio(s) + kl(s)));
      const { metrics } = tdpo2({ beta: 0.4 });
      close(
        plain.mean(values(metrics["rewards/chosen"]!, batch)),
        0.4 * plain.mean(rewards.map(([w]) => w!)),
      );
      close(
        plain.mean(values(metrics["rewards/rejected"]!, batch)),
        0.4 * plain.mean(rewards.map(([, l]) => l!)),
      );
    });
  });

  it("is DPO of the two numbers when the policy is the reference", () => {
    onBatches((batch) => {
      const inputs = Object.fromEntries(
        Object.entries(batch.inputs).map(([name]) => [
          name,
          batch.inputs[name.replace("policy.", "ref.")]!,
        ]),
      );
      for (const loss of values(tdpo1().loss, { ...batch, inputs })) close(loss, Math.log(2));
    });
  });
});

/** The batch with a weight for each token, and the weights by response. */
const weights = fc
  .tuple(ragged(), fc.infiniteStream(fc.double({ min: -2, max: 2, noNaN: true })))
  .map(([batch, stream]) => {
    const draw = (side: "w" | "l"): Float64Array =>
      Float64Array.from(batch.responses[side]!.labels, () => stream.next().value as number);
    const own = { w: draw("w"), l: draw("l") };
    const inputs = {
      ...batch.inputs,
      "tokens.weight.w": { height: "token" as const, values: own.w },
      "tokens.weight.l": { height: "token" as const, values: own.l },
    };
    return { batch: { ...batch, inputs } satisfies Batch, own };
  });

describe("tis-dpo", () => {
  it("weighs log-ratios by token, and the divergences of the policy at the token level", () => {
    fc.assert(
      fc.property(weights, ({ batch, own }) => {
        const sums = plain.examples(batch).map((pair, b) =>
          both(pair, ({ policy, ref }, side) => {
            const from = batch.responses[side]!.offsets[b]!;
            return plain.total(policy.map((logp, t) => own[side][from + t]! * (logp - ref[t]!)));
          }),
        );
        const kls = plain.examples(batch).map((pair, b) =>
          both(pair, ({ rows, refRows }, side) => {
            const from = batch.responses[side]!.offsets[b]!;
            return plain.total(divergences(rows, refRows).map((k, t) => own[side][from + t]! * k));
          }),
        );
        expectLosses(
          tisDpo({ beta: 0.3 }),
          batch,
          sums.map(([w, l]) => -plain.logSigmoid(0.3 * (w! - l!))),
        );
        expectLosses(
          tisDpo({ token_level: true }),
          batch,
          sums.map(
            ([w, l], b) => -plain.logSigmoid(0.1 * (w! - l! - 0.7 * (kls[b]![0]! - kls[b]![1]!))),
          ),
          { alpha: 0.7 },
        );
      }),
    );
  });

  it("says which weights a batch lacks", () => {
    const [batch] = fc.sample(ragged(), { numRuns: 1, seed: 1 });
    expect(() => checkBatch(batch!, inputsNeeded([tisDpo().loss]))).toThrow(/tokens\.weight\./);
  });
});

describe("halos", () => {
  const count = (ratios: readonly number[]): number =>
    Math.max(1, ratios.filter((ratio) => Math.abs(ratio) > 1e-14).length);
  const clamped = (x: number, low: number, high: number): number =>
    Math.min(Math.max(x, low), high);
  const ratios = ({ policy, ref }: plain.Sequence): readonly number[] =>
    policy.map((logp, t) => logp - ref[t]!);
  const humanline = (s: plain.Sequence, low = -1, high = 1.5): readonly number[] =>
    ratios(s).map((ratio) => clamped(ratio, low, high));
  const average = (all: readonly number[]): number => plain.total(all) / count(all);

  it("clamps the log-ratio of each token when asked to", () => {
    onBatches((batch) => {
      const x = (f: (s: plain.Sequence) => readonly number[]): readonly number[] =>
        plain.examples(batch).map((pair) => plain.total(f(pair.w)) - plain.total(f(pair.l)));
      const dpo = (beta: number) => (h: number) => -plain.logSigmoid(beta * h);
      expectLosses(halosDpo(), batch, x(ratios).map(dpo(0.1)));
      expectLosses(halosDpo({ humanline: true, beta: 0.7 }), batch, x(humanline).map(dpo(0.7)));
      expectLosses(
        halosDpo({ humanline: true, log_epsilon_R: 0.5 }),
        batch,
        x((s) => humanline(s, -0.2, 0.5)).map(dpo(0.1)),
        { log_epsilon_P: -0.2 },
      );
      expectLosses(
        halosCdpo({ epsilon: 0.1 }),
        batch,
        x(ratios).map((h) => -0.9 * plain.logSigmoid(0.1 * h) - 0.1 * plain.logSigmoid(-0.1 * h)),
      );
    });
  });

  it("averages over the tokens whose log-ratio is not zero", () => {
    onBatches((batch) => {
      const pairs = plain.examples(batch);
      expectLosses(
        halosIpo({ tau: 0.4 }),
        batch,
        pairs.map(({ w, l }) => (average(ratios(w)) - average(ratios(l)) - 1.25) ** 2),
      );
      expectLosses(
        halosSimpo(),
        batch,
        pairs.map(
          ({ w, l }) => -plain.logSigmoid(10 * (average(w.policy) - average(l.policy) - 0.3)),
        ),
      );
    });
  });

  it("is finite where the policy is the reference, so that no token counts", () => {
    onBatches((batch) => {
      const inputs = Object.fromEntries(
        Object.keys(batch.inputs).map((name) => [
          name,
          batch.inputs[name.replace("policy.", "ref.")]!,
        ]),
      );
      for (const loss of values(halosIpo().loss, { ...batch, inputs })) close(loss, 25);
    });
  });

  it("measures completions against mismatched ones, of which those without a log-ratio do not count", () => {
    onBatches((pairs) => {
      const { w, l } = pairs.responses as Required<typeof pairs.responses>;
      const rename = (name: string): string => name.replace(/\.w$/, ".y").replace(/\.l$/, ".kl");
      const desirable = Float64Array.from({ length: pairs.examples }, (_, b) => b % 2);
      const batch: Batch = {
        ...pairs,
        responses: { y: w!, kl: l! },
        inputs: {
          ...Object.fromEntries(
            Object.entries(pairs.inputs).map(([name, data]) => [rename(name), data]),
          ),
          "example.desirable": { height: "example", values: desirable },
        },
      };
      for (const clamp of [false, true]) {
        const h = plain
          .examples(pairs)
          .map((pair) => both(pair, (s) => plain.total(clamp ? humanline(s) : ratios(s))));
        const others = h.map(([, other]) => other!);
        const z = Math.max(0, plain.total(others) / count(others));
        const gain = (x: number): number => 1 / (1 + Math.exp(-x));
        expectLosses(
          halosKto({ beta: 0.2, desirable_weight: 1.3, undesirable_weight: 0.6, humanline: clamp }),
          batch,
          h.map(([own], b) =>
            desirable[b] === 1 ? 1.3 * gain(-0.2 * (own! - z)) : 0.6 * gain(0.2 * (own! - z)),
          ),
        );
      }
    });
  });
});

describeMisuses("an option of losses of tokens", [
  [
    "a weight of divergences without them",
    "option-does-not-apply",
    /^tis-dpo: alpha does not apply to token_level "false"; it is read with "true" only\.$/,
    () => tisDpo({ alpha: 0.3 }),
  ],
  [
    "a bound without a clamp",
    "option-does-not-apply",
    /^halos-dpo: log_epsilon_P does not apply to humanline "false"/,
    () => halosDpo({ log_epsilon_P: -2 }),
  ],
  [
    "half of the labels wrong",
    "option-value",
    /^halos-cdpo: the option epsilon is the number 0\.5; give a number from 0 to below 0\.5\.$/,
    () => halosCdpo({ epsilon: 0.5 }),
  ],
  [
    "an α of TDPO₁",
    "unknown-option",
    /^tdpo1: there is no option "alpha"/,
    () => tdpo1(any({ alpha: 0.5 })),
  ],
]);
