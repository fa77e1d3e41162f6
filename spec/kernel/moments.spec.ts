// The monoid of the running pass. A part of a row is its maximum and the moments about it; parts are combined by moving both to
// the larger maximum and adding. The statements that the compiler writes for it are executed in float64 (execute.ts), where
// combining must be associative and commutative with the empty part as its identity, and any split of a row into parts,
// combined along any tree, must give the moments of the row.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Accumulator, BlockPass } from "../../src/block/block.ts";
import { centred, exponential, shiftOf } from "../../src/block/meaning.ts";
import {
  countOf,
  entryFactor,
  momentKey,
  momentsOf,
  movedMoment,
} from "../../src/block/moments.ts";
import type { Node } from "../../src/core/node.ts";
import { combineLanes, sharedState } from "../../src/kernel/combine.ts";
import { lowest } from "../../src/kernel/row.ts";
import { keptOf, pointOf, worstOf } from "../../src/kernel/state.ts";
import { chooseSchedule, typicalTraits, type Schedule } from "../../src/schedule/schedule.ts";
import type { FieldSpec, ModelPower } from "../../src/stream/fields.ts";
import { powersAt } from "../stream/reading.ts";
import { valueOf } from "../block/evaluate.ts";
import { executor } from "./execute.ts";

const models = ["policy", "ref"] as const;
type Known = "policy" | "ref";
type Entry = Readonly<Record<Known, number>>;
/** The variables of a lane, by name. */
type Part = Readonly<Record<string, number>>;

/** Moments about the maxima have one sign, so nothing cancels: some dozen roundings of 1e-16 stay far below. */
const tolerance = 1e-12;
const close = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));

const power = (model: Known): fc.Arbitrary<ModelPower> =>
  fc.record({
    model: fc.constant(model),
    d: fc.constantFrom(0, 0.5, 1, 2, 3),
    k: fc.integer({ min: 0, max: 3 }),
  });
const field: fc.Arbitrary<FieldSpec> = fc.oneof(
  fc.record({
    kind: fc.constant("excess" as const),
    model: fc.constantFrom(...models),
    d: fc.constantFrom(0.5, 1, 2, 3),
  }),
  // as the stream asks for them: some exponential, and no factor 1
  fc
    .tuple(power("policy"), power("ref"))
    .map((powers) => powers.filter(({ d, k: degree }) => d !== 0 || degree !== 0))
    .filter((powers) => powers.some(({ d }) => d > 0))
    .map((powers): FieldSpec => ({ kind: "moment", powers })),
);
const fields = fc.array(field, { minLength: 1, maxLength: 3 });

// on a grid, so that ties of the maximum occur
const logit = fc.integer({ min: -160, max: 160 }).map((n) => n / 4);
const entry: fc.Arbitrary<Entry> = fc.record({ policy: logit, ref: logit });
const entries = fc.array(entry, { maxLength: 9 });

const powersIn = (shape: Accumulator["shape"]): readonly ModelPower[] =>
  shape.kind === "moment" ? shape.powers : [];
/** A pass that keeps these moments, and how many entries reach each maximum. */
const passOf = (moments: readonly Accumulator[]): BlockPass => ({
  name: "read",
  models,
  given: [],
  points: models.map((model) => ({ model, is: "maximum", slack: 0 })),
  isLabelApart: true,
  accumulators: [...moments, ...models.map(countOf)],
  weighted: [],
  left: [],
  write: null,
  opaque: [],
});

/** A part by its definition: the maxima of its entries, the moments about them, and how many entries reach them. */
function partOf(own: readonly Entry[], moments: readonly Accumulator[]): Part {
  const tops = Object.fromEntries(
    models.map((model) => [model, Math.max(lowest, ...own.map((one) => one[model]))]),
  ) as Record<Known, number>;
  const part: Record<string, number> = {};
  for (const model of models) {
    part[`m_${model}`] = tops[model];
    part[`worst_${model}`] = 0;
    part[`ties_${model}`] = own.filter((one) => one[model] === tops[model]).length;
  }
  for (const { name, shape } of moments) {
    const terms = own.map((one) =>
      powersAt(powersIn(shape), (model) => one[model as Known] - tops[model as Known]),
    );
    part[name] = terms.reduce((sum, term) => sum + term, 0);
  }
  return part;
}

const plain: Schedule = { ...chooseSchedule(typicalTraits, { vocab: 5, rows: 256 }), vector: 1 };

/** Combines as many parts as there are lanes; the result is the first lane's. */
function combiner(
  moments: readonly Accumulator[],
  lanes: number,
  areSubgroup: boolean = false,
): (parts: readonly Part[]) => Part {
  const schedule = {
    ...plain,
    rowLanes: lanes,
    combine: areSubgroup ? ("subgroup" as const) : ("shared" as const),
  };
  const pass = passOf(moments);
  const run = executor(combineLanes(pass, schedule), {
    variables: [
      ...models.flatMap((model) => [pointOf(model), worstOf(model)]),
      ...pass.accumulators.map(keptOf),
    ],
    shared: sharedState(pass, schedule),
  });
  return (parts) => run(parts)[0]!;
}

const expectSame = (actual: Part, right: Part): void => {
  expect(Object.keys(actual).toSorted()).toEqual(Object.keys(right).toSorted());
  for (const [name, value] of Object.entries(right))
    expect(close(actual[name]!, value), `${name}: ${actual[name]} for ${value}`).toBe(true);
};

describe("combining parts of a row", () => {
  it("gives the moments of the whole, for any split over any number of lanes", () => {
    fc.assert(
      fc.property(
        fields,
        fc.constantFrom(2, 4, 8, 16),
        fc.array(fc.tuple(entry, fc.nat()), { maxLength: 24 }),
        fc.boolean(),
        (specs, lanes, placed, areSubgroup) => {
          const moments = momentsOf(specs);
          const parts = Array.from({ length: lanes }, (_, lane) =>
            partOf(
              placed.filter(([, where]) => where % lanes === lane).map(([one]) => one),
              moments,
            ),
          );
          const whole = partOf(
            placed.map(([one]) => one),
            moments,
          );
          expectSame(combiner(moments, lanes, areSubgroup)(parts), whole);
        },
      ),
    );
  });

  it("is associative and commutative, and the empty part is its identity", () => {
    fc.assert(
      fc.property(fields, entries, entries, entries, (specs, first, second, third) => {
        const moments = momentsOf(specs);
        const merge = combiner(moments, 2);
        const [a, b, c] = [first, second, third].map((own) => partOf(own, moments)) as [
          Part,
          Part,
          Part,
        ];
        expectSame(merge([merge([a, b]), c]), merge([a, merge([b, c])]));
        expectSame(merge([a, b]), merge([b, a]));
        const empty = partOf([], moments);
        expect(merge([a, empty])).toEqual(a);
        expect(merge([empty, a])).toEqual(a);
      }),
    );
  });

  it("follows the tree that the lanes make of any permutation of them", () => {
    const permuted = fc
      .array(entries, { minLength: 4, maxLength: 4 })
      .chain((parts) =>
        fc.tuple(fc.constant(parts), fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 })),
      );
    fc.assert(
      fc.property(fields, permuted, (specs, [parts, order]) => {
        const moments = momentsOf(specs);
        const merge = combiner(moments, 4);
        const states = parts.map((own) => partOf(own, moments));
        expectSame(merge(order.map((position) => states[position]!)), merge(states));
      }),
    );
  });
});

describe("moving the reference point of moments", () => {
  const shifts = fc.record({ policy: logit, ref: logit });
  /** All moments of a family after their maxima rose by `by`. */
  const moved = (moments: readonly Accumulator[], values: Part, by: Entry): Part =>
    Object.fromEntries(
      moments.map((moment) => {
        const after = movedMoment(powersIn(moment.shape), () => true, moments);
        const leaves = new Map<Node, number>([
          ...moments.map((one) => [one.holds, values[one.name]!] as const),
          ...models.map((model) => [shiftOf(model), -by[model]] as const),
        ]);
        return [moment.name, valueOf(after, leaves)];
      }),
    );

  it("is an action: twice is once by the sum, and by nothing is nothing", () => {
    const rising = shifts.map(({ policy, ref }) => ({
      policy: Math.abs(policy),
      ref: Math.abs(ref),
    }));
    fc.assert(
      fc.property(fields, entries, rising, rising, (specs, own, first, second) => {
        const moments = momentsOf(specs);
        const part = partOf(own, moments);
        const values = Object.fromEntries(moments.map(({ name }) => [name, part[name]!]));
        const both = { policy: first.policy + second.policy, ref: first.ref + second.ref };
        expectSame(
          moved(moments, moved(moments, values, first), second),
          moved(moments, values, both),
        );
        expect(moved(moments, values, { policy: 0, ref: 0 })).toEqual(values);
      }),
    );
  });

  it("moves one model only when told so", () => {
    const powers: readonly ModelPower[] = [
      { model: "policy", d: 1, k: 2 },
      { model: "ref", d: 2, k: 1 },
    ];
    const moments = momentsOf([{ kind: "moment", powers }]);
    const after = movedMoment(powers, (model) => model === "ref", moments);
    fc.assert(
      fc.property(entries, logit, (own, shift) => {
        const part = partOf(own, moments);
        const by = -Math.abs(shift);
        const right = own.reduce((sum, one) => {
          const x = one.policy - part["m_policy"]!;
          const other = one.ref - part["m_ref"]! + by;
          return sum + Math.exp(x) * x ** 2 * Math.exp(2 * other) * other;
        }, 0);
        const leaves = new Map<Node, number>([
          ...moments.map((one) => [one.holds, part[one.name]!] as const),
          [shiftOf("ref"), by],
        ]);
        expect(close(valueOf(after, leaves), right)).toBe(true);
      }),
    );
  });

  it("refuses a family that lacks the lower powers", () => {
    const powers = [{ model: "policy", d: 1, k: 1 }] as const;
    const [whole] = momentsOf([{ kind: "moment", powers }]);
    expect(() => movedMoment(powers, () => true, [whole!])).toThrow(
      "The moment policy:1,0 that shifting needs is not kept; this is a bug of prefc, so please report it with the objective.",
    );
  });
});

describe("the family of moments", () => {
  it("holds what was asked for and all that shifting mixes in, each once", () => {
    fc.assert(
      fc.property(fields, (specs) => {
        const moments = momentsOf(specs);
        const keys = moments.map(({ shape }) => momentKey(powersIn(shape)));
        expect(new Set(keys).size).toBe(keys.length);
        expect(new Set(moments.map(({ name }) => name)).size).toBe(moments.length);
        for (const spec of specs) {
          const asked =
            spec.kind === "excess"
              ? [{ ...spec, k: 0 }]
              : spec.kind === "moment"
                ? spec.powers
                : [];
          const key = momentKey(asked);
          if (key !== "") expect(keys).toContain(key);
        }
        for (const { shape } of moments) {
          const powers = powersIn(shape);
          expect(powers.some(({ d, k: degree }) => d !== 0 || degree !== 0)).toBe(true);
          powers.forEach((one, position) => {
            if (one.k === 0) return;
            const lower = momentKey(
              powers.map((other, n) => (n === position ? { ...other, k: other.k - 1 } : other)),
            );
            if (lower !== "") expect(keys).toContain(lower);
          });
        }
      }),
    );
  });

  /** What an entry adds, at a distance from the maximum. */
  const valueAt = (one: ModelPower, x: number, e: number): number =>
    valueOf(
      entryFactor(one),
      new Map([[centred(one.model), x] as const, [exponential(one.model), e] as const]),
    );

  it("evaluates an entry as its definition says", () => {
    fc.assert(
      fc.property(power("policy"), logit, (one, z) => {
        fc.pre(one.d !== 0 || one.k !== 0);
        const x = -Math.abs(z);
        expect(
          close(
            valueAt(one, x, Math.exp(x)),
            powersAt([one], () => x),
          ),
        ).toBe(true);
      }),
    );
  });

  it("counts a masked entry as nothing, whatever its power", () => {
    // single floats end at 3e38: a power of the number that stands for −∞ must not leave that range
    fc.assert(
      fc.property(power("policy"), (one) => {
        fc.pre(one.d > 0);
        expect(valueAt(one, -1e30, 0)).toBeCloseTo(0, 12);
        expect(Math.abs(valueAt(one, -1e30, 1))).toBeLessThan(2 ** 127);
      }),
    );
  });
});
