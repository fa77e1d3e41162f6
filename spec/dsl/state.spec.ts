// State across steps as an objective declares it: what is read must have a next value, and nothing else may.
import { describe, expect, it } from "vitest";
import { count, mean, named, objective, param, referenceFree, state } from "../../src/dsl/index.ts";
import { dpo, none, withWeighting } from "../../src/objectives/index.ts";
import { given } from "../../src/dsl/given.ts";
import { any, describeMisuses } from "./misuse.ts";

const about = { source: "a test" };
const running = state("mean", 0.5);
const g = given("the test", ["w"]);
const build = (formula: (one: typeof g) => unknown): unknown =>
  objective("o", ["w"], any(formula), about);
const loss = g.policy.logps(g.y.w);

describe("an objective with state", () => {
  const moving = objective(
    "moving",
    ["w", "l"],
    ({ policy, y }) => ({
      loss: policy.logps(y.w).minus(running),
      next: {
        mean: running.plus(mean("batch", policy.logps(y.w))),
        steps: state("steps", 0).plus(1),
      },
    }),
    about,
  );

  it("has the first state, and the next one as an expression", () => {
    expect(moving.state).toEqual({ mean: 0.5, steps: 0 });
    expect(Object.keys(moving.next)).toEqual(["mean", "steps"]);
    expect(moving.next["mean"]!.axes).toEqual([]);
  });

  it("keeps it under combinators", () => {
    for (const other of [named("x", moving), referenceFree(moving), withWeighting(none)(moving)]) {
      expect(other.state).toEqual(moving.state);
      expect(Object.keys(other.next)).toEqual(["mean", "steps"]);
    }
  });

  it("is none for an objective that reads none", () => {
    expect(dpo()).toMatchObject({ state: {}, next: {} });
  });
});

describeMisuses("state", [
  ["an empty name", "name-empty", /^state: the name is empty/, () => state("", 0)],
  [
    "no beginning",
    "state-not-finite",
    /^state "mean": the initial value is undefined; give a finite number/,
    () => state("mean", any(undefined)),
  ],
  [
    "a beginning that is NaN",
    "state-not-finite",
    /the initial value is the number NaN/,
    () => state("mean", Number.NaN),
  ],
  [
    "no next value",
    "state-without-next",
    /^objective "o": the state "mean" has no next value; return \{ loss, next: \{ "mean": … \} \}/,
    () => build(() => loss.minus(running)),
  ],
  [
    "no next value for a state that a metric reads",
    "state-without-next",
    /"mean" has no next value/,
    () => build(() => ({ loss, metrics: { m: running } })),
  ],
  [
    "a next value of a state that is not read",
    "unknown-state",
    /a next value is given for "maen", but no state of that name is read; read state\("maen", …\) or leave it out\. Did you mean "mean"\?/,
    () =>
      build(() => ({ loss: loss.minus(running), next: { mean: running, maen: count("batch") } })),
  ],
  [
    "a next value per example",
    "state-per-example",
    /the next value of the state "mean" is one number per example; reduce it first/,
    () => build(() => ({ loss: loss.minus(running), next: { mean: running.plus(loss) } })),
  ],
  [
    "a next value per token",
    "axis-left-over",
    /the next value of the state "mean" still ranges over the tokens of "w"/,
    () => build(({ policy, y }) => ({ loss, next: { mean: running.plus(policy.logp(y.w)) } })),
  ],
  [
    "a next value that is no expression",
    "not-an-expression",
    /the next value of the state "mean" is the string "0"/,
    () => build(() => ({ loss: loss.minus(running), next: { mean: "0" } })),
  ],
  [
    "a next state that is no record",
    "next-not-a-record",
    /the next state is an array; return \{ loss, next: \{ name: expression \} \}/,
    () => build(() => ({ loss, next: [running] })),
  ],
  [
    "two beginnings",
    "state-defaults-differ",
    /the state "mean" has two initial values, 0\.5 and 0;/,
    () => build(() => ({ loss: loss.minus(running), next: { mean: state("mean", 0) } })),
  ],
  [
    "a parameter of the same name",
    "name-of-two",
    /a parameter and a state are both called "mean"; rename one/,
    () => build(() => ({ loss: loss.minus(param("mean")), next: { mean: running } })),
  ],
]);
