// Comparing examples of a batch on the GPU: sorting by counting, gradients that are permuted back, and the variance.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compile,
  count,
  exp,
  iota,
  logSigmoid,
  mean,
  neg,
  objective,
  param,
  rank,
  real,
  sigmoid,
  sort,
  square,
  variance,
  where,
  type Device,
  type Given,
} from "../../src/index.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import { contentOf, draws, laidOut, layouts } from "./batches.ts";
import { code, drawnScores, scores, scoresOf } from "./scores.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const about = { source: "a test" };

const place = real(iota("batch")).over(count("batch"));
const sorting: Readonly<
  Record<string, (g: Given<"w" | "l">) => ReturnType<typeof neg<{ batch: "batch" }>>>
> = {
  "two sorts": ({ reward, y }) =>
    neg(
      logSigmoid(
        sort("batch", reward(y.w))
          .minus(sort("batch", reward(y.l)))
          .times(param("beta", 0.1)),
      ),
    ),
  "a sort of a difference, weighted by place": ({ reward, y }) =>
    square(sort("batch", reward(y.w).minus(reward(y.l)))).times(place),
  "a sort of a function": ({ reward, y }) => sort("batch", sigmoid(reward(y.w))).times(place),
  "a sort of a sort": ({ reward, y }) =>
    sort("batch", neg(sort("batch", reward(y.w)))).times(sort("batch", reward(y.l))),
  "ranks as weights": ({ reward, y }) =>
    real(rank("batch", reward(y.w)))
      .over(count("batch"))
      .times(square(reward(y.l))),
  "a sort of what all examples share": ({ reward, y }) =>
    sort("batch", reward(y.w).minus(mean("batch", reward(y.l)))).times(place),
  "a choice by rank": ({ reward, y }) =>
    where(rank("batch", reward(y.w)).lt(3), reward(y.w), neg(reward(y.l))),
};

describe("sorting along the batch", () => {
  it.each(Object.entries(sorting))("%s", async (name, formula) => {
    const compiled = compile(objective(name, ["w", "l"], formula, about), { device });
    await fc.assert(
      fc.asyncProperty(drawnScores, async (batch) => {
        await expectAgreementOf(compiled, batch);
      }),
      { numRuns: 8 },
    );
    compiled.dispose();
  });

  it("gives the very numbers of the batch, each once", async () => {
    const compiled = compile(
      objective("sorted", ["w"], ({ reward, y }) => sort("batch", reward(y.w)), about),
      { device },
    );
    for (const examples of [1, 2, 64, 257, 500]) {
      const batch = scores(examples, examples);
      const { perExample } = await compiled.value(batch, { perExample: true });
      expect(perExample).toEqual(scoresOf(batch, "w").toSorted());
    }
    compiled.dispose();
  });

  it("of log-probabilities routes the gradient to the logits they came from", async () => {
    const loss = ({ policy, ref, y }: Given<"w" | "l">) => {
      const u = sort("batch", policy.logps(y.w).minus(policy.logps(y.l)));
      const r = sort("batch", ref.logps(y.w).minus(ref.logps(y.l)));
      return neg(logSigmoid(u.minus(r).times(param("beta", 0.1))));
    };
    const compiled = compile(objective("sorted margins", ["w", "l"], loss, about), { device });
    await fc.assert(
      fc.asyncProperty(
        draws({ masked: false, scales: ["normal"] }),
        layouts,
        async (one, layout) => {
          await expectAgreementOf(compiled, laidOut(contentOf(one), layout));
        },
      ),
      { numRuns: 8 },
    );
    compiled.dispose();
  });
});

describe("statistics of the batch", () => {
  const spread = objective(
    "spread",
    ["w", "l"],
    ({ reward, y }) => {
      const margin = reward(y.w).minus(reward(y.l));
      return sigmoid(variance("batch", margin).times(0.1)).times(exp(margin.times(0.05)));
    },
    about,
  );

  it("carry gradients", async () => {
    const compiled = compile(spread, { device });
    await fc.assert(
      fc.asyncProperty(
        drawnScores.filter(({ examples }) => examples > 1),
        async (batch) => {
          await expectAgreementOf(compiled, batch);
        },
      ),
      { numRuns: 8 },
    );
    compiled.dispose();
  });

  it("need two examples where a variance is taken", async () => {
    const compiled = compile(spread, { device });
    expect(await code(compiled.value(scores(1, 1)))).toMatch(
      /^division-by-zero: The objective divides by count\[batch\] - 1, which is 0; the batch has 1 example, so give more/,
    );
    compiled.dispose();
  });
});
