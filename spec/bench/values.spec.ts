// The numbers that a benchmark runs on: the same wherever a row is made, finite, and in the peaked kind shaped as those of a
// language model.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  dataKinds,
  fillRow,
  labelOf,
  models,
  type Data,
  type Model,
} from "../../src/bench/values.ts";

const rowOf = (index: number, vocab: number, model: Model, data: Data): Float32Array => {
  const row = new Float32Array(vocab);
  fillRow(row, index, model, data);
  return row;
};
const softmax = (row: Float32Array): Float64Array => {
  const highest = row.reduce((a, b) => Math.max(a, b));
  const weights = Float64Array.from(row, (value) => Math.exp(value - highest));
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
};
const indices = fc.integer({ min: 0, max: 2 ** 20 });

describe("the values of a benchmark", () => {
  it("are finite, follow from row, column, model and kind, and have a label in every row", () => {
    fc.assert(
      fc.property(
        indices,
        fc.integer({ min: 1, max: 500 }),
        fc.constantFrom(...models),
        fc.constantFrom(...dataKinds),
        (index, vocab, model, data) => {
          const row = rowOf(index, vocab, model, data);
          expect(row.every(Number.isFinite)).toBe(true);
          expect(rowOf(index, vocab, model, data)).toEqual(row);
          const label = labelOf(index, vocab);
          expect(label >= 0 && label < vocab).toBe(true);
          if (data === "uniform") expect(row.every((z) => z >= -4 && z < 4)).toBe(true);
        },
      ),
    );
  });

  it("are peaked as those of a language model: the label near the top, the reference near the policy", () => {
    fc.assert(
      fc.property(indices, fc.constantFrom(1000, 32_000), (index, vocab) => {
        const row = rowOf(index, vocab, "policy", "peaked");
        const label = labelOf(index, vocab);
        // one of eight entries that were raised
        expect(row.filter((z) => z > row[label]!).length).toBeLessThan(8);
        const reference = rowOf(index, vocab, "ref", "peaked");
        expect(row.every((z, v) => Math.abs(z - reference[v]!) <= 0.2501)).toBe(true);
        const eight = softmax(row).toSorted().slice(-8);
        expect(eight.reduce((a, b) => a + b)).toBeGreaterThan(0.3);
      }),
      { numRuns: 30 },
    );
    const uniform = softmax(rowOf(0, 32_000, "policy", "uniform"))
      .toSorted()
      .slice(-8);
    expect(uniform.reduce((a, b) => a + b)).toBeLessThan(0.01);
  });
});
