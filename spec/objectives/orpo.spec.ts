// ORPO as the language says it, against the same loss as plain loops, and what becomes of odds near probability 1.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { binary, count, reduce } from "../../src/core/build.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { orpo } from "../../src/objectives/index.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { any, describeMisuses } from "../dsl/misuse.ts";
import { ragged } from "../support/arbitraries.ts";
import { close, expectLosses, values } from "./compare.ts";
import * as plain from "./plain.ts";
import { renamed } from "./rows.ts";

const average = ({ policy }: plain.Sequence): number => plain.mean(policy);
/** The branch that does not cancel, on either side of log ½. */
const log1mExp = (x: number): number =>
  x < -Math.LN2 ? Math.log1p(-Math.exp(x)) : Math.log(-Math.expm1(x));
const logOdds = (logp: number): number => Math.min(logp, -1e-37) - log1mExp(Math.min(logp, -1e-37));

describe("orpo", () => {
  it("adds the odds ratio to the likelihood of the chosen sequences, averaged in three ways", () => {
    const ways = fc.constantFrom("prompt" as const, "completion" as const, "sequence" as const);
    fc.assert(
      fc.property(ways, fc.constantFrom(0.1, 1), ragged(), (likelihood, beta, pairs) => {
        // the tokens of the rejected completion stand in for a prompt
        const batch = renamed(pairs, { w: ["w"], l: ["l", "w.prompt"] });
        const rows = plain.examples(pairs);
        const completion = rows.flatMap(({ w }) => w.policy);
        const prompt = rows.flatMap(({ l }) => l.policy);
        const wanted = rows.map(({ w, l }) => {
          const nll = {
            prompt: -plain.mean([...completion, ...prompt]),
            completion: -plain.mean(completion),
            sequence: -average(w),
          }[likelihood];
          return nll - beta * plain.logSigmoid(logOdds(average(w)) - logOdds(average(l)));
        });
        expectLosses(orpo({ likelihood, beta }), batch, wanted);
        expectLosses(orpo({ likelihood }), batch, wanted, { beta });
      }),
    );
  });

  it("reports TRL's metrics", () => {
    fc.assert(
      fc.property(ragged({ scales: ["normal"] }), (pairs) => {
        const batch = renamed(pairs, { w: ["w"], l: ["l", "w.prompt"] });
        const { metrics } = orpo();
        const ratios = plain
          .examples(pairs)
          .map(({ w, l }) => logOdds(average(w)) - logOdds(average(l)));
        close(plain.mean(values(metrics["log_odds_chosen"]!, batch)), plain.mean(ratios));
        close(
          plain.mean(values(metrics["log_odds_ratio"]!, batch)),
          plain.mean(ratios.map(plain.logSigmoid)),
        );
        close(
          plain.mean(values(metrics["rewards/chosen"]!, batch)),
          0.1 * plain.mean(plain.examples(pairs).map(({ w }) => average(w))),
        );
      }),
    );
  });

  /** Two entries, one token a side, and a logit of the label above the other one. */
  const peaked = (chosen: number, rejected: number): Batch => {
    const side = { offsets: Uint32Array.of(0, 1), labels: Uint32Array.of(0) };
    const data = Float64Array.of(chosen, 0, rejected, 0);
    const bound = (row: number) => ({
      height: "logits" as const,
      tensor: { name: "policy", data, rows: 2 },
      rowIndex: Uint32Array.of(row),
    });
    return {
      examples: 1,
      vocab: 2,
      responses: { w: side, l: side },
      inputs: { "policy.logits.w": bound(0), "policy.logits.l": bound(1) },
    };
  };

  it("has the odds of a probability that single precision rounds to 1", () => {
    const z = 20;
    const source = Math.fround(Math.log(Math.fround(1 - Math.fround(Math.exp(-Math.exp(-z))))));
    expect(source).toBe(-Infinity);
    // with two entries the log odds are the difference of the logits
    const [ratio] = values(orpo().metrics["log_odds_chosen"]!, peaked(z, 1));
    expect(ratio).toBeCloseTo(z - 1, 6);
  });

  it.each([
    ["chosen", 200, 1],
    ["rejected", 1, 200],
    ["both", 200, 200],
  ] as const)(
    "is finite with a finite gradient where the probability of %s is 1",
    (_, chosen, rejected) => {
      const objective = orpo({ likelihood: "completion" });
      const loss = binary("over", reduce("sum", "batch", objective.loss), count("batch"));
      const slopes = gradient(loss, [logitsOf("policy", "w"), logitsOf("policy", "l")]);
      for (const { data } of evaluate([loss, ...slopes], peaked(chosen, rejected), {}))
        expect([...data].every(Number.isFinite)).toBe(true);
    },
  );
});

describeMisuses("orpo", [
  [
    "an unknown average",
    "option-value",
    /^orpo: the option likelihood is the string "token"; give one of "prompt", "completion" and "sequence"/,
    () => orpo({ likelihood: any("token") }),
  ],
  [
    "no prompt in the batch",
    "missing-response",
    /"w\.prompt"/,
    () =>
      values(orpo().loss, {
        examples: 1,
        vocab: 2,
        responses: {
          w: { offsets: Uint32Array.of(0, 1), labels: Uint32Array.of(0) },
          l: { offsets: Uint32Array.of(0, 1), labels: Uint32Array.of(0) },
        },
        inputs: {},
      }),
  ],
]);
