// The fuzzer's own tools: entries of the corpus read back as they were, shrinking keeps a case well formed and well defined and
// makes it smaller, and the running error bounds a computation in which everything along the vocabulary is rounded to f32.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Program } from "../../src/pipeline/pipeline.ts";
import { binary, constant, param, reduce, select, unary } from "../../src/core/build.ts";
import { PrefcError } from "../../src/core/error.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { verify } from "../../src/core/verify.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import type { Tensor } from "../../src/reference/tensor.ts";
import { exampleBatch } from "../support/arbitraries.ts";
import { runningErrors } from "../support/running.ts";
import { isWellDefined } from "./admit.ts";
import { cases } from "./arbitrary.ts";
import { entryOf, entryText, printed, rootsOf, type Case } from "./case.ts";
import { programOf } from "./interpretation.ts";
import { refusals } from "./outcome.ts";
import { compare, expected } from "./results.ts";
import { shrunk, smaller } from "./shrink.ts";

const scalars = ({ params, state }: Case): Case["params"] => ({ ...params, ...state });

describe("a case", () => {
  it("is well formed and well defined", () => {
    fc.assert(
      fc.property(cases(), (one) => {
        verify(rootsOf(one), "drawing");
        expect(isWellDefined(one)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("is read back from its entry as it was", () => {
    fc.assert(
      fc.property(cases(), (one) => {
        const { found, ...read } = entryOf(entryText({ ...one, found: ["a sentence"] }));
        expect(found).toEqual(["a sentence"]);
        expect(rootsOf(read)).toEqual(rootsOf(one));
        expect(read.batch).toEqual(one.batch);
        expect([read.params, read.state, read.heights]).toEqual([
          one.params,
          one.state,
          one.heights,
        ]);
      }),
      { numRuns: 40 },
    );
  });

  it("becomes smaller and stays well formed", () => {
    fc.assert(
      fc.property(cases({ terms: 40 }), (one) => {
        let tried = 0;
        for (const next of smaller(one)) {
          verify(rootsOf(next), "shrinking");
          if (tried++ > 30) break;
        }
        expect(tried).toBeGreaterThan(0);
      }),
      { numRuns: 30 },
    );
  });

  it("shrinks to the operator that fails", async () => {
    const reads = (one: Case): boolean =>
      isWellDefined(one) &&
      topological([one.loss]).some((node) => node.tag === "unary" && node.op === "exp");
    const failing = fc.sample(cases().filter(reads), { numRuns: 3, seed: 5 });
    for (const one of failing) {
      const least = await shrunk(one, async (next) => Promise.resolve(reads(next)), 2_000);
      expect(printed(least).split("\n").length).toBeLessThanOrEqual(5);
      expect(least.batch.examples).toBe(1);
    }
  });
});

const compiledOrRefused = (one: Case): Program | undefined => {
  try {
    return programOf(one);
  } catch (error) {
    if (error instanceof PrefcError && refusals.includes(error.code)) return undefined;
    throw error;
  }
};

describe("a comparison with the interpreter", () => {
  /** The share of programs in which a result that is off by this much, relative to its largest entry, is noticed. */
  const noticed = (off: number): number => {
    let [programs, complained] = [0, 0];
    for (const one of fc.sample(cases({ terms: 40 }), { numRuns: 240, seed: 1 })) {
      const program = compiledOrRefused(one);
      if (program === undefined) continue;
      const right = expected(program, one.batch, scalars(one));
      const wrong = new Map(
        [...right].map(([name, { values }]) => {
          const size = Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
          return [name, Array.from(values, (value) => value + off * size)];
        }),
      );
      programs++;
      if (compare(right, wrong, "here").complaints.length > 0) complained++;
    }
    return complained / programs;
  };

  it("accepts what is right, and notices one part in ten thousand", () => {
    expect(noticed(0)).toBe(0);
    expect(noticed(1e-3)).toBeGreaterThan(0.95);
    expect(noticed(1e-4)).toBeGreaterThan(0.9);
  });
});

describe("the running error", () => {
  /** The values with everything along the vocabulary rounded to f32 as soon as it is computed. */
  const inFloats = (one: Case): ReadonlyMap<Node, Tensor> => {
    const held = new Map<Node, Tensor>();
    for (const node of topological(rootsOf(one))) {
      const [value] = evaluate([node], one.batch, scalars(one), held);
      const along = node.axes.includes("vocab") || (node.tag === "reduce" && node.axis === "vocab");
      held.set(node, along ? { ...value!, data: value!.data.map(Math.fround) } : value!);
    }
    return held;
  };

  it("bounds what single floats make of a program", () => {
    fc.assert(
      fc.property(cases(), (one) => {
        const bounds = runningErrors(rootsOf(one), one.batch, scalars(one));
        for (const [node, { data }] of inFloats(one)) {
          const { value, error } = bounds.get(node)!;
          data.forEach((x, n) => {
            // an index or a condition that is not sure may be anything
            if (node.dtype !== "f32" && error.data[n]! > 0) return;
            expect(Math.abs(x - value.data[n]!)).toBeLessThanOrEqual(error.data[n]!);
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  const batch = exampleBatch({ scales: ["normal"] }, 2);
  const errorOf = (node: Node, params: Case["params"] = {}): number => {
    const { error } = runningErrors([node], batch, params).get(node)!;
    return Math.max(...error.data);
  };
  const z = logitsOf("policy", "w");
  const total = reduce("sum", "vocab", unary("exp", z));

  it("is a few units for a function of exact numbers", () => {
    const values = evaluate([total], batch, {})[0]!.data;
    const relative = errorOf(total) / Math.max(...values);
    expect(relative).toBeGreaterThan(2 ** -23);
    expect(relative).toBeLessThan(2 ** -17);
  });

  it("grows where operands cancel", () => {
    const near = binary("minus", total, binary("times", total, constant(1 - 1e-6)));
    const inverse = binary("over", constant(1), near);
    expect(errorOf(inverse)).toBe(Infinity);
  });

  it("counts both outcomes of a decision that errors could turn", () => {
    const again = reduce("sum", "vocab", unary("exp", binary("plus", z, constant(1e-9))));
    const close = select(binary("gt", total, again), constant(5), constant(2));
    expect(errorOf(close)).toBeGreaterThanOrEqual(3);
    const clear = select(binary("gt", total, param("far")), constant(5), constant(2));
    expect(errorOf(clear, { far: -1 })).toBeLessThan(1e-9);
  });
});
