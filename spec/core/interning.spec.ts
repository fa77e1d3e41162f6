// The table of nodes: equal expressions are one object for as long as anybody holds it, and nothing is kept for its sake. A
// process that compiles for days would otherwise hold every expression it has ever seen.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binary, constant, input, unary } from "../../src/core/build.ts";
import { isInterned } from "../../src/core/intern.ts";
import { topological, type Node } from "../../src/core/node.ts";

setFlagsFromString("--expose_gc");
const collect = runInNewContext("gc") as () => void;

/** Lets the collector look at what nobody holds, which it does between two turns of the event loop. */
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    collect();
  }
};

/** A sum of that many constants, of which each is met nowhere else. */
const chain = (length: number, from: number): Node => {
  let sum = input("x", ["batch"]);
  for (let n = 0; n < length; n++) sum = binary("plus", sum, constant(from + n / 1024));
  return sum;
};

describe("the table of nodes", () => {
  it("gives the same object while one is held, whatever was collected beside it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 50 }), fc.boolean(), async (length, all) => {
        const held = all ? chain(length, 2e6) : chain(length, 2e6).args[0];
        await turns(2);
        const again = chain(length, 2e6);
        expect((all ? again : again.args[0]) === held).toBe(true);
        expect(topological([again]).every(isInterned)).toBe(true);
        expect(unary("exp", again) === unary("exp", chain(length, 2e6))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("holds nothing itself: a node that nobody holds is collected, and an equal one is as good", async () => {
    const lengthOf = (node: Node): number => topological([node]).length;
    const [before, watched] = ((): readonly [number, WeakRef<Node>] => {
      const root = chain(10_000, 3e6);
      return [lengthOf(root), new WeakRef(root)];
    })();
    // the collector decides when; it has never needed more than a few turns
    for (let turn = 0; turn < 100 && watched.deref() !== undefined; turn++) await turns(1);
    expect(watched.deref()).toBe(undefined);
    expect(lengthOf(chain(10_000, 3e6))).toBe(before);
  });
});
