// Whether random programs reach everything: each operator, reduction along each axis, kind of term, rewrite rule, kind of field
// that a pass accumulates, kind of pass, path and kind of batch. Nothing is run on a device here; programs are interpreted,
// differentiated and compiled to text.
import { describe, expect, it } from "vitest";
import { simplification } from "../../src/rewrite/simplify.ts";
import { seed } from "../seed.ts";
import { coverage, coverageText, expectedNames, missing, type Kind } from "./coverage.ts";
import { draw } from "./draw.ts";
import { outcome } from "./outcome.ts";

/** So many in a row, and then those that are made for what has not been met. */
const inRow = 500;
const most = 1500;

describe("random programs", () => {
  it("exercise every operator, rule, field, pass and path", { timeout: 1_200_000 }, async () => {
    const counters = coverage();
    const kinds = Object.keys(expectedNames) as readonly Kind[];
    const left = (): readonly string[] =>
      kinds.flatMap((kind) => missing(counters, kind).map((name) => `${kind} ${name}`));
    const trial = { entries: 1, secondEvery: 20, paths: 2, pathsEvery: 1, device: null };
    const next = (n: number): number => {
      const rare = missing(counters, "rule");
      if (n < inRow || rare.length === 0) return seed + n;
      const rule = simplification.findIndex(({ name }) => name === rare[n % rare.length]);
      return (seed + n) * simplification.length + rule;
    };
    let drawn = 0;
    for (; drawn < most && (drawn < inRow || left().length > 0); drawn++) {
      const own = next(drawn);
      const { found } = await outcome(draw(own), trial, counters);
      expect(found, `seed ${own}`).toEqual([]);
    }
    console.log(`${drawn} programs exercised:\n${coverageText(counters)}`);
    expect(left()).toEqual([]);
    const { compared, rough } = Object.fromEntries(counters.of("differences"));
    expect(rough ?? 0).toBeLessThan(0.01 * compared!);
  });
});
