// Derivatives of objectives over lists of responses, against central differences of the interpreter: reductions, running forms
// and pairs within a prompt. No adapter is needed.
import { expect, it } from "vitest";
import { checkObjective } from "../../src/check/check.ts";
import { seed } from "../seed.ts";
import { listObjectives } from "../support/lists.ts";

it.each(listObjectives)("the gradient agrees with differences: $name", async (of) => {
  let batches = 0;
  for await (const { failures } of checkObjective(of, { batches: 3, seed, device: null })) {
    batches++;
    expect(failures).toEqual([]);
  }
  expect(batches).toBeGreaterThanOrEqual(3);
});
