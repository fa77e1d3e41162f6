// Subgradients at kinks: what the table of docs/kinks.md says of prefc is what the interpreter computes, as written and after
// every rewriting rule, and three spellings of one formula stay three.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  compile,
  clamp,
  evaluate,
  fromTrl,
  maximum,
  minimum,
  neg,
  objective,
  relu,
} from "../../src/index.ts";
import { abs, logSigmoid, max, sort, sum, where } from "../../src/index.ts";
import type { Expr, Given, PerExample } from "../../src/index.ts";

const logits = [
  [
    [0.5, -1, 0.25],
    [0, 0.75, -0.5],
  ],
  [
    [1, 0.5, 0],
    [0.25, 0.25, -2],
  ],
];
/** One pair, the policy equal to the reference: the first step. */
const start = fromTrl({
  input_ids: [
    [0, 1],
    [0, 2],
  ],
  completion_mask: [
    [0, 1],
    [0, 1],
  ],
  policy_logits: logits,
  ref_logits: logits,
});

type Kinked = (x: Expr<PerExample>, g: Given<"w" | "l">) => Expr<PerExample>;
const made = (loss: Kinked) =>
  objective("kinked", ["w", "l"], (g) => loss(g.policy.logps(g.y.w).minus(g.ref.logps(g.y.w)), g), {
    source: "a kink",
  });

/** The share of the slope of x = log π(y_w) − log π_ref(y_w) that a function hands on at x = 0, in the rewritten gradient. */
function share(f: Kinked): number {
  const slope = (loss: Kinked): number => {
    const { program } = compile(made(loss));
    const found = program.gradients.find(({ input }) => input.name === "policy.logits.w");
    if (found === undefined) return 0;
    return evaluate([found.node], start, {})[0]!.data[1] ?? 0;
  };
  return slope(f) / slope((x) => x);
}

/** Spellings of docs/kinks.md, by the first column of its table. */
const spellings: Readonly<Record<string, Kinked>> = {
  "`maximum(x, 0)`": (x) => maximum(x, 0),
  "`relu(x)`": (x) => relu(x),
  "`clamp(x, { min: 0 })`": (x) => clamp(x, { min: 0 }),
  "`where(x.gt(0), x, 0)`": (x) => where(x.gt(0), x, 0),
  "`minimum(x, 0)`": (x) => minimum(x, 0),
  "`clamp(x, { max: 0 })`": (x) => clamp(x, { max: 0 }),
  "`abs(x)`": (x) => abs(x),
  "`minimum(x, 2x)`": (x) => minimum(x, x.times(2)),
  '`sort("batch", x)`': (x) => sort("batch", x),
};

const page = readFileSync(new URL("../../docs/kinks.md", import.meta.url), "utf8");
const said = new Map(
  page
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((text) => text.trim()))
    .map(([, spelling, prefc]) => [spelling!, Number(prefc)] as const),
);

describe("the table of subgradients", () => {
  it.each(Object.keys(spellings))("is right about %s", (spelling) => {
    expect(share(spellings[spelling]!)).toBeCloseTo(said.get(spelling)!, 12);
  });

  it("has no row that is not tried", () => {
    expect([...said.keys()].toSorted()).toEqual(Object.keys(spellings).toSorted());
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
