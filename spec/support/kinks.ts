// Formulas with a kink at x = 0, where x is the log-ratio of the chosen response and the policy is the reference: the spellings
// of the table in docs/kinks.md, which every engine is held to.
import { readFileSync } from "node:fs";
import {
  abs,
  clamp,
  fromTrl,
  maximum,
  minimum,
  objective,
  relu,
  sort,
  sqrt,
  square,
  where,
  type Batch,
  type Expr,
  type Given,
  type Objective,
  type PerExample,
} from "../../src/index.ts";

export type Kinked = (x: Expr<PerExample>, g: Given<"w" | "l">) => Expr<PerExample>;

/** A loss of x = log π(y_w) − log π_ref(y_w). */
export const kinked = (loss: Kinked): Objective =>
  objective("kinked", ["w", "l"], (g) => loss(g.policy.logps(g.y.w).minus(g.ref.logps(g.y.w)), g), {
    source: "a kink",
  });

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
export const start: Batch = fromTrl({
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

/** Spellings of docs/kinks.md, by the first column of its table. */
export const spellings: Readonly<Record<string, Kinked>> = {
  "`maximum(x, 0)`": (x) => maximum(x, 0),
  "`relu(x)`": (x) => relu(x),
  "`clamp(x, { min: 0 })`": (x) => clamp(x, { min: 0 }),
  "`where(x.gt(0), x, 0)`": (x) => where(x.gt(0), x, 0),
  "`minimum(x, 0)`": (x) => minimum(x, 0),
  "`clamp(x, { max: 0 })`": (x) => clamp(x, { max: 0 }),
  "`abs(x)`": (x) => abs(x),
  "`sqrt(square(x))`": (x) => sqrt(square(x)),
  "`minimum(x, 2x)`": (x) => minimum(x, x.times(2)),
  '`sort("batch", x)`': (x) => sort("batch", x),
};

/** The share of the slope of x that each spelling hands on, as the page says. */
export const shares: ReadonlyMap<string, number> = new Map(
  readFileSync(new URL("../../docs/kinks.md", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((text) => text.trim()))
    .map(([, spelling, prefc]) => [spelling!, Number(prefc)] as const),
);
