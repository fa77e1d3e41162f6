// Provokes the errors of single expressions.
import { gradient } from "../../../src/ad/gradient.ts";
import { at as coreAt, constant as coreConstant, reduce } from "../../../src/core/build.ts";
import { iota as coreIota, sort } from "../../../src/core/build.ts";
import type { expressions as rows } from "../../../src/core/errors/expressions.ts";
import { exampleInput, logpsInput } from "../../../src/core/inputs.ts";
import { parse } from "../../../src/core/parse.ts";
import { at, clamp, iota, max, mean, other, rank, prompt, sum } from "../../../src/dsl/index.ts";
import { evaluate } from "../../../src/index.ts";
import { given } from "../../../src/dsl/given.ts";
import { any, type Provocations } from "./provocations.ts";

const { policy, y, example } = given("an example", ["w", "l"]);
const w = policy.logp(y.w);
const { y: lists } = given("an example", ["y[]"]);
const sums = policy.logps(lists.y);

export const expressions: Provocations<typeof rows> = {
  "not-a-node": () => evaluate(any({ loss: w.node }), any({}), {}),
  "not-an-expression": () => w.minus(any("2")),
  "javascript-operator": () => any(w) * 2,
  "dtype-mismatch": () => w.times(any(y.w.ids)),
  "number-not-finite": () => w.times(Number.NaN),
  "number-not-an-integer": () => y.w.ids.eq(0.5),
  "constant-not-a-number": () => coreConstant(Number.NaN),
  "constant-not-finite": () => coreConstant(Infinity),
  "clamp-bounds": () => clamp(w, { min: 2, max: 1 }),
  "unknown-axis": () => max(any("tokens"), w),
  "axis-not-present": () => mean(any("token"), example("margin")),
  "axis-already-reduced": () => sum(any("token"), sum("token", w)),
  "axis-may-be-empty": () => mean("token", policy.logp(prompt(y.w))),
  "axis-not-batch": () => rank("batch", any(w)),
  "ragged-order": () => sum("batch", w),
  "token-axes-differ": () => w.minus(any(policy.logp(y.l))),
  "pairs-of-tokens": () => other(sums).minus(any(policy.logp(lists.y))),
  "pairs-per-response": () => other(any(w)),
  "response-not-a-list": () => iota("response", any(y.w)),
  "prompt-of-list": () => prompt(any(lists.y)),
  "index-axis": () => at(policy.logits(y.w), "vocab", any(iota("vocab"))),
  "sort-axis": () => sort("order", "token.w", exampleInput("x")),
  "gradient-of-at": () => {
    const x = exampleInput("x");
    return gradient(reduce("sum", "batch", coreAt(x, "batch", coreIota("batch"))), [x]);
  },
  "gradient-of-non-scalar": () => gradient(logpsInput("policy", "w"), []),
  "parse-error": () => parse("%0: f32 = const 1\n%1: f32 = exp %2\n"),
};
