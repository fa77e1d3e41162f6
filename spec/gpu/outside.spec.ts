// Objectives that nobody here wrote, with terms that no built-in has: sums outside the class of running moments become passes
// of their own, both models may be read in one loop, and vocabulary terms may be differentiated. Each must validate for both
// vector widths without a device, and agree with the interpreter, value and gradient.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  abs,
  compile,
  exp,
  log,
  logSigmoid,
  logSumExp,
  logPi,
  max,
  mean,
  neg,
  objective,
  param,
  relu,
  sigmoid,
  square,
  sum,
  type Device,
  type Expr,
  type Given,
  type Model,
  type ObjectiveOf,
  type Pair,
  type PerExample,
  type PerToken,
  type Response,
} from "../../src/index.ts";
import { chooseSchedule, typicalTraits } from "../../src/schedule/schedule.ts";
import { validateWgsl } from "../../src/runtime/shaders/shaders.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import { contentOf, draws, laidOut, layouts, withHighInputs } from "./batches.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const pi = <R extends string>(m: Model, y: Response<R>) => exp(logPi(m, y));
/** The average over the tokens of w, minus that over the tokens of l. */
const contrast = (
  g: Given<Pair>,
  term: <R extends Pair>(y: Response<R>) => Expr<PerToken<R>>,
): Expr<PerExample> => mean("token", term(g.y.w)).minus(mean("token", term(g.y.l)));
const made = (name: string, build: (g: Given<Pair>) => Expr<PerExample>): ObjectiveOf<Pair> =>
  objective(name, ["w", "l"], build, { source: "written for this test" });

const outside: Readonly<Record<string, ObjectiveOf<Pair>>> = {
  "a sum of sigmoids of logits": made("sigmoids", (g) =>
    contrast(g, (y) => sum("vocab", sigmoid(g.policy.logits(y)))),
  ),
  "the average inverse probability": made("inverse", (g) =>
    contrast(g, (y) => log(sum("vocab", exp(neg(logPi(g.policy, y)))))),
  ),
  "a power of probabilities that is no integer": made("tsallis", (g) =>
    contrast(g, (y) => sum("vocab", exp(logPi(g.policy, y).times(1.5)))),
  ),
  "a log-sum-exp of the difference of the models": made("difference", (g) =>
    contrast(g, (y) => logSumExp("vocab", g.policy.logits(y).minus(g.ref.logits(y)))),
  ),
  "forward divergence, differentiated": made("forward", (g) =>
    contrast(g, (y) => sum("vocab", pi(g.ref, y).times(logPi(g.ref, y).minus(logPi(g.policy, y))))),
  ),
  "reverse divergence, differentiated": made("reverse", (g) =>
    contrast(g, (y) =>
      sum("vocab", pi(g.policy, y).times(logPi(g.policy, y).minus(logPi(g.ref, y)))),
    ),
  ),
  "token-level DPO with both divergences": made("tdpo-like", (g) => {
    const kl = <R extends Pair>(y: Response<R>): Expr<PerExample> =>
      sum("token", sum("vocab", pi(g.ref, y).times(logPi(g.ref, y).minus(logPi(g.policy, y)))));
    const ratio = <R extends Pair>(y: Response<R>): Expr<PerExample> =>
      g.policy.logps(y).minus(g.ref.logps(y));
    const margin = ratio(g.y.w).minus(ratio(g.y.l)).times(param("beta", 0.1));
    return neg(logSigmoid(margin.minus(param("alpha", 0.05).times(kl(g.y.l).minus(kl(g.y.w))))));
  }),
  "an entropy bonus": made("entropy", (g) =>
    contrast(g, (y) => sum("vocab", pi(g.policy, y).times(logPi(g.policy, y)))),
  ),
  "uniform label smoothing": made("smoothed", (g) =>
    neg(
      mean("token", g.policy.logp(g.y.w))
        .times(0.9)
        .plus(mean("token", mean("vocab", logPi(g.policy, g.y.w))).times(0.1)),
    ),
  ),
  "the probability of the likeliest token": made("top", (g) =>
    contrast(g, (y) => exp(max("vocab", logPi(g.policy, y)))),
  ),
  "a temperature that is a parameter": made("temperature", (g) =>
    contrast(g, (y) => {
      const cold = g.policy.logits(y).times(param("inverse_temperature", 0.7));
      return logSumExp("vocab", cold).times(0.5);
    }),
  ),
  "logits divided by a number of the token": made("divided", (g) =>
    contrast(g, (y) => {
      const size = square(g.tokens("given", y)).plus(1);
      return sum("vocab", sigmoid(g.policy.logits(y).over(size)));
    }),
  ),
  "a kink in logits divided by a number of the token": made("divided kink", (g) =>
    contrast(g, (y) => {
      const size = square(g.tokens("given", y)).plus(1);
      return mean("vocab", relu(g.policy.logits(y).over(size)));
    }),
  ),
  "squared logits": made("square", (g) =>
    contrast(g, (y) => mean("vocab", square(g.policy.logits(y)))),
  ),
  "absolute differences of probabilities": made("total variation", (g) =>
    contrast(g, (y) => sum("vocab", abs(pi(g.policy, y).minus(pi(g.ref, y)))).times(0.5)),
  ),
  "squared differences of probabilities": made("brier", (g) =>
    contrast(g, (y) => sum("vocab", square(pi(g.policy, y).minus(pi(g.ref, y))))),
  ),
  "a sum that reads the result of another": made("second round", (g) =>
    contrast(g, (y) => {
      const average = mean("vocab", sigmoid(g.policy.logits(y)));
      return mean("vocab", relu(sigmoid(g.policy.logits(y)).minus(average)));
    }),
  ),
  "a reward model and nothing else": made("reward", (g) => g.reward(g.y.w)),
  "the average log-probability alone": made("logps", (g) => neg(g.policy.logps(g.y.w))),
  "a weight per token": made("weighted tokens", (g) =>
    sum("token", g.policy.logp(g.y.w).times(g.tokens("given", g.y.w))).times(g.example("given")),
  ),
  "only the rejected response, with the variance of its tokens": made("variance", (g) => {
    const average = mean("token", g.policy.logp(g.y.l));
    return mean("token", square(g.policy.logp(g.y.l))).minus(square(average));
  }),
};

/**
 * Compared with logits of ordinary size only. Where both models have a probability of 1 in f32, no f32 can tell on which side
 * of the kink of |π − π_ref| it is; and the compiler reads Σ (π − π_ref)² in one pass, as Σ π² − 2 Σ π π_ref + Σ π_ref², whose
 * terms cancel to 2^-24 there.
 */
const ordinaryOnly: readonly string[] = [
  "absolute differences of probabilities",
  "squared differences of probabilities",
];

describe("an objective from outside", () => {
  it.each(Object.entries(outside))(
    "compiles and validates, whether rows are whole vectors or not: %s",
    async (_name, given) => {
      const compiled = compile(given);
      for (const [vocab, vector, aligned] of [
        [12, 4, true],
        [13, 4, false],
        [3, 1, true],
      ] as const) {
        expect(chooseSchedule(typicalTraits, { vocab, rows: 256 })).toMatchObject({
          vector,
          aligned,
        });
        for (const direction of ["value", "valueAndGrad"] as const) {
          for (const { wgsl } of compiled.plan(direction, vocab).steps)
            expect(await validateWgsl(wgsl)).toEqual([]);
        }
      }
    },
  );

  it.each(Object.entries(outside))("agrees with the interpreter: %s", async (name, given) => {
    const compiled = compile(given, { device });
    // unmasked: a logit of −∞ has no square and no sigmoid worth a sum; masks are the subject of badinput.spec.ts
    const drawn = draws({
      scales: ordinaryOnly.includes(name) ? ["normal"] : ["normal", "peaked"],
      masked: false,
      maxVocab: 24,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(drawn, layouts, async (one, layout) => {
        await expectAgreementOf(
          compiled,
          withHighInputs(laidOut(contentOf(one), layout), one.seed),
          {},
          "gradient sums",
        );
      }),
      { numRuns: 5 },
    );
    compiled.dispose();
  });

  it.each([
    "a power of probabilities that is no integer",
    "forward divergence, differentiated",
    "reverse divergence, differentiated",
    "token-level DPO with both divergences",
    "an entropy bonus",
    "the probability of the likeliest token",
    "a temperature that is a parameter",
    "absolute differences of probabilities",
  ])("agrees where both models mask the same entries: %s", async (name) => {
    const compiled = compile(outside[name]!, { device });
    await fc.assert(
      fc.asyncProperty(
        draws({ scales: ["normal"], masked: true, maxVocab: 24, maxLength: 3 }),
        layouts,
        async (drawn, layout) => {
          const { rows, ...rest } = contentOf(drawn);
          const masks = (key: string): readonly Float32Array[] =>
            rows[key.replace("ref.", "policy.")]!;
          const together = Object.fromEntries(
            Object.entries(rows).map(([key, own]) => [
              key,
              own.map((row, n) =>
                row.map((z, v) => {
                  if (masks(key)[n]![v] === -Infinity) return -Infinity;
                  return z === -Infinity ? 0 : z;
                }),
              ),
            ]),
          );
          const batch = laidOut({ ...rest, rows: together }, layout);
          await expectAgreementOf(compiled, batch, {}, "gradient sums");
        },
      ),
      { numRuns: 4 },
    );
    compiled.dispose();
  });
});
