// What an objective is given: wrong responses, data without names, parameters that contradict themselves.

import { expect, it } from "vitest";
import { count, iota, objective, param, sum } from "../../src/dsl/index.ts";
import { given } from "../../src/dsl/given.ts";
import { any, describeMisuses, js } from "./misuse.ts";

const g = given("the test", ["w", "l"]);
const { policy, ref, y } = g;
const logps = policy.logps(y.w);
const about = { source: "a test" };

const pair = (formula: (given: typeof g) => unknown): unknown =>
  objective("o", ["w", "l"], any(formula), about);

describeMisuses("responses and data", [
  [
    "count without a response",
    "unknown-response",
    /^count: the response is undefined/,
    () => count(any("token")),
  ],
  [
    "iota of a string",
    "unknown-response",
    /^iota: the response is the string "w"/,
    () => iota("token", any("w")),
  ],
  [
    "logits of a name",
    "unknown-response",
    /^policy\.logits: the response is the string "w"/,
    () => policy.logits(any("w")),
  ],
  [
    "reference of nothing",
    "unknown-response",
    /^ref\.logps: the response is undefined/,
    () => ref.logps(any(undefined)),
  ],
  ["a reward of nothing", "unknown-response", /^reward: /, () => g.reward(any({}))],
  [
    "an undeclared response",
    "unknown-response",
    /^objective "o": there is no response "kl"; the objective declares "w" and "l"/,
    () => pair(({ y }) => policy.logps(any(js(y)["kl"]))),
  ],
  ["an empty name of data", "name-empty", /^example: the name is empty/, () => g.example("")],
  [
    "a name of data that is a number",
    "name-not-a-string",
    /^tokens: the name is the number 3/,
    () => g.tokens(any(3), y.w),
  ],
]);

describeMisuses("parameters", [
  ["an empty name", "name-empty", /^param: the name is empty/, () => param("")],
  [
    "a long name",
    "name-too-long",
    /^param: the name has 201 characters/,
    () => param("b".repeat(201)),
  ],
  [
    "a name that is no string",
    "name-not-a-string",
    /^param: the name is undefined/,
    () => param(any(undefined)),
  ],
  [
    "a default that is NaN",
    "parameter-not-finite",
    /^param "beta": the default is the number NaN/,
    () => param("beta", Number.NaN),
  ],
  [
    "a default that is a string",
    "parameter-not-finite",
    /^param "beta": the default is the string "0\.1"/,
    () => param("beta", any("0.1")),
  ],
  [
    "two defaults",
    "parameter-defaults-differ",
    /^objective "o": the parameter "beta" has two defaults, 0\.1 and 0\.2/,
    () => pair(() => logps.times(param("beta", 0.1)).plus(param("beta", 0.2))),
  ],
  [
    "two defaults, one in a metric",
    "parameter-defaults-differ",
    /two defaults/,
    () =>
      pair(() => ({ loss: logps.times(param("beta", 0.1)), metrics: { m: param("beta", 0.2) } })),
  ],
]);

it("finds two inputs that a batch could not tell apart", () => {
  const collide = (): unknown =>
    objective(
      "o",
      ["c", "b.c"],
      ({ tokens, y }) => sum("token", tokens("a.b", y.c)).plus(sum("token", tokens("a", y["b.c"]))),
      about,
    );
  expect(collide).toThrow(/two different inputs are both called "tokens\.a\.b\.c"; rename one/);
});

it("accepts any characters in names, since they never reach generated code", () => {
  const name = '"; @compute fn main() {} // \n💥';
  const made = objective(
    name,
    [name],
    ({ policy, y }) => policy.logps(y[name]).times(param(name, 1)),
    about,
  );
  expect(made.name).toBe(name);
  expect(made.responses).toEqual([name]);
});
