// Where the benchmark's tokens lie: any rows, vocabulary, share of padding and responses give a layout in which every token
// has a row of its own, and a request that cannot be served ends in one sentence.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evenLength, examplesFor, layOut } from "../../src/bench/layout.ts";

const requests = fc
  .record({
    responses: fc.constantFrom(["w"], ["w", "l"], ["w", "l", "gold"]),
    rows: fc.integer({ min: 1, max: 600 }),
    vocab: fc.integer({ min: 1, max: 60_000 }),
    padding: fc.constantFrom(0, 0.1, 0.67, 0.95),
    fewestExamples: fc.integer({ min: 1, max: 2 }),
  })
  .filter(
    ({ responses, rows, padding, fewestExamples }) =>
      rows - Math.floor(padding * rows) >= responses.length * fewestExamples,
  );

describe("a layout", () => {
  it("gives every token a row of its own, no example without one, and leaves the rest to prompt and padding", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { responses, rows, vocab, padding, fewestExamples } = request;
        const layout = layOut(request);
        const used = responses.flatMap((response) => [...layout.rowIndex[response]!]);
        expect(new Set(used).size).toBe(used.length);
        expect(used.every((row) => row < rows)).toBe(true);
        expect(used).toHaveLength(layout.completionRows);
        expect(rows - layout.completionRows).toBe(Math.floor(padding * rows));
        expect(layout.examples).toBeGreaterThanOrEqual(fewestExamples);
        for (const response of responses) {
          const { offsets, labels } = layout.responses[response]!;
          expect(offsets).toHaveLength(layout.examples + 1);
          expect(offsets.every((start, i) => i === 0 || start > offsets[i - 1]!)).toBe(true);
          expect(labels).toHaveLength(offsets.at(-1)!);
          expect(labels.every((label) => label < vocab)).toBe(true);
        }
      }),
    );
  });

  it("is what kernels written by hand take: pairs of sixteen tokens, chosen rows first", () => {
    const request = { rows: 256, vocab: 32, padding: 0, fewestExamples: 1 };
    const layout = layOut({ ...request, responses: ["w", "l"] });
    expect(layout.examples).toBe(8);
    expect(evenLength(layout)).toBe(16);
    expect([...layout.rowIndex["w"]!, ...layout.rowIndex["l"]!]).toEqual(
      Array.from({ length: 256 }, (_, row) => row),
    );
    expect(evenLength(layOut({ ...request, padding: 0.5, responses: ["w", "l"] }))).toBeNull();
    expect(evenLength(layOut({ ...request, rows: 257, responses: ["w", "l"] }))).toBeNull();
  });

  it("prefers examples of equal length where that changes their number little", () => {
    expect([examplesFor(128, 1), examplesFor(50, 1), examplesFor(1, 1), examplesFor(4, 2)]).toEqual(
      [8, 2, 1, 2],
    );
  });

  it("serves a single row, and says how many rows more responses need", () => {
    const request = { vocab: 7, padding: 0, fewestExamples: 1 };
    expect(layOut({ ...request, rows: 1, responses: ["w"] }).completionRows).toBe(1);
    expect(() => layOut({ ...request, rows: 1, responses: ["w", "l"] })).toThrow(
      /^--rows: 1 completion rows are too few for 2 responses \(w, l\) of 1 example; give at least 2 rows\.$/,
    );
  });
});
