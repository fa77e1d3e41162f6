// XPO, Nash-MD, reward models, SLiC and R-DPO as the language says them, against the same losses as plain loops.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { logitsOf, rewardInput } from "../../src/core/inputs.ts";
import { reduce } from "../../src/core/build.ts";
import { nashMd, rDpo, reward, slic, xpo } from "../../src/objectives/index.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { ragged } from "../support/arbitraries.ts";
import { any, describeMisuses } from "../dsl/misuse.ts";
import { close, expectLosses, onBatches, values } from "./compare.ts";
import * as plain from "./plain.ts";
import { numbersOf, renamed, withNumbers } from "./rows.ts";

const sum = ({ policy }: plain.Sequence): number => plain.total(policy);
const beta = fc.constantFrom(0.05, 0.1, 1);

describe("xpo", () => {
  it("prefers the sample that was chosen, and explores away from the reference's", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        beta,
        fc.constantFrom(0, 1e-5, 0.1),
        ragged(),
        (isIpo, b, alpha, pairs) => {
          const chosen = numbersOf(pairs, 1).map((number) => number % 2);
          const batch = withNumbers(renamed(pairs, { w: ["own"], l: ["ref"] }), {
            "example.chosen_mask": chosen,
          });
          const wanted = plain.examples(pairs).map(({ w: own, l: ref }, example) => {
            const [won, lost] = chosen[example] === 1 ? [own, ref] : [ref, own];
            const difference = plain.logRatio(won) - plain.logRatio(lost);
            const preference = isIpo
              ? (difference - 1 / (2 * b)) ** 2
              : -plain.logSigmoid(b * difference);
            return preference + alpha * sum(ref);
          });
          expectLosses(
            xpo({ loss_type: isIpo ? "ipo" : "sigmoid", beta: b, alpha }),
            batch,
            wanted,
          );
        },
      ),
    );
  });

  it("reports the parts of the loss", () => {
    onBatches((pairs) => {
      const chosen = pairs.responses["w"]!.offsets.slice(1).reduce(
        (all: number[]) => [...all, 1],
        [],
      );
      const batch = withNumbers(renamed(pairs, { w: ["own"], l: ["ref"] }), {
        "example.chosen_mask": chosen,
      });
      const { loss, metrics } = xpo();
      const [preference, exploration] = [
        values(metrics["loss/dpo"]!, batch),
        values(metrics["loss/xpo"]!, batch),
      ];
      values(loss, batch).forEach((value, b) => close(value, preference[b]! + exploration[b]!));
      const kl = plain
        .examples(pairs)
        .map(({ w, l }) => (plain.logRatio(w) + plain.logRatio(l)) / 2);
      close(plain.mean(values(metrics["objective/kl"]!, batch)), plain.mean(kl));
    });
  });
});

describe("nash-md", () => {
  it("is the expected preference, and the log-ratio of each token as a weight of its log-probability", () => {
    fc.assert(
      fc.property(beta, ragged(), (b, pairs) => {
        const probability = numbersOf(pairs, 0.2);
        const batch = withNumbers(renamed(pairs, { w: ["y"], l: [] }), {
          "example.probability": probability,
        });
        const wanted = plain.examples(pairs).map(({ w }, example) => {
          const penalty = plain.total(w.policy.map((logp, t) => (logp - w.ref[t]!) * logp));
          return b * penalty - (probability[example]! - 0.5) * sum(w);
        });
        expectLosses(nashMd({ beta: b }), batch, wanted);
      }),
    );
  });

  it("differentiates the log-probability and not the log-ratio", () => {
    onBatches((pairs) => {
      const batch = withNumbers(renamed(pairs, { w: ["y"], l: [] }), {
        "example.probability": numbersOf(pairs, 0.2),
      });
      const logits = logitsOf("policy", "y");
      const [derived] = evaluate(
        gradient(reduce("sum", "batch", nashMd().loss), [logits]),
        batch,
        {},
      );
      let row = 0;
      plain.examples(pairs).forEach(({ w }, example) => {
        const score = numbersOf(pairs, 0.2)[example]! - 0.5;
        w.rows.forEach((logps, t) => {
          const weight = 0.1 * (w.policy[t]! - w.ref[t]!) - score;
          logps.forEach((logp, v) => {
            const wanted = weight * (Number(v === w.labels[t]) - Math.exp(logp));
            close(derived!.data[row * pairs.vocab + v]!, wanted);
          });
          row++;
        });
      });
    });
  });
});

describe("reward", () => {
  const scored = fc.array(
    fc.tuple(
      fc.float({ min: -9, max: 9, noNaN: true }),
      fc.float({ min: -9, max: 9, noNaN: true }),
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  const batchOf = (pairs: readonly (readonly [number, number])[], margins: readonly number[]) =>
    withNumbers(
      { examples: pairs.length, vocab: 1, responses: {}, inputs: {} },
      {
        "reward.w": pairs.map(([w]) => w),
        "reward.l": pairs.map(([, l]) => l),
        "example.margin": margins,
      },
    );

  it("is the likelihood of the preference, less a margin, with rewards drawn to zero", () => {
    fc.assert(
      fc.property(scored, fc.boolean(), fc.constantFrom(0, 0.01, 1), (pairs, margin, c) => {
        const margins = pairs.map((_, b) => 0.5 * b);
        const wanted = pairs.map(
          ([w, l], b) => -plain.logSigmoid(w - l - (margin ? margins[b]! : 0)) + c * (w + l) ** 2,
        );
        expectLosses(
          reward({ margin, center_rewards_coefficient: c }),
          batchOf(pairs, margins),
          wanted,
        );
      }),
    );
  });

  it("is differentiated with respect to the scores", () => {
    fc.assert(
      fc.property(scored, (pairs) => {
        const margins = pairs.map(() => 0);
        const scores = ["w", "l"].map(rewardInput);
        const total = reduce("sum", "batch", reward({ center_rewards_coefficient: 0.1 }).loss);
        const [w, l] = evaluate(gradient(total, scores), batchOf(pairs, margins), {});
        pairs.forEach(([chosen, rejected], b) => {
          const slope = 1 / (1 + Math.exp(chosen - rejected));
          close(w!.data[b]!, -slope + 0.2 * (chosen + rejected));
          close(l!.data[b]!, slope + 0.2 * (chosen + rejected));
        });
      }),
    );
  });

  it("reads a margin only when told to", () => {
    const batch = withNumbers(
      { examples: 1, vocab: 1, responses: {}, inputs: {} },
      { "reward.w": [1], "reward.l": [0] },
    );
    expect(values(reward().loss, batch)).toHaveLength(1);
    expect(() => values(reward({ margin: true }).loss, batch)).toThrow(/example\.margin/);
  });
});

describe("slic", () => {
  it("is a hinge on log-probabilities, with the likelihood of a target", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.constantFrom(0.5, 1, 10),
        fc.constantFrom(0, 0.1),
        ragged(),
        (isGold, delta, lambda, pairs) => {
          const batch = renamed(pairs, { w: ["w"], l: ["l", "gold"] });
          const wanted = plain.examples(pairs).map(({ w, l }) => {
            const target = isGold ? l : w;
            return Math.max(0, delta - sum(w) + sum(l)) - lambda * sum(target);
          });
          const objective = slic({
            target: isGold ? "gold" : "chosen",
            beta: delta,
            lambda_coef: lambda,
          });
          expectLosses(objective, batch, wanted);
        },
      ),
    );
  });
});

describe("r-dpo", () => {
  it("adds the difference of the lengths to the margin", () => {
    fc.assert(
      fc.property(beta, fc.constantFrom(0, 0.01, 0.5), ragged(), (b, alpha, batch) => {
        const wanted = plain.examples(batch).map(({ w, l }) => {
          const difference = plain.logRatio(w) - plain.logRatio(l);
          return -plain.logSigmoid(b * difference + alpha * (w.labels.length - l.labels.length));
        });
        expectLosses(rDpo({ beta: b, alpha }), batch, wanted);
      }),
    );
  });
});

const onePair = { examples: 1, vocab: 2, responses: {}, inputs: {} };
describeMisuses("samples and scores", [
  [
    "a form that XPO has not",
    "option-value",
    /^xpo: the option loss_type is the string "hinge"/,
    () => xpo({ loss_type: any("hinge") }),
  ],
  [
    "a target that SLiC has not",
    "option-value",
    /^slic: the option target is the string "rejected"; give one of "chosen" and "gold"/,
    () => slic({ target: any("rejected") }),
  ],
  [
    "a margin as a number",
    "option-value",
    /^reward: the option margin is the number 1; give true or false/,
    () => reward({ margin: any(1) }),
  ],
  [
    "an option of another objective",
    "unknown-option",
    /^nash-md: there is no option "alpha"/,
    () => nashMd(any({ alpha: 1 })),
  ],
  ["no scores in the batch", "missing-input", /"reward\.w"/, () => values(reward().loss, onePair)],
]);
