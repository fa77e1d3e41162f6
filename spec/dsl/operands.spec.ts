// What an operator accepts: expressions of the right type and finite numbers, and nothing else, with a sentence
// for each other thing that JavaScript lets through.

import { expect, it } from "vitest";
import {
  clamp,
  constant,
  exp,
  isExpr,
  log,
  mean,
  neg,
  real,
  stopGrad,
  sum,
  where,
} from "../../src/dsl/index.ts";
import { given } from "../../src/dsl/given.ts";
import { any, describeMisuses, js } from "./misuse.ts";

const g = given("the test", ["w", "l"]);
const { policy, y } = g;
const w = policy.logp(y.w);
const logps = policy.logps(y.w);

describeMisuses("operands", [
  [
    "a string",
    "not-an-expression",
    /^minus: the right side is the string "2", but it must be/,
    () => w.minus(any("2")),
  ],
  ["undefined", "not-an-expression", /^exp: the operand is undefined/, () => exp(any(undefined))],
  ["null", "not-an-expression", /^log: the operand is null/, () => log(any(null))],
  ["an array", "not-an-expression", /^neg: the operand is an array/, () => neg(any([1]))],
  [
    "a function",
    "not-an-expression",
    /^stopGrad: the operand is a function/,
    () => stopGrad(any(policy.logps)),
  ],
  [
    "a promise",
    "not-an-expression",
    /^plus: the right side is a promise/,
    () => w.plus(any(Promise.resolve(1))),
  ],
  [
    "an object",
    "not-an-expression",
    /^over: the right side is an object that is no expression/,
    () => w.over(any({})),
  ],
  [
    "another copy's expression",
    "not-an-expression",
    /another copy of this package/,
    () => neg(any({ ...w })),
  ],
  [
    "a reduction of a number",
    "axis-not-present",
    /^sum: the expression has no token axis \(it ranges over nothing\)/,
    () => sum("token", any(3)),
  ],
  [
    "a reduction of a string",
    "not-an-expression",
    /^mean: the expression is the string "w"/,
    () => mean("token", any("w")),
  ],
  [
    "NaN",
    "number-not-finite",
    /^times: the right side is NaN; write a finite number/,
    () => w.times(Number.NaN),
  ],
  [
    "Infinity",
    "number-not-finite",
    /^clamp: min is -Infinity; write a finite number/,
    () => clamp(w, { min: -Infinity }),
  ],
  [
    "a constant that is NaN",
    "number-not-finite",
    /^constant: the value is the number NaN/,
    () => constant(Number.NaN),
  ],
  [
    "a half token",
    "number-not-an-integer",
    /^eq: the right side is 0.5, but the other side is i32/,
    () => y.w.ids.eq(0.5),
  ],
  [
    "ids as reals",
    "dtype-mismatch",
    /^times: the right side is i32, but times takes f32; .*real\(…\)/,
    () => w.times(any(y.w.ids)),
  ],
  [
    "arithmetic on ids",
    "dtype-mismatch",
    /^plus: the left side is i32/,
    () => js(y.w.ids)["plus"]?.(1),
  ],
  [
    "a real against ids",
    "dtype-mismatch",
    /^eq: the left side is i32 and the right side is f32/,
    () => y.w.ids.eq(any(w)),
  ],
  [
    "a function of a condition",
    "dtype-mismatch",
    /^exp: the operand is bool/,
    () => exp(any(w.gt(0))),
  ],
  [
    "a condition that is a real",
    "dtype-mismatch",
    /^where: the condition is f32, .*compare it/,
    () => where(any(w), 1, 0),
  ],
  [
    "a condition that is a number",
    "not-an-expression",
    /^where: the condition is the number 1/,
    () => where(any(1), w, 0),
  ],
  ["and of reals", "dtype-mismatch", /^and: the left side is f32/, () => js(w)["and"]?.(w.gt(0))],
  ["not of a real", "dtype-mismatch", /^not: the operand is f32/, () => js(w)["not"]?.()],
  ["real of a real", "dtype-mismatch", /^real: the operand is f32/, () => real(any(w))],
  [
    "JavaScript's *",
    "javascript-operator",
    /use its methods, e\.g\. a\.times\(b\)/,
    () => any(w) * 2,
  ],
  ["JavaScript's >", "javascript-operator", /a\.gt\(b\)/, () => any(w) > any(logps)],
]);

describeMisuses("clamp", [
  [
    "no bounds at all",
    "clamp-bounds",
    /^clamp: the bounds are undefined/,
    () => clamp(w, any(undefined)),
  ],
  ["neither bound", "clamp-bounds", /neither min nor max/, () => clamp(w, {})],
  [
    "crossed bounds",
    "clamp-bounds",
    /min 2 is larger than max 1/,
    () => clamp(w, { min: 2, max: 1 }),
  ],
]);

it("describes an expression by what it ranges over where JavaScript asks for text", () => {
  const text = (value: unknown): string => `an ${value as string}`;
  expect(text(w)).toBe('an [expression over batch and the tokens of "w"]');
  expect(isExpr(w)).toBe(true);
});
