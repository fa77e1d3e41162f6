// Hyper-parameters: defaults, given values, and every way in which they may not fit.
import { describe, expect, it } from "vitest";
import { binary, param } from "../../src/core/build.ts";
import { checkParams, didYouMean, parameterValue } from "../../src/batch/params.ts";
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

  it("brings no suggestion when nothing is near", () => {
    expect(didYouMean("temperature", ["beta", "gamma"])).toBe("");
    expect(didYouMean("Beta", ["gamma", "beta"])).toContain('"beta"');
    expect(didYouMean("x", [])).toBe("");
  });
});
