// Every operator: its row is complete, and its derivative agrees with differences of its own meaning.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { binary, param, unary } from "../../src/core/build.ts";
import { binaryOps, reduceOps, unaryOps } from "../../src/core/ops.ts";
import { isWithin, type BinaryRow } from "../../src/core/operators/row.ts";
import { valueOf } from "../support/checks.ts";

const names = <Op extends string>(table: Readonly<Record<Op, unknown>>): readonly Op[] =>
  Object.keys(table) as Op[];

const within = (low: number, high: number): fc.Arbitrary<number> =>
  fc.double({ min: low, max: high, noNaN: true });

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
    it(`${op} has a meaning at its sample, and a derivative where it is real`, () => {
      expect(row.from.length).toBeGreaterThan(0);
      expect(row.sample[0]).toBeLessThan(row.sample[1]);
      expect(row.sample.every((x) => isWithin(row.domain, x))).toBe(true);
      expect(row.reference(row.sample[1])).not.toBeNaN();
      expect(row.derivative === null).toBe(!(row.from.includes("f32") && row.to === "f32"));
    });
    if (row.derivative === null) continue;
    it(`${op} has the derivative of its meaning`, () => {
      const x = param("x");
      const [derivative] = gradient(unary(op, x), [x]);
      fc.assert(
        fc.property(within(...row.sample), (at) => {
          fc.pre((row.kinks ?? []).every((kink) => Math.abs(at - kink) > 2 * step(at)));
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

/** Whether a binary operator is smooth here: well inside its domain, and away from ties where it jumps there. */
const smooth = ({ domain, jumpsAtTies }: BinaryRow, a: number, b: number): boolean =>
  isWithin(domain[0], a, 0.1) &&
  isWithin(domain[1], b, 0.1) &&
  (jumpsAtTies !== true || Math.abs(a - b) > 1e-3);

describe("the rows of the binary operators", () => {
  for (const op of names(binaryOps)) {
    const row = binaryOps[op];
    it(`${op} has a meaning at its sample, and a derivative where it is real`, () => {
      expect(row.from.length).toBeGreaterThan(0);
      expect(row.reference(1, 1)).not.toBeNaN();
      const real = row.from.includes("f32") && (row.to ?? "f32") === "f32";
      expect(row.derivative === null).toBe(!real);
    });
    if (row.derivative === null) continue;
    it(`${op} has the derivatives of its meaning`, () => {
      const [a, b] = [param("a"), param("b")];
      const [first, second] = gradient(binary(op, a, b), [a, b]);
      fc.assert(
        fc.property(within(...row.sample[0]), within(...row.sample[1]), (x, y) => {
          fc.pre(smooth(row, x, y));
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
