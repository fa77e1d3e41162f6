// One property proves every rule; and since a property that cannot fail proves nothing, wrong rules are put to it too.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Axis } from "../../src/core/axis.ts";
import { constant, stop } from "../../src/core/build.ts";
import { PrefcError } from "../../src/core/error.ts";
import type { Node } from "../../src/core/node.ts";
import { verify } from "../../src/core/verify.ts";
import { applyRule, rewrite } from "../../src/rewrite/engine.ts";
import { axisVariable, rule, variable, variableOf, type Rule } from "../../src/rewrite/rule.ts";
import { simplification } from "../../src/rewrite/simplify.ts";
import { nodes, one, reductions } from "../../src/core/smart.ts";
import { boundAxis, sides, soundness, standIn } from "./proof.ts";

const { exp, log, minus, neg, plus, sigmoid, sqrt, square, times } = nodes;
const { logSumExp, max, sum } = reductions;

const axis = axisVariable("axis");
const x = variable("x");
const y = variable("y");

/** The rule with each variable standing for a parameter of its own, or for a constant in its domain. */
const ownInstance = (subject: Rule): readonly [Node, Node] => {
  const nodes = new Map<Node, Node>(
    subject.variables.map((node) => {
      const { name, dtype, domain, constant: isConstant } = variableOf(node)!;
      return [
        node,
        isConstant ? constant(Math.ceil(domain[0]), dtype) : standIn(name, dtype, [], domain),
      ];
    }),
  );
  const bound = boundAxis(subject);
  return sides(subject, {
    nodes,
    axes: new Map<Axis, Axis>(bound === undefined ? [] : [[bound, "vocab"]]),
  })!;
};

describe("every rule", () => {
  it("has a name of its own", () => {
    const names = simplification.map((one) => one.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(simplification)("$name is right for all values of its domain", (subject) => {
    fc.assert(soundness(subject));
  });

  it.each(simplification)("$name rewrites its own pattern to a well-formed term", (subject) => {
    const [pattern, result] = ownInstance(subject);
    expect(applyRule(subject, pattern)).toBe(result);
    const { roots, applied } = rewrite([pattern], [subject]);
    expect(applied.get(subject.name)).toBeGreaterThan(0);
    expect(() => verify(roots, subject.name)).not.toThrow();
  });
});

describe("the property", () => {
  const nonNegative = variable("nonNegative", { domain: [0, 4] });
  const wrong: readonly Rule[] = [
    rule("sign of the argument", minus(one, sigmoid(x)), sigmoid(x)),
    rule("a bound axis escapes", sum(axis, times(x, y)), times(x, sum(axis, y))),
    rule(
      "a sum counts once",
      sum(axis, variable("free", { without: axis })),
      variable("free", { without: axis }),
    ),
    rule("sqrt of square without abs", sqrt(square(x)), x),
    rule("log of a sum", log(sum(axis, exp(x))), max(axis, x)),
    rule("factor of a logSumExp", logSumExp(axis, times(constant(2), x)), neg(x)),
    rule("wrong order", minus(neg(x), y), minus(y, x)),
    rule("wrong constant", log(plus(one, exp(nonNegative))), nonNegative),
  ];

  it.each(wrong)("catches a wrong rule: $name", (subject) => {
    expect(fc.check(soundness(subject)).failed).toBe(true);
  });

  it("notices a domain that is too wide", () => {
    const positive = variable("x", { domain: [1e-3, 4] });
    const any = variable("x", { domain: [-4, 4] });
    const identity = (on: Node): Rule => rule("sqrt-square", sqrt(square(on)), on);
    expect(fc.check(soundness(identity(positive))).failed).toBe(false);
    expect(fc.check(soundness(identity(any))).failed).toBe(true);
  });
});

describe("rule", () => {
  const code = (make: () => Rule): readonly [string, string] => {
    try {
      make();
    } catch (error) {
      if (error instanceof PrefcError) return [error.code, error.message];
      throw error;
    }
    throw new Error("the rule was accepted");
  };

  it("refuses a result that does not lower the termination order, by name", () => {
    const [kind, sentence] = code(() => rule("swap", plus(x, y), plus(y, x)));
    expect(kind).toBe("rule-does-not-descend");
    expect(sentence).toMatch(/^rule "swap": its result is not below its pattern/);
  });

  it.each([
    ["distribution", times(x, plus(y, one)), plus(times(x, y), x), true],
    ["factoring", plus(times(x, y), x), times(x, plus(y, one)), false],
    ["a variable for what it may be above", plus(exp(x), y), plus(y, y), false],
    ["growth", exp(x), exp(exp(x)), false],
    ["duplication below the head", stop(exp(x)), exp(plus(x, x)), false],
    ["another constant", plus(x, constant(1)), plus(x, constant(2)), false],
  ])("knows that %s %#", (name, pattern, result, descends) => {
    const make = (): Rule => rule(name, pattern, result);
    if (descends) expect(make().name).toBe(name);
    else expect(code(make)[0]).toBe("rule-does-not-descend");
  });

  it("refuses a result with a variable that the pattern does not bind", () => {
    expect(code(() => rule("invent", exp(x), y))).toEqual([
      "rule-ill-formed",
      'rule "invent": the pattern does not bind "y", which the result uses; bind it or leave it out.',
    ]);
  });

  it("refuses a pattern that fits everything", () => {
    expect(code(() => rule("anything", x, x))).toEqual([
      "rule-ill-formed",
      'rule "anything": the pattern is a bare variable or constant; give it an operator.',
    ]);
  });

  it("refuses a result of another type", () => {
    const flag = variable("flag", { dtype: "bool" });
    expect(code(() => rule("retype", stop(flag), one))).toEqual([
      "rule-ill-formed",
      'rule "retype": the pattern is bool, but the result is f32; give both one type.',
    ]);
  });
});
