// How rules are applied: to the fixed point, in either order of exchangeable operands, once for shared terms, at any depth.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binary, constant, count, input, param, reduce, unary } from "../../src/core/build.ts";
import { logpFromLogits } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { printExpression } from "../../src/core/print.ts";
import { verify } from "../../src/core/verify.ts";
import { applyRule, rewrite } from "../../src/rewrite/engine.ts";
import { algebra } from "../../src/rewrite/algebra.ts";
import { axisVariable, rule, variable } from "../../src/rewrite/rule.ts";
import { simplification, simplify } from "../../src/rewrite/simplify.ts";
import { nodes, one, reductions, zero } from "../../src/core/smart.ts";
import { terms } from "../support/terms.ts";

const { exp, log, minus, neg, over, plus, square, times } = nodes;
const { max, sum } = reductions;

const a = param("a");
const b = param("b");
const simplified = (node: Node): string => printExpression(simplify([node]).roots[0]!);

describe("rewrite", () => {
  it("returns the roots themselves when nothing applies", () => {
    const root = plus(exp(a), b);
    const { roots, applied } = rewrite([root, root], algebra);
    expect(roots).toEqual([root, root]);
    expect(applied.size).toBe(0);
  });

  it("counts applications by the name of the rule", () => {
    const { roots, applied } = rewrite([neg(neg(exp(plus(a, zero)))), times(b, one)], algebra);
    expect(roots).toEqual([exp(a), b]);
    expect(Object.fromEntries(applied)).toEqual({ "neg-neg": 1, "plus-zero": 1, "times-one": 1 });
  });

  it("rewrites a shared term once", () => {
    const shared = neg(neg(a));
    const { roots, applied } = rewrite([times(exp(shared), log(shared))], algebra);
    expect(roots).toEqual([times(exp(a), log(a))]);
    expect(applied.get("neg-neg")).toBe(1);
  });

  it("goes on where an application has made another possible", () => {
    // the sum becomes a product, whose factor 1 then disappears
    expect(rewrite([sum("vocab", one)], algebra).roots).toEqual([count("vocab")]);
    expect(rewrite([minus(a, neg(minus(zero, a)))], algebra).roots).toEqual([zero]);
  });

  it("binds a variable to one term throughout a pattern", () => {
    expect(rewrite([minus(exp(a), exp(a))], algebra).roots).toEqual([zero]);
    expect(rewrite([minus(exp(a), exp(b))], algebra).roots).toEqual([minus(exp(a), exp(b))]);
  });

  it("matches exchangeable operands in both orders, at every level", () => {
    const [x, y] = [variable("x"), variable("y")];
    const absorb = rule("absorb", plus(times(x, y), times(y, exp(x))), neg(x));
    const orders = [
      plus(times(a, b), times(b, exp(a))),
      plus(times(b, a), times(b, exp(a))),
      plus(times(exp(a), b), times(b, a)),
      plus(times(b, exp(a)), times(a, b)),
    ];
    for (const order of orders) expect(applyRule(absorb, order)).toBe(neg(a));
    expect(applyRule(absorb, plus(times(a, b), times(a, exp(a))))).toBeUndefined();
  });

  it("does not exchange the operands of minus", () => {
    expect(rewrite([minus(a, zero)], algebra).roots).toEqual([a]);
    expect(rewrite([minus(zero, a)], algebra).roots).toEqual([neg(a)]);
  });

  it("binds an axis to one axis throughout a pattern", () => {
    const axis = axisVariable("axis");
    const mean = rule(
      "mean",
      over(sum(axis, variable("x")), count(axis)),
      max(axis, variable("x")),
    );
    const x = input("x", ["batch", "vocab"]);
    expect(applyRule(mean, over(sum("vocab", x), count("vocab")))).toBe(max("vocab", x));
    expect(applyRule(mean, over(sum("vocab", x), count("batch")))).toBeUndefined();
  });

  it("matches data of a pattern with themselves only", () => {
    const [loss, weight] = [input("loss", ["batch"]), input("weight", ["batch"])];
    const x = variable("x");
    const drop = rule("unweighted", times(loss, exp(x)), x);
    expect(applyRule(drop, times(exp(a), loss))).toBe(a);
    expect(applyRule(drop, times(exp(a), weight))).toBeUndefined();
    const half = rule("half", times(a, exp(x)), x);
    expect(applyRule(half, times(a, exp(b)))).toBe(b);
    expect(applyRule(half, times(b, exp(b)))).toBeUndefined();
  });

  it("asks the side condition of a rule", () => {
    const x = variable("x");
    const scalar = rule("scalars only", exp(log(x)), x, {
      when: (of) => of(x).axes.length === 0,
    });
    expect(applyRule(scalar, exp(log(a)))).toBe(a);
    expect(applyRule(scalar, exp(log(input("m", ["batch"]))))).toBeUndefined();
    // e^{−∞} · e^{∞} is 0, so exponents along the vocabulary are not added up
    const [z, m] = [input("z", ["vocab"]), input("m", ["batch"])];
    expect(simplify([times(exp(z), exp(m))]).roots).toEqual([times(exp(z), exp(m))]);
    expect(simplify([times(exp(m), exp(a))]).roots).toEqual([exp(plus(m, a))]);
  });

  it("knows a zero divided, and a choice that contains itself", () => {
    const [p, q] = [binary("gt", a, b), binary("lt", a, zero)];
    expect(rewrite([over(zero, exp(a))], algebra).roots).toEqual([zero]);
    // 0 / 0 has no value
    expect(rewrite([over(zero, a)], algebra).roots).toEqual([over(zero, a)]);
    expect(rewrite([binary("or", p, binary("and", q, p))], algebra).roots).toEqual([p]);
    expect(rewrite([binary("or", p, binary("or", q, p))], algebra).roots).not.toEqual([p]);
  });

  it("does not compute with what is no constant", () => {
    const [x, value] = [variable("x"), variable("value", { constant: true })];
    const folded = rule("folded", exp(x), value, {
      compute: [{ target: value, value: (of) => of(x) }],
    });
    expect(applyRule(folded, exp(a))).toBeUndefined();
    expect(applyRule(folded, exp(constant(3)))).toBe(constant(3));
  });

  it("keeps types apart: rules on reals leave integers alone", () => {
    const index = input("i", [], "i32");
    const sumOfIndices = binary("plus", index, constant(0, "i32"));
    expect(rewrite([sumOfIndices], algebra).roots).toEqual([sumOfIndices]);
  });

  it("takes chains of 200,000 nodes", () => {
    let chain: Node = a;
    let plain: Node = a;
    for (let depth = 0; depth < 50_000; depth++) {
      chain = exp(neg(neg(plus(chain, zero))));
      plain = exp(plain);
    }
    const { roots, applied } = rewrite([chain], algebra);
    expect(roots[0] === plain).toBe(true);
    expect(Object.fromEntries(applied)).toEqual({ "neg-neg": 50_000, "plus-zero": 50_000 });
  });

  it("reaches a fixed point that is well formed, whatever the term", () => {
    fc.assert(
      fc.property(terms, (pool) => {
        const { roots } = simplify(pool);
        verify(roots, "simplify");
        expect(simplify(roots).roots.every((root, position) => root === roots[position])).toBe(
          true,
        );
        for (const node of topological(roots)) {
          for (const one of simplification) expect(applyRule(one, node) ?? node).toBe(node);
        }
        roots.forEach((root, position) => {
          expect(root.dtype).toBe(pool[position]!.dtype);
          expect(root.axes.every((axis) => pool[position]!.axes.includes(axis))).toBe(true);
        });
      }),
    );
  });
});

describe("simplify", () => {
  it("lets what does not depend on an axis out of its reductions", () => {
    const logp = logpFromLogits("policy", "w");
    expect(simplified(logp)).toBe(
      "policy.logits.w[vocab = ids.w] - logSumExp[vocab](policy.logits.w)",
    );
    const x = input("x", ["batch", "vocab"]);
    const row = input("row", ["batch"]);
    expect(simplified(sum("vocab", times(row, neg(x))))).toBe("-(row * sum[vocab](x))");
    expect(simplified(max("vocab", minus(x, row)))).toBe("max[vocab](x) - row");
    expect(simplified(over(sum("batch", a), count("batch")))).toBe("a");
  });

  it("keeps the order of nested sums", () => {
    const x = input("x", ["batch", "vocab"]);
    const nested = sum("batch", sum("vocab", x));
    expect(simplify([nested]).roots).toEqual([nested]);
  });

  it("finds log-sum-exp in the sampled alignment of WPO", () => {
    const logPi = minus(input("z", ["batch", "vocab"]), input("lse", ["batch"]));
    expect(simplified(log(sum("vocab", square(exp(logPi)))))).toBe(
      "logSumExp[vocab](2 * (z - lse))",
    );
  });

  it("gives exchanged operands one spelling, the first, and simplifies what that makes equal", () => {
    const first = times(exp(a), log(b));
    const second = times(log(b), exp(a));
    expect(simplify([minus(first, second)]).roots).toEqual([zero]);
    expect(simplify([plus(first, neg(unary("abs", second)))]).roots).toEqual([
      minus(first, unary("abs", first)),
    ]);
  });

  it("leaves a quotient alone that is not finite", () => {
    const infinite = over(one, constant(0));
    expect(simplify([infinite]).roots).toEqual([infinite]);
  });

  it("does not take the sum of something ragged out of its batch", () => {
    const x = input("x", ["batch", "token.w"]);
    const total = reduce("sum", "batch", reduce("sum", "token.w", x));
    expect(simplify([total]).roots).toEqual([total]);
  });
});
