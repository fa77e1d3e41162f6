// Linear forms: reading a sum collects and cancels terms, and writing it back keeps its value and its form.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binary, constant, input, iota, param, unary } from "../../src/core/build.ts";
import type { Node } from "../../src/core/node.ts";
import { printExpression } from "../../src/core/print.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { fromLinearForm, linearForm } from "../../src/rewrite/linear.ts";
import { nodes } from "../../src/core/smart.ts";

const { exp, minus, neg, over, plus, times } = nodes;

const a = param("a");
const b = param("b");
const c = param("c");
const rewritten = (node: Node): string => printExpression(fromLinearForm(linearForm(node)));

/** Sums of three parameters with small whole coefficients, so that float64 is exact and zeros are reached. */
const sums: fc.Arbitrary<Node> = fc
  .array(
    fc.record({
      kind: fc.nat(5),
      left: fc.nat(),
      right: fc.nat(),
      factor: fc.integer({ min: -3, max: 3 }),
    }),
    {
      maxLength: 12,
    },
  )
  .map((steps) => {
    const pool: Node[] = [a, b, c, exp(plus(a, b)), constant(2)];
    for (const { kind, left, right, factor } of steps) {
      const x = pool[left % pool.length]!;
      const y = pool[right % pool.length]!;
      const made = [
        plus(x, y),
        minus(x, y),
        neg(x),
        times(constant(factor), x),
        times(x, constant(factor)),
        over(x, constant(2)),
      ][kind]!;
      pool.push(made);
    }
    return pool[pool.length - 1]!;
  });

const empty = { examples: 1, vocab: 1, responses: {}, inputs: {} };
const valueOf = (node: Node): number => evaluate([node], empty, { a: 3, b: -5, c: 7 })[0]!.data[0]!;

describe("linearForm", () => {
  it("collects like terms, drops what cancels and adds up constants", () => {
    const form = linearForm(
      minus(plus(times(constant(2), a), b), plus(minus(a, constant(3)), plus(b, b))),
    );
    expect(form.constant).toBe(3);
    expect([...form.terms]).toEqual([
      [a, 1],
      [b, -1],
    ]);
    expect(linearForm(minus(plus(a, b), plus(b, a)))).toEqual({ constant: 0, terms: new Map() });
  });

  it("looks through negation, factors on either side and division by a constant", () => {
    const form = linearForm(neg(over(times(a, constant(6)), constant(-3))));
    expect([...form.terms]).toEqual([[a, 2]]);
  });

  it("takes everything else as a term, division by zero and integers included", () => {
    for (const node of [
      exp(a),
      times(a, b),
      binary("pow", a, b),
      over(a, constant(0)),
      iota("vocab"),
      input("x", ["vocab"]),
    ]) {
      expect(linearForm(node)).toEqual({ constant: 0, terms: new Map([[node, 1]]) });
    }
  });

  it("takes terms of any depth and any amount of sharing", () => {
    let doubled: Node = a;
    for (let depth = 0; depth < 50; depth++) doubled = plus(doubled, doubled);
    expect([...linearForm(doubled).terms]).toEqual([[a, 2 ** 50]]);
    let chain: Node = a;
    for (let depth = 0; depth < 100_000; depth++) chain = plus(chain, constant(1));
    expect(linearForm(chain)).toEqual({ constant: 100_000, terms: new Map([[a, 1]]) });
  });
});

describe("fromLinearForm", () => {
  it.each([
    [plus(neg(a), b), "b - a"],
    [minus(neg(a), times(constant(2), b)), "-a - 2 * b"],
    [times(constant(-2), a), "-2 * a"],
    [plus(a, constant(-1)), "a - 1"],
    [plus(constant(1), a), "a + 1"],
    [minus(a, a), "0"],
    [unary("neg", constant(4)), "-4"],
  ])(
    "writes a sum with minus for negative coefficients and without factors 1: %#",
    (node, text) => {
      expect(rewritten(node)).toBe(text);
    },
  );

  it("keeps the value and the form, and is a fixed point", () => {
    fc.assert(
      fc.property(sums, (node) => {
        const form = linearForm(node);
        const back = fromLinearForm(form);
        expect(valueOf(back)).toBeCloseTo(valueOf(node), 9);
        const again = linearForm(back);
        expect(again.constant).toBe(form.constant);
        expect(new Map(again.terms)).toEqual(new Map(form.terms));
        expect([...form.terms.values()].every((coefficient) => coefficient !== 0)).toBe(true);
        expect(fromLinearForm(again)).toBe(back);
      }),
    );
  });
});
