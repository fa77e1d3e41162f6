// The interpreter against definitions worked out by hand and against the operators' own rows.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  at,
  binary,
  constant,
  count,
  input,
  iota,
  param,
  reduce,
  select,
  stop,
  unary,
} from "../../src/core/build.ts";
import { exampleInput, idsOf, logitsOf, logpInput, tokenInput } from "../../src/core/inputs.ts";
import { reduceOps } from "../../src/core/ops.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { fromResponses } from "../../src/batch/separate.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expectError, noData, valueOf, valuesOf } from "../support/checks.ts";

const batch: Batch = fromResponses(
  {
    w: {
      labels: [[1, 0], [2]],
      policy_logits: [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
      tokens: { u: [1, 2, 3] },
    },
    l: { labels: [[1], [1, 1, 1]] },
  },
  { examples: { m: [10, 20] } },
);
const z = logitsOf("policy", "w");
const u = tokenInput("u", "w");
const m = exampleInput("m");
const x = param("x", 2);

describe("leaves", () => {
  it("a constant, a parameter by its default, and a parameter by its value", () => {
    expect(valueOf(constant(3))).toBe(3);
    expect(valueOf(x)).toBe(2);
    expect(valueOf(x, noData, { x: 0 })).toBe(0);
  });

  it("inputs at every height, each over its own axes in the order of the offsets", () => {
    expect(valuesOf(z, batch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(valuesOf(u, batch)).toEqual([1, 2, 3]);
    expect(valuesOf(m, batch)).toEqual([10, 20]);
    expect(valuesOf(idsOf("w"), batch)).toEqual([1, 0, 2]);
  });

  it("index variables count from zero, tokens within their example", () => {
    expect(valuesOf(iota("batch"), batch)).toEqual([0, 1]);
    expect(valuesOf(iota("vocab"), batch)).toEqual([0, 1, 2]);
    expect(valuesOf(iota("token.l"), batch)).toEqual([0, 0, 1, 2]);
  });

  it("extents, of which a token axis has one per example", () => {
    expect(valueOf(count("batch"), batch)).toBe(2);
    expect(valueOf(count("vocab"), batch)).toBe(3);
    expect(valuesOf(count("token.l"), batch)).toEqual([1, 3]);
  });
});

describe("operators act in each environment", () => {
  it("over the union of the axes of their operands", () => {
    expect(valuesOf(binary("plus", u, m), batch)).toEqual([11, 12, 23]);
    expect(valuesOf(binary("times", z, u), batch)).toEqual([1, 2, 3, 8, 10, 12, 21, 24, 27]);
    const table = binary("plus", m, unary("toReal", iota("vocab")));
    expect(valuesOf(table, batch)).toEqual([10, 11, 12, 20, 21, 22]);
  });

  it("a choice takes one side and does not look at the other", () => {
    const logarithm = unary("log", binary("minus", m, constant(15)));
    const chosen = select(binary("gt", m, constant(15)), logarithm, constant(-1));
    expect(valuesOf(chosen, batch)).toEqual([-1, Math.log(5)]);
  });

  it("stop is the identity", () => {
    expect(valuesOf(stop(u), batch)).toEqual([1, 2, 3]);
  });
});

describe("reductions bind a variable", () => {
  it("over the vocabulary, over the tokens of each example, over the batch", () => {
    expect(valuesOf(reduce("sum", "vocab", z), batch)).toEqual([6, 15, 24]);
    expect(valuesOf(reduce("max", "token.w", u), batch)).toEqual([2, 3]);
    expect(valueOf(reduce("sum", "batch", m), batch)).toBe(30);
  });

  it("an operand without the variable is still a function of it", () => {
    expect(valueOf(reduce("sum", "vocab", x), batch)).toBe(6);
    expect(valuesOf(reduce("sum", "token.l", m), batch)).toEqual([10, 60]);
    expect(valuesOf(reduce("sum", "token.l", x), batch)).toEqual([2, 6]);
    expect(valuesOf(reduce("max", "token.l", m), batch)).toEqual([10, 20]);
    expect(valueOf(reduce("logSumExp", "vocab", x), batch)).toBeCloseTo(2 + Math.log(3), 14);
    // under each token of w, the tokens of l are counted
    expect(valuesOf(reduce("sum", "token.l", u), batch)).toEqual([1, 2, 9]);
  });

  const rows = fc.array(fc.double({ min: -700, max: 700, noNaN: true }), {
    minLength: 1,
    maxLength: 9,
  });
  const ofRow = (row: readonly number[]): Batch =>
    fromResponses({ w: { labels: [[0]], policy_logits: [row] } });

  it("are what their operator's row combines", () => {
    fc.assert(
      fc.property(fc.constantFrom("sum", "max", "logSumExp"), rows, (op, row) => {
        const { identity, combine } = reduceOps[op];
        const [value] = valuesOf(reduce(op, "vocab", z), ofRow(row));
        // nine roundings, relative to the terms
        const scale = Math.max(1, ...row.map(Math.abs));
        expect(
          Math.abs(value! - row.reduce((a, b) => combine(a, b), identity)),
        ).toBeLessThanOrEqual(1e-14 * scale);
      }),
    );
  });

  it("log-sum-exp neither overflows nor drowns, and of nothing but −∞ it is −∞", () => {
    const lse = reduce("logSumExp", "vocab", z);
    expect(valuesOf(lse, ofRow([5000, 5000]))).toEqual([5000 + Math.log(2)]);
    expect(valuesOf(lse, ofRow([-5000, -5000]))).toEqual([-5000 + Math.log(2)]);
    expect(valuesOf(lse, ofRow([-Infinity, -Infinity]))).toEqual([-Infinity]);
    expect(valuesOf(lse, ofRow([3, -Infinity]))).toEqual([3]);
  });
});

describe("a lookup substitutes an index for a variable", () => {
  it("in the vocabulary, in the tokens of each example, in the batch", () => {
    expect(valuesOf(at(z, "vocab", idsOf("w")), batch)).toEqual([2, 4, 9]);
    expect(valuesOf(at(u, "token.w", constant(0, "i32")), batch)).toEqual([1, 3]);
    expect(valueOf(at(m, "batch", constant(1, "i32")), batch)).toBe(20);
  });

  it("in what does not have the variable, it is that", () => {
    expect(valuesOf(at(u, "vocab", idsOf("w")), batch)).toEqual([1, 2, 3]);
  });

  it("with an index outside, it is an error that gives the range", () => {
    const second = at(u, "token.w", constant(1, "i32"));
    expectError(
      () => valuesOf(second, batch),
      "index-out-of-range",
      /index 1/,
      /tokens of "w"/,
      /has 1 entries/,
    );
    const before = at(z, "vocab", constant(-1, "i32"));
    expectError(() => valuesOf(before, batch), "index-out-of-range", /index -1/);
  });
});

describe("what has no value says so", () => {
  it("a root that is not a number, with its place and the term that began it", () => {
    const bad = unary("log", binary("minus", m, constant(15)));
    expectError(
      () => evaluate([bad], batch, {}),
      "undefined-value",
      /example 0/,
      /"log"/,
      /over batch/,
    );
    const token = unary("sqrt", binary("minus", constant(2.5), u));
    expectError(
      () => evaluate([token], batch, {}),
      "undefined-value",
      /example 1, token 0/,
      /"sqrt"/,
    );
    expectError(
      () => evaluate([unary("log", constant(-1))], noData, {}),
      "undefined-value",
      /a scalar/,
    );
  });

  it("logits on a GPU", () => {
    const buffer = { size: 1024, mapAsync: () => Promise.resolve() } as unknown as GPUBuffer;
    const onGpu = fromResponses({ w: { labels: [[1]], policy_logits: buffer } }, { vocab_size: 3 });
    expectError(() => evaluate([z], onGpu, {}), "reference-needs-host-data", /policy\.logits\.w/);
  });

  it("a parameter without a value, and data that the batch does not bring", () => {
    expectError(() => evaluate([param("gamma")], noData, {}), "missing-parameter", /"gamma"/);
    expectError(
      () => evaluate([logpInput("policy", "w")], batch, {}),
      "missing-input",
      /policy\.logp\.w/,
    );
    expectError(() => evaluate([input("state", [])], batch, {}), "input-axes", /state/);
  });
});

describe("many roots", () => {
  it("share their parts, keep their order, and may be parts of each other", () => {
    const square = unary("square", u);
    const [first, second, third] = evaluate(
      [reduce("sum", "token.w", square), square, square],
      batch,
      {},
    );
    expect([...first!.data]).toEqual([5, 9]);
    expect([...second!.data]).toEqual([1, 4, 9]);
    expect(third).toBe(second);
    expect(evaluate([], batch, {})).toEqual([]);
  });
});
