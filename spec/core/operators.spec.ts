// What every row of the table of operators must have, whoever adds it: a meaning inside its domain, forms for kernels whose
// functions exist and which mean the same, a definition that ranks below, and a printed form that nothing else has.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodes } from "../../src/core/smart.ts";
import { param } from "../../src/core/build.ts";
import { topological } from "../../src/core/node.ts";
import {
  binaryNames,
  binaryOps,
  reduceOps,
  sortOps,
  unaryNames,
  unaryOps,
} from "../../src/core/ops.ts";
import {
  isWithin,
  type Algebra,
  type Domain,
  type Form1,
  type Form2,
  type Interval,
  type Spelling,
} from "../../src/core/operators/row.ts";
import * as language from "../../src/index.ts";
import { functions } from "../../src/wgsl/prelude.generated.ts";

/** The operators over float64. */
const float64 = {
  ...Object.fromEntries(unaryNames.map((op) => [op, unaryOps[op].reference])),
  ...Object.fromEntries(binaryNames.map((op) => [op, binaryOps[op].reference])),
  constant: (value: number) => value,
  select: (condition: number, a: number, b: number) => (condition === 0 ? b : a),
} as Algebra<number>;

/** Functions that WGSL itself has. */
const builtIn = new Set(["abs", "exp", "f32", "log", "max", "min", "pow", "sign", "sqrt"]);
const isKnown = (name: string): boolean => Object.hasOwn(functions, name) || builtIn.has(name);

it("knows which functions there are", () => {
  expect(isKnown("pair_exp")).toBe(true);
  expect(isKnown("exp")).toBe(true);
  expect(isKnown("pair_nothing")).toBe(false);
});

/** What a row lacks of the forms that kernels need. */
function lacking(
  row: {
    readonly from: readonly string[];
    readonly definition?: unknown;
    readonly single?: Spelling<Form1> | Spelling<Form2>;
    readonly pair?: Spelling<Form1> | Spelling<Form2>;
  },
  columns: readonly ("single" | "pair")[] = row.from.includes("f32")
    ? ["single", "pair"]
    : ["single"],
): readonly string[] {
  return columns.flatMap((column) => {
    const spelling = row[column];
    if (spelling === undefined) return row.definition === undefined ? [`no ${column} form`] : [];
    return typeof spelling === "object" && "call" in spelling && !isKnown(spelling.call)
      ? [`${spelling.call} does not exist`]
      : [];
  });
}

it("would notice a form that is missing, and a function that does not exist", () => {
  expect(lacking({ from: ["f32"], single: { call: "exp" } })).toEqual(["no pair form"]);
  expect(lacking({ from: ["f32"], single: { call: "exp" }, pair: { call: "pair_none" } })).toEqual([
    "pair_none does not exist",
  ]);
  expect(lacking({ from: ["bool"] })).toEqual(["no single form"]);
});

const inside = (domain: Domain, [low, high]: Interval): fc.Arbitrary<number> =>
  fc.double({ min: low, max: high, noNaN: true }).filter((x) => isWithin(domain, x));

const close = (found: number, wanted: number): void => {
  expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(wanted)));
};

describe.each(unaryNames)("%s", (op) => {
  const row = unaryOps[op];
  const forms = [row.definition, row.single, row.pair].filter((one) => typeof one === "function");

  it("has what kernels need", () => {
    expect(lacking(row)).toEqual([]);
    expect(row.rounding !== undefined || forms.length > 0).toBe(true);
  });

  it("is a function of the language where it says what it is", () => {
    expect(typeof (language as Record<string, unknown>)[op]).toBe(
      row.says === undefined ? "undefined" : "function",
    );
  });

  it("has a value wherever its domain says", () => {
    fc.assert(
      fc.property(inside(row.domain, row.sample), (x) => {
        expect(row.reference(x)).not.toBeNaN();
        // the forms are the operator over again, whatever the operators mean
        for (const form of forms) close(form(float64, x), row.reference(x));
      }),
    );
  });

  it("is defined by what ranks below it", () => {
    if (row.definition === undefined) return;
    const x = param("x");
    for (const node of topological([row.definition(nodes, x)])) {
      if (node.tag === "unary") expect(unaryOps[node.op].rank).toBeLessThan(row.rank);
      if (node.tag === "binary") expect(binaryOps[node.op].rank).toBeLessThan(row.rank);
    }
  });
});

describe.each(binaryNames)("%s", (op) => {
  const row = binaryOps[op];
  const forms = [row.definition, row.single, row.pair].filter((one) => typeof one === "function");

  it("has what kernels need", () => {
    expect(lacking(row)).toEqual([]);
    expect(row.rounding !== undefined || forms.length > 0).toBe(true);
  });

  it("is a function or a method of the language", () => {
    expect(typeof (language as Record<string, unknown>)[op]).toBe(
      row.says === undefined ? "undefined" : "function",
    );
    expect(op in language.constant(1)).toBe(row.infix !== undefined);
    expect(row.says === undefined).toBe(row.infix !== undefined);
  });

  it("has a value wherever its domain says", () => {
    fc.assert(
      fc.property(
        inside(row.domain[0], row.sample[0]),
        inside(row.domain[1], row.sample[1]),
        (a, b) => {
          expect(row.reference(a, b)).not.toBeNaN();
          if (row.commutes === true) expect(row.reference(a, b) === row.reference(b, a)).toBe(true);
          for (const form of forms) close(form(float64, a, b), row.reference(a, b));
        },
      ),
    );
  });

  it("is defined by what ranks below it", () => {
    if (row.definition === undefined) return;
    for (const node of topological([row.definition(nodes, param("a"), param("b"))])) {
      if (node.tag === "unary") expect(unaryOps[node.op].rank).toBeLessThan(row.rank);
      if (node.tag === "binary") expect(binaryOps[node.op].rank).toBeLessThan(row.rank);
    }
  });
});

it("gives no name and no sign twice", () => {
  const named = [unaryOps, binaryOps, reduceOps, sortOps].flatMap((table) => Object.keys(table));
  expect(new Set(named).size).toBe(named.length);
  const signs = binaryNames.flatMap((op) => binaryOps[op].infix?.symbol ?? []);
  expect(new Set(signs).size).toBe(signs.length);
});
