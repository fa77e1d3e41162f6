// Which axes may meet and which may be reduced: each way of getting it wrong, and what is said about it.

import { at, iota, logSoftmax, max, mean, min, minimum, sum, where } from "../../src/dsl/index.ts";
import { given } from "../../src/dsl/given.ts";
import { any, describeMisuses } from "./misuse.ts";

const g = given("the test", ["w", "l"]);
const { policy, y } = g;
const z = policy.logits(y.w);
const w = policy.logp(y.w);
const l = policy.logp(y.l);

describeMisuses("axes", [
  [
    "two responses",
    "token-axes-differ",
    /^minus: token axes differ \(left ranges over the tokens of "w", right over the tokens of "l"\); reduce/,
    () => w.minus(any(l)),
  ],
  [
    "two responses, by a function",
    "token-axes-differ",
    /^minimum: token axes differ/,
    () => minimum(w, any(l)),
  ],
  [
    "two responses, by where",
    "token-axes-differ",
    /^where: token axes differ \(the condition ranges over the tokens of "l"/,
    () => where(any(l.gt(0)), w, 0),
  ],
  [
    "an axis that is absent",
    "axis-not-present",
    /^sum: the expression has no vocab axis \(it ranges over batch and the tokens of "w"\)/,
    () => sum(any("vocab"), g.tokens("weight", y.w)),
  ],
  [
    "a token axis that is absent",
    "axis-not-present",
    /count\("token", y\)/,
    () => mean(any("token"), g.example("margin")),
  ],
  [
    "reduced twice",
    "axis-already-reduced",
    /^sum: the token axis was already reduced/,
    () => sum(any("token"), sum("token", w)),
  ],
  [
    "reduced after at",
    "axis-already-reduced",
    /^logSoftmax: the vocab axis was already reduced/,
    () => logSoftmax(any("vocab"), w),
  ],
  [
    "an unknown axis",
    "unknown-axis",
    /^max: the axis is the string "tokens"; write "batch", "response", "other", "token" or "vocab"/,
    () => max(any("tokens"), w),
  ],
  [
    "the expression first",
    "unknown-axis",
    /^min: the axis is .*; write "batch", "response", "other", "token" or "vocab" first/,
    () => min(any(w), any("token")),
  ],
  [
    "the batch before tokens",
    "ragged-order",
    /^sum: the expression still ranges over the tokens of "w", .*reduce "token" before "batch"/,
    () => sum("batch", w),
  ],
  ["the mean over the batch before tokens", "ragged-order", /^mean: /, () => mean("batch", w)],
  [
    "an index of other tokens",
    "token-axes-differ",
    /^at: token axes differ \(the expression ranges over the tokens of "w", the index over/,
    () => at(z, "vocab", any(y.l.ids)),
  ],
  [
    "an index with more axes",
    "index-axis",
    /^at: the index ranges over vocab, but the expression without its vocab axis ranges over batch and the tokens of "w"/,
    () => at(z, "vocab", any(iota("vocab"))),
  ],
  [
    "an index that is real",
    "dtype-mismatch",
    /^at: the index is f32, but at takes i32/,
    () => at(z, "vocab", any(w)),
  ],
  [
    "an index into nothing",
    "axis-not-present",
    /^at: the expression has no vocab axis/,
    () => at(any(g.example("x")), any("vocab"), any(y.w.ids)),
  ],
]);
