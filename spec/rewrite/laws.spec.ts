// What holds of rules whatever they say: each alone keeps type and index space of any term that it fits, any choice of them in
// any order ends and keeps the value of whole losses and of their gradients, and a term that no rule fits stays as it is.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { verify } from "../../src/core/verify.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";
import { applyRule, rewrite } from "../../src/rewrite/engine.ts";
import { shareExchanged } from "../../src/rewrite/canonical.ts";
import { simplification } from "../../src/rewrite/simplify.ts";
import { ragged } from "../support/arbitraries.ts";
import { terms } from "../support/terms.ts";
import { isTame, vocabularyLosses } from "../support/vocabulary.ts";

const rules = fc.shuffledSubarray([...simplification], { minLength: 1 });
const batches = ragged({ scales: ["normal"], maxExamples: 2, maxLength: 2, maxVocab: 4 });

/** The roots with the derivatives of the first in the logits of the policy. */
const withSlopes = (roots: readonly [Node, ...Node[]]): readonly Node[] => [
  ...roots,
  ...gradient(roots[0], [logitsOf("policy", "w"), logitsOf("policy", "l")]),
];

describe("a rule alone", () => {
  it("keeps the type of every term that it fits, and gives it no further axis", () => {
    fc.assert(
      fc.property(terms, (pool) => {
        for (const node of topological(pool)) {
          for (const rule of simplification) {
            const result = applyRule(rule, node);
            if (result === undefined) continue;
            expect(result).not.toBe(node);
            expect([rule.name, result.dtype]).toEqual([rule.name, node.dtype]);
            expect(result.axes.every((axis) => node.axes.includes(axis))).toBe(true);
            verify([result], rule.name);
          }
        }
      }),
    );
  });
});

describe("rules in any choice and order", () => {
  it("end, at a term that none of them fits", () => {
    fc.assert(
      fc.property(rules, terms, (some, pool) => {
        const { roots } = rewrite(pool, some);
        for (const node of topological(roots))
          for (const rule of some) expect(applyRule(rule, node)).toBeUndefined();
        expect(rewrite(roots, some).roots).toEqual(roots);
      }),
    );
  });

  it("keep the value of a loss and of its gradients", () => {
    fc.assert(
      fc.property(rules, vocabularyLosses, batches, (some, { loss, metric }, batch) => {
        fc.pre(isTame([loss, metric], batch));
        const before = withSlopes([loss, metric]);
        const { roots, applied } = rewrite(before, some);
        for (const name of applied.keys())
          expect(some.some((rule) => rule.name === name)).toBe(true);
        const values = evaluate(roots, batch, {});
        evaluate(before, batch, {}).forEach((right, position) => {
          // a root may have lost axes that it did not depend on
          const { data } = expand(values[position]!, right.axes, batch);
          // values below 1e4 in between: 1e-8 of the larger of 1 and the largest is far above their rounding
          const scale = Math.max(1, ...right.data.map(Math.abs));
          right.data.forEach((value, entry) =>
            expect(Math.abs(data[entry]! - value) / scale).toBeLessThan(1e-8),
          );
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe("sharing exchanged operands", () => {
  it("keeps every value to the bit, and doing it again changes nothing", () => {
    fc.assert(
      fc.property(vocabularyLosses, batches, ({ loss, metric }, batch) => {
        fc.pre(isTame([loss, metric], batch));
        const before = withSlopes([loss, metric]);
        const after = shareExchanged(before);
        expect(topological(after).length).toBeLessThanOrEqual(topological(before).length);
        expect(evaluate(after, batch, {})).toEqual(evaluate(before, batch, {}));
        shareExchanged(after).forEach((root, position) => expect(root).toBe(after[position]));
      }),
    );
  });
});
