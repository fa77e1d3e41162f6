// Logits of −∞ mask vocabulary entries: their probability is exactly 0, no loss becomes undefined because of them, and
// their gradient is exactly 0. The convention that 0·x = 0 for all x is written down in docs/notes/0002-zero-times-infinity.md.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { binary, constant, param, reduce, unary } from "../../src/core/build.ts";
import { binaryOps } from "../../src/core/ops.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { fromResponses } from "../../src/batch/separate.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { readInput } from "../../src/reference/inputs.ts";
import { expand } from "../../src/reference/tensor.ts";
import { ragged } from "../support/arbitraries.ts";
import { expectError, noData, valueOf, valuesOf } from "../support/checks.ts";
import { logPi, losses } from "../support/losses.ts";

const x = param("x");
const product = binaryOps.times.reference;

describe("a product", () => {
  it("with a factor 0 is 0, on either side, whatever the other factor", () => {
    const other = fc.oneof(fc.double(), fc.constantFrom(Infinity, -Infinity, NaN));
    fc.assert(
      fc.property(other, fc.constantFrom(0, -0), (factor, zero) => {
        expect(product(factor, zero)).toBe(0);
        expect(product(zero, factor)).toBe(0);
      }),
    );
  });

  it("without one is the product of float64", () => {
    const factor = fc.double().filter((value) => value !== 0);
    fc.assert(
      fc.property(factor, factor, (a, b) => {
        expect(product(a, b)).toBe(a * b);
      }),
    );
  });

  it("is this product in every expression", () => {
    const minusInfinity = unary("log", x);
    expect(valueOf(binary("times", x, minusInfinity), noData, { x: 0 })).toBe(0);
    const undefinedTerm = binary("minus", minusInfinity, minusInfinity);
    expect(valueOf(binary("times", undefinedTerm, x), noData, { x: 0 })).toBe(0);
  });

  it("hides nothing else: a difference of infinities or a quotient of zeros stays undefined", () => {
    const minusInfinity = unary("log", x);
    const another = unary("log", binary("times", constant(2), x));
    const difference = binary("minus", minusInfinity, another);
    expectError(() => valueOf(difference, noData, { x: 0 }), "undefined-value", /"minus"/);
    expectError(() => valueOf(binary("over", x, x), noData, { x: 0 }), "undefined-value", /"over"/);
  });

  it("is like a term that cancels as a symbol, which is gone whatever it is", () => {
    const minusInfinity = unary("log", x);
    const difference = binary("minus", minusInfinity, minusInfinity);
    expect(valueOf(difference, noData, { x: 0 })).toBe(0);
  });
});

const logits = (row: readonly number[]): Batch =>
  fromResponses({ w: { labels: [[0]], policy_logits: [row], ref_logits: [row] } });
const p = unary("exp", logPi("policy", "w"));

describe("masked entries", () => {
  it("have probability 0 and leave the others what they are without them", () => {
    expect(valuesOf(p, logits([1, -Infinity, 2]))).toEqual([
      valuesOf(p, logits([1, 2]))[0],
      0,
      valuesOf(p, logits([1, 2]))[1],
    ]);
  });

  it("add nothing to an entropy or to a divergence between models that mask them alike", () => {
    const entropy = reduce("sum", "vocab", binary("times", p, logPi("policy", "w")));
    expect(valuesOf(entropy, logits([1, -Infinity, 2]))).toEqual(valuesOf(entropy, logits([1, 2])));
    const divergence = reduce(
      "sum",
      "vocab",
      binary("times", p, binary("minus", logPi("policy", "w"), logPi("ref", "w"))),
    );
    expect(valuesOf(divergence, logits([1, -Infinity, 2]))).toEqual([0]);
  });

  it("count where they are not weighted: an unweighted mean of log-probabilities is −∞", () => {
    const mean = binary("over", reduce("sum", "vocab", logPi("policy", "w")), constant(3));
    expect(valuesOf(mean, logits([1, -Infinity, 2]))).toEqual([-Infinity]);
  });

  it("do not rescue a loss that is undefined: the odds of a certain completion", () => {
    const certain = fromResponses({
      w: { labels: [[0]], policy_logits: [[1, -Infinity]] },
      l: { labels: [[1]], policy_logits: [[-Infinity, 1]] },
    });
    expectError(() => valueOf(losses["orpo"]!, certain), "undefined-value", /"minus"/);
  });

  for (const [name, loss] of Object.entries(losses)) {
    if (name === "orpo") continue;
    it(`leave loss and gradient defined, and have gradient exactly 0: ${name}`, () => {
      const inputs = (["w", "l"] as const).map((response) => logitsOf("policy", response));
      const roots = [loss, ...gradient(loss, inputs)];
      fc.assert(
        fc.property(ragged({ masked: true }), (batch) => {
          const [value, ...slopes] = evaluate(roots, batch, {});
          expect(value!.data[0]).toSatisfy(Number.isFinite);
          inputs.forEach((z, n) => {
            if (z.tag !== "input" || slopes[n]!.axes.length === 0) return;
            const values = readInput(z, batch).data;
            const derived = expand(slopes[n]!, z.axes, batch).data;
            expect(derived.every(Number.isFinite)).toBe(true);
            expect(
              derived.filter((_, at) => values[at] === -Infinity).every((slope) => slope === 0),
            ).toBe(true);
          });
        }),
        { numRuns: 30 },
      );
    });
  }
});
