// The one law of the surface language, on random expressions: an operation ranges over exactly the axes of its
// operands together, a reduction over all but one, and the core node never over more than its expression.

import fc from "fast-check";
import { expect, it } from "vitest";
import { compareAxes, type Axis } from "../../src/core/axis.ts";
import {
  abs,
  clamp,
  constant,
  count,
  exp,
  iota,
  isExpr,
  logSigmoid,
  logSoftmax,
  logSumExp,
  max,
  maximum,
  mean,
  min,
  minimum,
  neg,
  param,
  pow,
  real,
  relu,
  sigmoid,
  sign,
  softplus,
  square,
  stopGrad,
  sum,
  where,
  type AnyExpr,
} from "../../src/dsl/index.ts";
import { given } from "../../src/dsl/given.ts";
import { wrap } from "../../src/dsl/facade.ts";
import * as core from "../../src/core/build.ts";
import { any, js } from "./misuse.ts";

const { policy, ref, y, example, tokens, reward } = given("the test", ["w", "l"]);

/** An expression and the axes it must have, known without looking at it. */
interface Sample {
  readonly e: AnyExpr;
  readonly axes: ReadonlySet<Axis>;
}
const sample = (e: AnyExpr, ...axes: readonly Axis[]): Sample => ({ e, axes: new Set(axes) });

const leaves: readonly Sample[] = [
  sample(constant(2)),
  sample(param("beta", 0.1)),
  sample(count("batch")),
  sample(count("token", y.w), "batch"),
  sample(example("margin"), "batch"),
  sample(reward(y.w), "batch"),
  sample(ref.logps(y.l), "batch"),
  sample(policy.logp(y.w), "batch", "token.w"),
  sample(tokens("weight", y.w), "batch", "token.w"),
  sample(real(iota("token", y.w)), "batch", "token.w"),
  sample(real(iota("vocab")), "vocab"),
  sample(policy.logits(y.w), "batch", "token.w", "vocab"),
  // seen as a function of more than it uses
  sample(wrap(core.constant(0), ["token.w"]), "batch", "token.w"),
];

const maps = [neg, exp, sigmoid, logSigmoid, relu, abs, sign, square, softplus, stopGrad];
const pairs = [minimum, maximum, pow];
const infix = ["plus", "minus", "times", "over"] as const;
const comparisons = ["gt", "ge", "lt", "le", "eq", "ne"] as const;
const reductions = [sum, mean, max, min, logSumExp, logSoftmax];

const together = (...samples: readonly Sample[]): readonly Axis[] =>
  samples.flatMap(({ axes }) => [...axes]);
const apply = (e: AnyExpr, method: string, b: AnyExpr): AnyExpr =>
  js(e)[method]!.call(e, b) as AnyExpr;

/** Binds an axis the way the researcher names it; skips what is not well formed. */
function bind(op: (axis: never, e: never) => AnyExpr, { e, axes }: Sample): Sample {
  const axis = [...axes].toSorted(compareAxes).at(-1);
  if (axis === undefined) return { e, axes };
  const bound = op(any(axis.startsWith("token.") ? "token" : axis), any(e));
  return sample(bound, ...[...axes].filter((other) => op === logSoftmax || other !== axis));
}

const expressions: fc.Arbitrary<Sample> = fc.letrec<{ node: Sample }>((tie) => {
  const node = tie("node");
  return {
    node: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom(...leaves),
      fc.tuple(fc.constantFrom(...maps), node).map(([op, a]) => sample(op(any(a.e)), ...a.axes)),
      fc
        .tuple(fc.constantFrom(...pairs), node, node)
        .map(([op, a, b]) => sample(op(any(a.e), any(b.e)), ...together(a, b))),
      fc
        .tuple(fc.constantFrom(...infix), node, node)
        .map(([op, a, b]) => sample(apply(a.e, op, b.e), ...together(a, b))),
      fc
        .tuple(fc.constantFrom(...comparisons), node, node, node)
        .map(([op, a, b, c]) =>
          sample(where(any(apply(a.e, op, b.e)), any(c.e), 0), ...together(a, b, c)),
        ),
      fc
        .tuple(node, node, node)
        .map(([a, b, c]) =>
          sample(clamp(any(a.e), { min: any(b.e), max: any(c.e) }), ...together(a, b, c)),
        ),
      fc.tuple(fc.constantFrom(...reductions), node).map(([op, a]) => bind(op, a)),
    ),
  };
}).node;

it("ranges over exactly the axes that its parts give it", () => {
  fc.assert(
    fc.property(expressions, ({ e, axes }) => {
      expect(isExpr(e)).toBe(true);
      expect(e.axes).toEqual([...axes].toSorted(compareAxes));
      expect(e.axes).toEqual(expect.arrayContaining([...e.node.axes]));
    }),
  );
});

it("is the same node whenever it is built from the same parts", () => {
  fc.assert(
    fc.property(fc.constantFrom(...infix), expressions, expressions, (op, a, b) => {
      expect(apply(a.e, op, b.e).node).toBe(apply(a.e, op, b.e).node);
    }),
  );
});

it("is refused in every combination with the tokens of another response", () => {
  const other = policy.logp(y.l);
  const mixed = expressions.filter(({ axes }) => axes.has("token.w"));
  fc.assert(
    fc.property(fc.constantFrom(...infix, ...comparisons), mixed, (op, { e }) => {
      expect(() => apply(e, op, other)).toThrow(/token axes differ/);
      expect(() => apply(other, op, e)).toThrow(/token axes differ/);
    }),
  );
});
