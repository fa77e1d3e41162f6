// The printed form: what it looks like, that it does not depend on what else was built, and that parse inverts it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binary, constant, input, iota, param, select, stop, unary } from "../../src/core/build.ts";
import { exampleInput, logpFromLogits, logpsFromLogits } from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import { parse } from "../../src/core/parse.ts";
import { print, printExpression } from "../../src/core/print.ts";
import { namedRoots, oddNames } from "../support/terms.ts";

describe("print", () => {
  it("writes one binding a line, shared terms once, and the roots last", () => {
    const logp = logpFromLogits("policy", "w");
    expect(print({ loss: unary("neg", binary("times", logp, logp)), logp })).toMatchInlineSnapshot(`
      "%0: f32[batch, token.w, vocab] = input "policy.logits.w"
      %1: f32[batch, token.w] = logSumExp[vocab] %0
      %2: f32[batch, token.w, vocab] = minus %0, %1
      %3: i32[batch, token.w] = input "ids.w"
      %4: f32[batch, token.w] = at[vocab] %2, %3
      %5: f32[batch, token.w] = times %4, %4
      %6: f32[batch, token.w] = neg %5
      return loss = %6
      return logp = %4
      "
    `);
  });

  it("quotes names that are not plain words, and keeps every name on its line", () => {
    const roots = Object.fromEntries(
      oddNames.map((name) => [name, input(name, [`token.${name}`])]),
    );
    const text = print(roots);
    expect(text.split(/[\n\r\u2028\u2029\u0085]/u)).toHaveLength(2 * oddNames.length + 1);
    expect(text.replaceAll("\n", "")).not.toMatch(/\/\*|\*\/|[\p{C}\p{Zl}\p{Zp}]/u);
  });

  it("prints negative zero, tiny and huge numbers so that they read back", () => {
    for (const value of [-0, 5e-324, -1.7976931348623157e308, 0.1, 1e21, 1e-7]) {
      const node = constant(value);
      expect(parse(print({ x: node }))["x"]).toBe(node);
    }
  });

  it("prints a term alike whatever was built before it", () => {
    const difference = (first: Node, second: Node): Node =>
      binary("minus", unary("exp", first), unary("exp", second));
    const [p, q] = [param("old p"), param("old q")];
    const [later, earlier] = [param("new q"), param("new p")];
    expect(p.id < q.id).not.toBe(earlier.id < later.id);
    const text = print({ x: difference(earlier, later) });
    expect(text.replaceAll("new", "old")).toBe(print({ x: difference(p, q) }));
  });

  it("is inverted by parse: the same interned nodes under the same names", () => {
    fc.assert(
      fc.property(namedRoots, (roots) => {
        const back = parse(print(roots));
        expect(Object.keys(back)).toEqual(Object.keys(roots));
        for (const [name, node] of Object.entries(roots)) expect(back[name] === node).toBe(true);
      }),
    );
  });
});

describe("printExpression", () => {
  const [a, b, c] = [param("a"), param("b"), param("c")];
  const minus = (x: Node, y: Node): Node => binary("minus", x, y);
  const plus = (x: Node, y: Node): Node => binary("plus", x, y);
  const times = (x: Node, y: Node): Node => binary("times", x, y);
  const over = (x: Node, y: Node): Node => binary("over", x, y);

  it("reads like the formula", () => {
    const ratio = minus(logpsFromLogits("policy", "w"), exampleInput("ref"));
    expect(printExpression(unary("neg", unary("logSigmoid", times(param("beta"), ratio))))).toBe(
      "-logSigmoid(beta * (sum[token.w]((policy.logits.w - logSumExp[vocab](policy.logits.w))[vocab = ids.w]) - example.ref))",
    );
  });

  it.each([
    [minus(a, minus(b, c)), "a - (b - c)"],
    [minus(minus(a, b), c), "a - b - c"],
    [plus(a, minus(b, c)), "a + (b - c)"],
    [times(a, plus(b, c)), "a * (b + c)"],
    [over(a, times(b, c)), "a / (b * c)"],
    [times(unary("neg", a), b), "-a * b"],
    [unary("neg", times(a, b)), "-(a * b)"],
    [unary("neg", unary("neg", a)), "-(-a)"],
    [minus(a, constant(-2)), "a - -2"],
    [binary("and", binary("gt", a, b), unary("not", binary("le", b, c))), "a > b && !(b <= c)"],
    [binary("pow", a, b), "pow(a, b)"],
    [param("two words"), '"two words"'],
    [select(constant(0, "bool"), a, stop(b)), "where(false, a, stopGrad(b))"],
    [binary("or", constant(1, "bool"), binary("ge", a, b)), "true || a >= b"],
    [unary("toReal", iota("token.w")), "toReal(iota[token.w])"],
  ])("puts parentheses only where they are needed: %#", (node, text) => {
    expect(printExpression(node)).toBe(text);
  });

  it("abbreviates what is farthest from the root", () => {
    const deep = minus(unary("exp", unary("log", a)), b);
    expect(printExpression(deep, 2)).toBe("exp(…) - b");
    expect(printExpression(deep, 3)).toBe("exp(log(a)) - b");
  });

  it("takes a term of any depth, and one whose tree is astronomically large", () => {
    let chain = a;
    for (let depth = 0; depth < 100_000; depth++) chain = unary("exp", chain);
    expect(printExpression(chain, 1_000_000)).toHaveLength(500_001);
    let doubled = a;
    for (let depth = 0; depth < 200; depth++) doubled = plus(doubled, doubled);
    expect(printExpression(doubled, 3)).toBe("… + … + (… + …)");
  });
});
