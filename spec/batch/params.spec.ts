// Hyper-parameters: defaults, given values, and every way in which they may not fit.
import { describe, expect, it } from "vitest";
import { binary, param, state } from "../../src/core/build.ts";
import { checkParams, parameterValue, stateOf } from "../../src/batch/params.ts";
import { didYouMean } from "../../src/core/names.ts";
import { expectError } from "../support/checks.ts";

const beta = param("beta", 0.1);
const gamma = param("gamma");
const root = binary("plus", beta, gamma);
const valueOf = (node: typeof beta, params: Readonly<Record<string, number>>): number =>
  node.tag === "param" ? parameterValue(node, params) : NaN;

describe("the value of a parameter", () => {
  it("is the given one, else its default", () => {
    expect(valueOf(beta, {})).toBe(0.1);
    expect(valueOf(beta, { beta: 0 })).toBe(0);
    expect(() => checkParams([root], { gamma: 1 })).not.toThrow();
  });

  it("is missing if it has neither", () => {
    expectError(() => checkParams([root], {}), "missing-parameter", /"gamma"/);
    expectError(() => valueOf(param("toString"), {}), "missing-parameter", /"toString"/);
  });

  it.each([NaN, Infinity, "0.1"])("cannot be %o", (value) => {
    const params = { gamma: value as number };
    expectError(() => checkParams([root], params), "parameter-not-finite", /"gamma"/);
  });
});

describe("a name that is no parameter", () => {
  it("is refused, with the names there are and the nearest of them", () => {
    const given = { gamma: 1, betta: 2 };
    expectError(
      () => checkParams([root], given),
      "unknown-parameter",
      /"betta"/,
      /it takes beta, gamma/,
      /Did you mean "beta"/,
    );
    expectError(() => checkParams([], { x: 1 }), "unknown-parameter", /it takes none/);
  });

  // found by a random program: a metric was left out with the model that it read, and its parameter was no longer taken
  it("is taken where only what was left out reads it, and then needs no value", () => {
    expect(() => checkParams([beta], { gamma: 1 }, [root])).not.toThrow();
    expect(() => checkParams([beta], {}, [root])).not.toThrow();
    expectError(() => checkParams([beta], { x: 1 }, [root]), "unknown-parameter", /beta, gamma/);
  });

  it("brings no suggestion when nothing is near", () => {
    expect(didYouMean("temperature", ["beta", "gamma"])).toBe("");
    expect(didYouMean("Beta", ["gamma", "beta"])).toContain('"beta"');
    expect(didYouMean("x", [])).toBe("");
  });
});

describe("the state that a step begins with", () => {
  const moving = [binary("plus", state("mean", 0.5), binary("times", state("count", 0), beta))];

  it("is the given one, whole, or the initial values when none is given", () => {
    expect(stateOf(moving, undefined)).toEqual({ mean: 0.5, count: 0 });
    expect(stateOf(moving, { mean: 2, count: 3 })).toEqual({ mean: 2, count: 3 });
    expect(stateOf([beta], {})).toEqual({});
  });

  it("is not half of a state, of which the other half would start again", () => {
    expectError(
      () => stateOf(moving, { mean: 2 }),
      "missing-state",
      /has no "count"; give the whole/,
    );
    expectError(() => stateOf(moving, {}), "missing-state", /"mean"/);
    const cleared = { mean: null, count: 1 } as never;
    expectError(() => stateOf(moving, cleared), "missing-state", /"mean"/);
  });

  it("has no other names", () => {
    const given = { mean: 2, coun: 3 };
    expectError(
      () => stateOf(moving, given),
      "unknown-state",
      /"coun" \(it has mean, count\)/,
      /"count"/,
    );
    expectError(() => stateOf([beta], { mean: 1 }), "unknown-state", /it has none/);
    expectError(() => stateOf(moving, { toString: 1 }), "unknown-state", /"toString"/);
  });

  it("may hold what only a metric reads that was left out, and does not pass it on", () => {
    const mean = state("mean", 0);
    expect(stateOf([beta], { mean: 1 }, [beta, mean])).toEqual({});
    expectError(() => stateOf([beta], { x: 1 }, [beta, mean]), "unknown-state", /it has mean/);
  });

  it.each([NaN, -Infinity, "2"])("does not hold %o", (value) => {
    const given = { mean: value as number, count: 1 };
    expectError(() => stateOf(moving, given), "state-not-finite", /State "mean" is/);
  });

  it("is not given among the parameters", () => {
    expectError(
      () => checkParams(moving, { mean: 1 }),
      "unknown-parameter",
      /give it as state: \{ "mean": … \}/,
    );
    expect(() => checkParams(moving, { beta: 1 })).not.toThrow();
  });
});
