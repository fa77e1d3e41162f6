// Every operator: its row is complete, and its derivative agrees with differences of its own meaning.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { binary, param, unary } from "../../src/core/build.ts";
import { binaryOps, reduceOps, unaryOps, type BinaryOp, type UnaryOp } from "../../src/core/ops.ts";
import { valueOf } from "../support/checks.ts";

const names = <Op extends string>(table: Readonly<Record<Op, unknown>>): readonly Op[] =>
  Object.keys(table) as Op[];

const within = (low: number, high: number): fc.Arbitrary<number> =>
  fc.double({ min: low, max: high, noNaN: true });

/** Points where an operator has a kink, from which a difference must stay away. */
const kinks: Partial<Record<UnaryOp, number>> = { relu: 0, abs: 0, sign: 0 };

/** A step small against both x and 1, yet large against rounding. */
const step = (x: number): number => 1e-5 * Math.max(Math.abs(x), 1e-2);

const slope = (f: (x: number) => number, x: number): number => {
  const h = step(x);
  return (f(x + h) - f(x - h)) / 2 / h;
};

// The difference is wrong by h²·f''' and by 1e-16·f/h; both are below 1e-6 of the larger of value and slope.
const close = (derived: number, numeric: number, value: number): void => {
  const scale = Math.max(1, Math.abs(value), Math.abs(numeric));
  expect(Math.abs(derived - numeric)).toBeLessThanOrEqual(1e-6 * scale);
};

describe("the rows of the unary operators", () => {
  for (const op of names(unaryOps)) {
    const row = unaryOps[op];
    it(`${op} is complete`, () => {
      expect(row.from.length).toBeGreaterThan(0);
      expect(row.wgsl("operand")).toContain("operand");
      expect(row.domain[0]).toBeLessThan(row.domain[1]);
      expect(row.reference(row.domain[1])).not.toBeNaN();
      expect(row.derivative === null).toBe(!(row.from.includes("f32") && row.to === "f32"));
    });
    if (row.derivative === null) continue;
    it(`${op} has the derivative of its meaning`, () => {
      const x = param("x");
      const [derivative] = gradient(unary(op, x), [x]);
      fc.assert(
        fc.property(within(...row.domain), (at) => {
          const kink = kinks[op];
          fc.pre(kink === undefined || Math.abs(at - kink) > 2 * step(at));
          close(
            valueOf(derivative!, undefined, { x: at }),
            slope(row.reference, at),
            row.reference(at),
          );
        }),
      );
    });
  }
});

/** Where a binary operator is smooth: pow needs a positive base, over a divisor away from 0, the extrema no tie. */
const smooth = (op: BinaryOp, a: number, b: number): boolean => {
  if (op === "pow") return a > 0.1;
  if (op === "over") return Math.abs(b) > 0.1;
  return op === "minimum" || op === "maximum" ? Math.abs(a - b) > 1e-3 : true;
};

describe("the rows of the binary operators", () => {
  for (const op of names(binaryOps)) {
    const row = binaryOps[op];
    it(`${op} is complete`, () => {
      expect(row.from.length).toBeGreaterThan(0);
      expect(row.wgsl("first", "second")).toMatch(/first.*second/);
      expect(row.reference(1, 1)).not.toBeNaN();
      const real = row.from.includes("f32") && (row.to ?? "f32") === "f32";
      expect(row.derivative === null).toBe(!real);
    });
    if (row.derivative === null) continue;
    it(`${op} has the derivatives of its meaning`, () => {
      const [a, b] = [param("a"), param("b")];
      const [first, second] = gradient(binary(op, a, b), [a, b]);
      fc.assert(
        fc.property(within(-5, 5), within(-5, 5), (x, y) => {
          fc.pre(smooth(op, x, y));
          const value = row.reference(x, y);
          const params = { a: x, b: y };
          close(
            valueOf(first!, undefined, params),
            slope((at) => row.reference(at, y), x),
            value,
          );
          close(
            valueOf(second!, undefined, params),
            slope((at) => row.reference(x, at), y),
            value,
          );
        }),
      );
    });
  }

  it("share the slope of an extremum equally at a tie", () => {
    const [a, b] = [param("a"), param("b")];
    for (const op of ["minimum", "maximum"] as const) {
      const slopes = gradient(binary(op, a, b), [a, b]).map((d) =>
        valueOf(d, undefined, { a: 2, b: 2 }),
      );
      expect(slopes).toEqual([0.5, 0.5]);
    }
  });
});

describe("the rows of the reductions", () => {
  it.each(names(reduceOps))("%s combines associatively from its identity", (op) => {
    const { identity, combine } = reduceOps[op];
    const numbers = within(-50, 50);
    fc.assert(
      fc.property(numbers, numbers, numbers, (a, b, c) => {
        // −0 may come back as 0
        expect(combine(identity, a) === a).toBe(true);
        expect(combine(identity, identity)).toBe(identity);
        // rounding of three terms below 150
        expect(combine(combine(a, b), c)).toBeCloseTo(combine(a, combine(b, c)), 11);
      }),
    );
  });
});
