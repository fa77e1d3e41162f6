// Subgradients at kinks: what the table of docs/kinks.md says of prefc is what the interpreter computes, as written and after
// every rewriting rule, and three spellings of one formula stay three.

import { describe, expect, it } from "vitest";
import {
  compile,
  clamp,
  evaluate,
  fromTrl,
  logSigmoid,
  max,
  maximum,
  neg,
  objective,
  relu,
  sum,
  type Expr,
  type PerExample,
} from "../../src/index.ts";
import { kinked, shares, spellings, start, type Kinked } from "../support/kinks.ts";

/** The share of the slope of x = log π(y_w) − log π_ref(y_w) that a function hands on at x = 0, in the rewritten gradient. */
function share(f: Kinked): number {
  const slope = (loss: Kinked): number => {
    const { program } = compile(kinked(loss));
    const found = program.gradients.find(({ input }) => input.name === "policy.logits.w");
    if (found === undefined) return 0;
    return evaluate([found.node], start, {})[0]!.data[1] ?? 0;
  };
  return slope(f) / slope((x) => x);
}

describe("the table of subgradients", () => {
  it.each(Object.keys(spellings))("is right about %s", (spelling) => {
    expect(share(spellings[spelling]!)).toBeCloseTo(shares.get(spelling)!, 12);
  });

  it("has no row that is not tried", () => {
    expect([...shares.keys()].toSorted()).toEqual(Object.keys(spellings).toSorted());
  });
});

describe("DPO-Positive at the first step", () => {
  const spelled: readonly ((x: Expr<PerExample>) => Expr<PerExample>)[] = [
    relu,
    (x) => maximum(x, 0),
    (x) => clamp(x, { min: 0 }),
  ];
  it("has three updates by three spellings, which no rule turns into one another", () => {
    const shares = spelled.map((hinge) =>
      share((h) => neg(logSigmoid(h.minus(hinge(neg(h)).times(50))))),
    );
    // half of the slope of log σ, and λ = 50 times the share of the penalty's own
    expect(shares.map((value) => Math.abs(value))).toEqual(
      [0.5, 13, 25.5].map((value) => expect.closeTo(value, 12)),
    );
  });
});

describe("a maximum over the vocabulary", () => {
  it("shares its gradient between equal entries", () => {
    const tie = objective(
      "top",
      ["w"],
      ({ policy, y }) => sum("token", max("vocab", policy.logits(y.w))),
      {
        source: "ties",
      },
    );
    const batch = fromTrl({
      input_ids: [[0, 1]],
      completion_mask: [[0, 1]],
      policy_logits: [
        [
          [2, 2, 0],
          [0, 0, 0],
        ],
      ],
      responses: ["w"],
    });
    const [found] = compile(tie).program.gradients;
    expect([...evaluate([found!.node], batch, {})[0]!.data]).toEqual([0.5, 0.5, 0]);
  });
});
