// Whether an engine found what a table of meanings wants: a number, or a refusal.
import { expect } from "vitest";
import type { Meaning } from "./undefined.ts";

/** Holds a finding to its meaning, to a relative tolerance. */
export function expectMeaning(found: Meaning, wanted: Meaning, tolerance: number): void {
  if (found === null || wanted === null) return expect(found).toBe(wanted);
  expect(Math.abs(found - wanted), `${found} for ${wanted}`).toBeLessThanOrEqual(
    tolerance * Math.max(1, Math.abs(wanted)),
  );
}
