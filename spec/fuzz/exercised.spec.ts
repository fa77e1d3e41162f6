// Whether random programs reach everything: each operator, reduction along each axis, kind of term, rewrite rule, kind of field
// that a pass accumulates, kind of pass, path and kind of batch. Nothing is run on a device here; programs are interpreted,
// differentiated and compiled to text.
import { describe, expect, it } from "vitest";
import { seed } from "../seed.ts";
import { coverage, coverageText, expectedNames, missing, type Kind } from "./coverage.ts";
import { draw } from "./draw.ts";
import { outcome } from "./outcome.ts";

/** Rules are met by chance, the rarest once in a thousand programs. */
const most = 5000;

describe("random programs", () => {
  it("exercise every operator, rule, field, pass and path", { timeout: 1_200_000 }, async () => {
    const counters = coverage();
    const kinds = Object.keys(expectedNames) as readonly Kind[];
    const left = (): readonly string[] =>
      kinds.flatMap((kind) => missing(counters, kind).map((name) => `${kind} ${name}`));
    const trial = { entries: 1, secondEvery: 20, paths: 2, pathsEvery: 1, device: null };
    let drawn = 0;
    for (; drawn < most && (drawn < 500 || left().length > 0); drawn++) {
      const { found } = await outcome(draw(seed + drawn), trial, counters);
      expect(found, `seed ${seed + drawn}`).toEqual([]);
    }
    console.log(`${drawn} programs exercised:\n${coverageText(counters)}`);
    expect(left()).toEqual([]);
    const { compared, rough } = Object.fromEntries(counters.of("differences"));
    expect(rough ?? 0).toBeLessThan(0.01 * compared!);
  });
});
