// Faults on an adapter that computes: whatever the call, the objective and the batches, a run gives the same bits as without
// the fault or ends in one sentence. Every call is gone through in spec/faults. Only a few lives are lived: each device builds
// its shaders anew.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applies, type Fault } from "../faults/injector.ts";
import { failures, lives, losses } from "../faults/kinds.ts";
import { faultsIn, live } from "../faults/scenario.ts";

describe("a fault at any call", () => {
  it.each([
    ["a lost device costs nothing", losses],
    ["any other costs one step, in one sentence", failures],
  ] as const)("%s", async (_name, faults) => {
    await fc.assert(
      fc.asyncProperty(
        lives,
        fc.constantFrom(...faults),
        fc.nat(),
        async ({ given }, fault: Fault, nth) => {
          const right = await live(given, null);
          expect(faultsIn(right, right, null)).toEqual([]);
          const places = [...right.calls.keys()].filter((at) => applies(fault, right.calls[at]!));
          const plan = { at: places[nth % places.length]!, fault };
          const life = await live(given, plan);
          expect(faultsIn(life, right, plan), right.calls[plan.at]).toEqual([]);
          if (faults === losses) expect(life.steps).toEqual(right.steps);
        },
      ),
      { numRuns: 4 },
    );
  });
});
