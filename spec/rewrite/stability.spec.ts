// Why the stability rules exist: the formula as a paper prints it, computed in single precision, overflows, cancels or
// rounds to nothing; what the rules make of it keeps its digits. Both are computed node by node with every intermediate
// result rounded to float32, and compared with a value worked out in float64 by another route.
import { describe, expect, it } from "vitest";
import { binary, constant, input, param } from "../../src/core/build.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { binaryOps, reduceOps, unaryOps } from "../../src/core/ops.ts";
import { simplify } from "../../src/rewrite/simplify.ts";
import { nodes, one, reductions } from "../../src/core/smart.ts";

const { abs, exp, log, log1p, minus, neg, over, plus, pow, sigmoid, sqrt, square, times } = nodes;
const { sum } = reductions;

type Values = Readonly<Record<string, number | readonly number[]>>;

/** The value of a scalar expression over at most one axis, every step rounded to single precision. */
function single(root: Node, values: Values): number {
  const tables = new Map<Node, readonly number[]>();
  const round = (numbers: readonly number[]): readonly number[] => numbers.map(Math.fround);
  for (const node of topological([root])) {
    const [a = [], b = []] = node.args.map((arg) => tables.get(arg)!);
    const entry = (table: readonly number[], position: number): number =>
      table[table.length === 1 ? 0 : position]!;
    const places = Array.from({ length: Math.max(a.length, b.length) }, (_, position) => position);
    if (node.tag === "const") tables.set(node, round([node.value]));
    else if (node.tag === "param" || node.tag === "input")
      tables.set(node, round([values[node.name]!].flat()));
    else if (node.tag === "unary") tables.set(node, round(a.map(unaryOps[node.op].reference)));
    else if (node.tag === "binary") {
      const { reference } = binaryOps[node.op];
      tables.set(
        node,
        round(places.map((position) => reference(entry(a, position), entry(b, position)))),
      );
    } else if (node.tag === "reduce") {
      const { combine, identity } = reduceOps[node.op];
      tables.set(node, [a.reduce((total, value) => Math.fround(combine(total, value)), identity)]);
    } else throw new Error(`${node.tag} is not needed here`);
  }
  return tables.get(root)![0]!;
}

const x = param("x");
const y = param("y");
const tau = param("tau");
const z = input("z", ["vocab"]);
const halve = minus(x, over(x, binary("plus", one, one)));

interface Case {
  readonly rule: string;
  readonly naive: Node;
  readonly at: Values;
  readonly exact: number;
}

const shifted = Math.log(1 + Math.exp(-1) + Math.exp(-3));
const discoPop = times(exp(neg(x)), sigmoid(over(x, tau)));

const cases: readonly Case[] = [
  {
    rule: "log-sum-exp",
    naive: log(sum("vocab", exp(z))),
    at: { z: [500, 499, 497] },
    exact: 500 + shifted,
  },
  {
    rule: "log-sum-exp",
    naive: log(sum("vocab", exp(z))),
    at: { z: [-500, -501, -503] },
    exact: -500 + shifted,
  },
  {
    rule: "square-exp",
    naive: log(sum("vocab", square(exp(z)))),
    at: { z: [-60, -60.5, -61.5] },
    exact: -120 + shifted,
  },
  {
    rule: "log-sum-exp-over",
    naive: log(over(sum("vocab", exp(z)), y)),
    at: { z: [200, 199, 197], y: 3 },
    exact: 200 + shifted - Math.log(3),
  },
  {
    rule: "log-times-sum-exp",
    naive: log(times(y, sum("vocab", exp(z)))),
    at: { z: [200, 199, 197], y: 3 },
    exact: 200 + shifted + Math.log(3),
  },
  { rule: "log-sigmoid", naive: log(sigmoid(x)), at: { x: -200 }, exact: -200 },
  { rule: "one-minus-sigmoid", naive: minus(one, sigmoid(x)), at: { x: 20 }, exact: Math.exp(-20) },
  { rule: "one-minus-sigmoid", naive: log(minus(one, sigmoid(x))), at: { x: 50 }, exact: -50 },
  {
    rule: "sigmoid-minus-one",
    naive: minus(sigmoid(x), one),
    at: { x: 20 },
    exact: -Math.exp(-20),
  },
  { rule: "log-one-plus-exp", naive: log(plus(one, exp(x))), at: { x: 100 }, exact: 100 },
  { rule: "log-one-plus-exp", naive: log(plus(one, exp(x))), at: { x: -20 }, exact: Math.exp(-20) },
  { rule: "log1p-exp", naive: log1p(exp(x)), at: { x: 100 }, exact: 100 },
  {
    rule: "log-neg-expm1",
    naive: log(minus(one, exp(x))),
    at: { x: -1e-9 },
    exact: Math.log(1e-9),
  },
  { rule: "log1p-neg-exp", naive: log1p(neg(exp(x))), at: { x: -1e-9 }, exact: Math.log(1e-9) },
  { rule: "log1p-neg-sigmoid", naive: log1p(neg(sigmoid(x))), at: { x: 50 }, exact: -50 },
  { rule: "exp-minus-one", naive: minus(exp(x), one), at: { x: 1e-9 }, exact: 1e-9 },
  { rule: "one-minus-exp", naive: minus(one, exp(x)), at: { x: 1e-9 }, exact: -1e-9 },
  { rule: "log-one-plus", naive: log(plus(one, x)), at: { x: 1e-9 }, exact: 1e-9 },
  {
    rule: "exp-times-exp",
    naive: times(exp(x), exp(y)),
    at: { x: 100, y: -100.5 },
    exact: Math.exp(-0.5),
  },
  {
    rule: "exp-over-exp",
    naive: over(exp(x), exp(y)),
    at: { x: 100, y: 100.5 },
    exact: Math.exp(-0.5),
  },
  {
    rule: "exp-over-sigmoid",
    naive: over(exp(x), sigmoid(y)),
    at: { x: -120, y: -120.5 },
    exact: Math.exp(0.5),
  },
  {
    rule: "twice-sigmoid-minus-one",
    naive: minus(times(constant(2), sigmoid(x)), one),
    at: { x: 1e-9 },
    exact: 5e-10,
  },
  {
    rule: "one-minus-twice-sigmoid",
    naive: minus(one, times(constant(2), sigmoid(x))),
    at: { x: 1e-9 },
    exact: -5e-10,
  },
  { rule: "quotient-sigmoid", naive: over(exp(x), plus(one, exp(x))), at: { x: 100 }, exact: 1 },
  {
    rule: "log-exp-times",
    naive: log(times(exp(x), y)),
    at: { x: 200, y: 2 },
    exact: 200 + Math.LN2,
  },
  {
    rule: "log-exp-over",
    naive: log(over(exp(x), y)),
    at: { x: 200, y: 2 },
    exact: 200 - Math.LN2,
  },
  {
    rule: "log-over-exp",
    naive: log(over(y, exp(x))),
    at: { x: 200, y: 2 },
    exact: Math.LN2 - 200,
  },
  {
    rule: "log-exp-plus-exp",
    naive: log(plus(exp(x), exp(y))),
    at: { x: 200, y: 199 },
    exact: 200 + Math.log1p(Math.exp(-1)),
  },
  { rule: "sqrt-exp", naive: sqrt(exp(x)), at: { x: 120 }, exact: Math.exp(60) },
  { rule: "pow-exp", naive: pow(exp(x), y), at: { x: 120, y: 0.25 }, exact: Math.exp(30) },
  { rule: "log-pow", naive: log(pow(abs(x), y)), at: { x: 1e10, y: 10 }, exact: 100 * Math.LN10 },
  { rule: "log-one-minus", naive: log(minus(one, x)), at: { x: 1e-9 }, exact: -1e-9 },
  // ORPO's log odds of a sequence whose average probability is close to 1, and close to 0
  {
    rule: "log-neg-exp-over",
    naive: log(over(exp(x), minus(one, exp(x)))),
    at: { x: -1e-9 },
    exact: 9 * Math.LN10,
  },
  {
    rule: "log-neg-exp-over",
    naive: log(over(exp(x), minus(one, exp(x)))),
    at: { x: -120 },
    exact: -120,
  },
  // the log-ratio-modulated loss of DiscoPOP at a very negative margin: e^{−x} overflows, σ(x/τ) underflows
  { rule: "exp-times-sigmoid", naive: discoPop, at: { x: -120, tau: 1 }, exact: 1 },
];

/** A dozen roundings of 6e-8, enlarged by exponents of at most 120. */
const accurate = 1e-5;
/** The naive form is useless: not a number, or without two correct digits. */
const useless = 1e-2;

const error = (value: number, exact: number): number =>
  Number.isNaN(value) ? Infinity : Math.abs(value - exact) / Math.abs(exact);

describe("a stability rule rescues its formula in single precision", () => {
  it.each(cases)("$rule: case %#", ({ rule, naive, at, exact }) => {
    const { roots, applied } = simplify([naive]);
    expect(applied.get(rule)).toBeGreaterThan(0);
    expect(error(single(naive, at), exact)).toBeGreaterThan(useless);
    expect(error(single(roots[0]!, at), exact)).toBeLessThan(accurate);
  });

  it("computes what it should where nothing is delicate", () => {
    expect(single(halve, { x: 3 })).toBe(1.5);
    expect(single(sum("vocab", times(x, z)), { x: 2, z: [1, 2, 3] })).toBe(12);
  });
});
