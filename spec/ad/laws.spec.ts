// The laws of the derivative, on random losses of both models' logits: it is linear, a product and a composition follow the
// rules of Leibniz and of the chain, what is stopped or constant has none, and the order of two derivatives does not matter.
// No differences are taken, so that the laws hold to the rounding of float64.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch } from "../../src/batch/batch.ts";
import {
  binary,
  constant,
  count,
  input,
  iota,
  param,
  reduce,
  select,
  stop,
  substitute,
  unary,
} from "../../src/core/build.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import type { UnaryOp } from "../../src/core/ops.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";
import { ragged } from "../support/arbitraries.ts";
import { valueOf } from "../support/checks.ts";
import { isTame, vocabularyLosses } from "../support/vocabulary.ts";

const logits: readonly Node[] = ["w", "l"].flatMap((response) =>
  (["policy", "ref"] as const).map((model) => logitsOf(model, response)),
);
const times = (a: Node, b: Node): Node => binary("times", a, b);
const plus = (a: Node, b: Node): Node => binary("plus", a, b);

const batches = ragged({ scales: ["normal"], maxExamples: 2, maxLength: 3, maxVocab: 4 });

/** The gradient in every logit of both responses and models, one after the other. */
const slopes = (root: Node, batch: Batch): readonly number[] =>
  evaluate(gradient(root, logits), batch, {}).flatMap((table, position) => [
    ...expand(table, logits[position]!.axes, batch).data,
  ]);
const value = (node: Node, batch: Batch): number => evaluate([node], batch, {})[0]!.data[0]!;

/** Values below 1e4 and sums of some dozen of their products: 1e-9 of the largest is far above rounding. */
const expectSame = (actual: readonly number[], right: readonly number[]): void => {
  expect(actual.length).toBe(right.length);
  const scale = Math.max(1, ...right.map(Math.abs));
  right.forEach((one, entry) => {
    expect(Math.abs(actual[entry]! - one) / scale).toBeLessThan(1e-9);
  });
};

const assertFor = (law: (f: Node, g: Node, batch: Batch) => void): void =>
  fc.assert(
    fc.property(vocabularyLosses, batches, ({ loss, metric }, batch) => {
      fc.pre(isTame([loss, metric], batch) && isTame([metric, loss], batch));
      law(loss, metric, batch);
    }),
    { numRuns: 60 },
  );

describe("the gradient", () => {
  it("is linear", () => {
    assertFor((f, g, batch) => {
      const sum = binary("minus", times(constant(3), f), times(g, constant(0.5)));
      const [ofF, ofG] = [slopes(f, batch), slopes(g, batch)];
      expectSame(
        slopes(sum, batch),
        ofF.map((slope, entry) => 3 * slope - 0.5 * ofG[entry]!),
      );
    });
  });

  it("of a product and of a quotient follows Leibniz", () => {
    assertFor((f, g, batch) => {
      const [ofF, ofG] = [slopes(f, batch), slopes(g, batch)];
      const [a, b] = [value(f, batch), value(g, batch)];
      expectSame(
        slopes(times(f, g), batch),
        ofF.map((slope, entry) => slope * b + a * ofG[entry]!),
      );
      const below = plus(constant(1), unary("square", g));
      const c = 1 + b * b;
      expectSame(
        slopes(binary("over", f, below), batch),
        ofF.map((slope, entry) => slope / c - (a * 2 * b * ofG[entry]!) / c ** 2),
      );
    });
  });

  it("of a composition is the outer slope there, times the inner gradient", () => {
    const y = param("y");
    const outer: readonly UnaryOp[] = ["neg", "sigmoid", "logSigmoid", "square"];
    const functions = fc.array(fc.constantFrom(...outer), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(functions, vocabularyLosses, batches, (ops, { loss, metric }, batch) => {
        fc.pre(isTame([loss, metric], batch));
        const small = times(constant(0.01), loss);
        const outside = ops.reduce((inner: Node, op) => unary(op, inner), y);
        const inside = (rebuilt: Node, original: Node): Node => (original === y ? small : rebuilt);
        const [whole] = substitute([outside], inside, topological([outside]));
        const [slope] = gradient(outside, [y]);
        const there = valueOf(slope!, undefined, { y: value(small, batch) });
        expectSame(
          slopes(whole!, batch),
          slopes(small, batch).map((inner) => there * inner),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("goes through a choice to the branch that is taken, and through a stop to nothing", () => {
    assertFor((f, g, batch) => {
      const larger = binary("gt", f, g);
      fc.pre(Math.abs(value(f, batch) - value(g, batch)) > 1e-6);
      const chosen = value(larger, batch) === 1 ? f : g;
      expectSame(slopes(select(larger, f, g), batch), slopes(chosen, batch));
      expect(value(stop(f), batch)).toBe(value(f, batch));
      for (const [position, slope] of gradient(stop(f), logits).entries())
        expect([position, slope]).toEqual([position, constant(0)]);
      expectSame(
        slopes(times(stop(f), g), batch),
        slopes(g, batch).map((slope) => value(f, batch) * slope),
      );
    });
  });

  it("of what does not depend on an input is the constant 0", () => {
    const elsewhere = input("example.elsewhere", ["batch"]);
    assertFor((f) => {
      expect(gradient(f, [elsewhere, param("elsewhere")])).toEqual([constant(0), constant(0)]);
    });
    const whole = reduce("sum", "batch", unary("toReal", iota("batch")));
    for (const root of [constant(3), count("batch"), whole])
      expect(gradient(root, logits)).toEqual(logits.map(() => constant(0)));
  });

  it("with respect to itself is 1, and to a term within it what a variable there would have", () => {
    assertFor((f, g, batch) => {
      expect(gradient(f, [f])).toEqual([constant(1)]);
      const whole = times(f, plus(f, g));
      const [a, b] = [value(f, batch), value(g, batch)];
      const [toF] = evaluate(gradient(whole, [f]), batch, {});
      // a subterm that is below both is one variable of the whole
      fc.pre(!topological([g]).includes(f));
      expectSame([toF!.data[0]!], [2 * a + b]);
    });
  });

  it("does not flow through whole numbers and truth values", () => {
    const flag = input("flag", ["batch"], "bool");
    const index = input("index", ["batch"], "i32");
    for (const x of [flag, index]) {
      const root = reduce("sum", "batch", unary("toReal", x));
      expect(gradient(root, [x])).toEqual([constant(0)]);
    }
  });

  it("taken twice does not depend on the order", () => {
    const [z, y] = [logitsOf("policy", "w"), logitsOf("policy", "l")];
    /** A fixed, uneven combination of the entries of a gradient. */
    const along = (x: Node, slope: Node, response: string): Node => {
      const weight = unary("sigmoid", plus(x, unary("toReal", iota("vocab"))));
      return (["vocab", `token.${response}`, "batch"] as const).reduce(
        (sum, axis) => reduce("sum", axis, sum),
        times(stop(weight), slope),
      );
    };
    fc.assert(
      fc.property(vocabularyLosses, batches, ({ loss, metric }, batch) => {
        const whole = times(loss, plus(loss, metric));
        fc.pre(isTame([whole], batch));
        const directional = (first: Node, a: string, second: Node, b: string): Node => {
          const [slope] = gradient(whole, [first]);
          const [again] = gradient(along(first, slope!, a), [second]);
          return along(second, again!, b);
        };
        const [one, other] = [directional(z, "w", y, "l"), directional(y, "l", z, "w")];
        fc.pre(isTame([one, other], batch));
        const [first, second] = [value(one, batch), value(other, batch)];
        expect(Math.abs(first - second) / Math.max(1, Math.abs(first))).toBeLessThan(1e-9);
      }),
      { numRuns: 40 },
    );
  });
});
