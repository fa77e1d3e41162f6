// Every operator on the adapter at hand, in both of its forms and over its whole domain: how far a kernel is from the float64
// meaning stays within the bound of the operator's row. Along the vocabulary an operator is computed in single floats;
// beside it in pairs, whose lower half is seen by taking away the single float that is nearest to the value.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binaryNames, binaryOps, unaryNames, unaryOps } from "../../src/core/ops.ts";
import type { BinaryOp, UnaryOp } from "../../src/core/ops.ts";
import { isWithin, type Domain } from "../../src/core/operators/row.ts";
import { binary, constant as number, unary } from "../../src/core/build.ts";
import type { Node } from "../../src/core/node.ts";
import { wrap } from "../../src/dsl/facade.ts";
import {
  compile,
  fromResponses,
  mean,
  objective,
  sum,
  type Device,
  type Expr,
  type PerExample,
  type PerVocab,
} from "../../src/index.ts";
import { seed } from "../seed.ts";
import { withDevice } from "../support/device.ts";
import { binaryRounding, unaryRounding } from "../support/running-elementwise.ts";
import { unit } from "../support/rounding.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const cases = 512;
/** Beyond this a value may leave the range of single floats, and so may what it is made of. */
const largest = 1e30;

type Op = UnaryOp | BinaryOp;
const isUnary = (op: Op): op is UnaryOp => op in unaryOps;
const takesReals = (op: Op): boolean =>
  (isUnary(op) ? unaryOps[op] : binaryOps[op]).from.includes("f32");

/** Numbers of every size and of both signs within a domain, all of them single floats. */
function drawn(domain: Domain, usual: readonly [number, number]): fc.Arbitrary<number> {
  const sizes = fc
    .tuple(fc.double({ min: -24, max: 24, noNaN: true }), fc.constantFrom(-1, 1))
    .map(([exponent, sign]) => sign * 2 ** exponent);
  const ends = [domain.from, domain.above, domain.to, domain.below].filter((x) => x !== undefined);
  const near = sizes.map((size) => (ends[0] ?? 0) + size / 2 ** 10);
  return fc
    .oneof(fc.double({ min: usual[0], max: usual[1], noNaN: true }), sizes, near)
    .map(Math.fround)
    .filter((x) => isWithin(domain, x));
}

interface Sample {
  readonly operands: readonly number[];
  readonly value: number;
}

/** WGSL lets an adapter take a subnormal number for 0 (§15.7.2), as SwiftShader does, so none says anything of an operator. */
const isNormal = (x: number): boolean => x === 0 || Math.abs(x) >= 2 ** -126;
const areNormal = ({ operands, value }: Sample): boolean => [...operands, value].every(isNormal);

const samplesOf = (op: Op): readonly Sample[] => samplesWithin(op).filter(areNormal);

function samplesWithin(op: Op): readonly Sample[] {
  if (isUnary(op)) {
    const { domain, sample, reference } = unaryOps[op];
    return fc
      .sample(drawn(domain, sample), { numRuns: cases, seed })
      .map((x) => ({ operands: [x], value: reference(x) }))
      .filter(({ value }) => Math.abs(value) < largest);
  }
  const { domain, sample, reference } = binaryOps[op];
  return fc
    .sample(fc.tuple(drawn(domain[0], sample[0]), drawn(domain[1], sample[1])), {
      numRuns: cases,
      seed,
    })
    .map(([a, b]) => ({ operands: [a, b], value: reference(a, b) }))
    .filter(
      ({ value }) => Math.abs(value) < largest && (value === 0 || Math.abs(value) > 1 / largest),
    );
}

/** The operator over core nodes, as a real number: truth values are made of comparisons, and become 0 and 1. */
function applied(op: Op, operands: readonly Node[]): Node {
  const { from } = isUnary(op) ? unaryOps[op] : binaryOps[op];
  const [a, b] = operands.map((x) => (from.includes("f32") ? x : binary("gt", x, number(0)))) as [
    Node,
    Node,
  ];
  const made = isUnary(op) ? unary(op, a) : binary(op, a, b);
  return made.dtype === "bool" ? unary("toReal", made) : made;
}

const valueOf = (op: Op, { operands, value }: Sample): number => {
  if (takesReals(op)) return value;
  const [a, b] = operands.map((x) => Number(x > 0)) as [number, number];
  return isUnary(op) ? unaryOps[op].reference(a) : binaryOps[op].reference(a, b);
};

const bound = (op: Op, precision: "single" | "pair", { operands, value }: Sample): number => {
  const [a, b] = operands as readonly [number, number];
  return isUnary(op)
    ? unaryRounding(op, precision, a, value)
    : binaryRounding(op, precision, [a, b], value);
};

/** What is further away than it may be. */
function misses(
  samples: readonly Sample[],
  found: ArrayLike<number>,
  wanted: (sample: Sample) => number,
  allowed: (sample: Sample) => number,
): readonly string[] {
  return samples.flatMap((sample, n) => {
    const off = Math.abs(found[n]! - wanted(sample));
    return off <= allowed(sample)
      ? []
      : [
          `${sample.operands.join(", ")}: ${found[n]} for ${wanted(sample)}, off by ${off} of ${allowed(sample)}`,
        ];
  });
}

it("would notice a value that is further away", () => {
  const samples = samplesOf("exp");
  const wanted = (sample: Sample): number => valueOf("exp", sample);
  const allowed = (sample: Sample): number => bound("exp", "pair", sample);
  const off = samples.map((sample) => wanted(sample) + 2 * allowed(sample));
  expect(misses(samples, samples.map(wanted), wanted, allowed)).toEqual([]);
  const farAway = samples.filter((sample, n) => off[n] !== wanted(sample));
  expect(farAway.length).toBeGreaterThan(cases / 2);
  expect(misses(samples, off, wanted, allowed)).toHaveLength(farAway.length);
});

const names: readonly Op[] = [...unaryNames, ...binaryNames];

describe("an operator keeps within its bound", () => {
  it.each(names)("%s in single floats", async (op) => {
    const samples = samplesOf(op);
    const made = compile(
      objective(
        op,
        ["y"],
        ({ policy, ref, y }) => {
          const operands = [policy.logits(y.y).node, ref.logits(y.y).node];
          const value: Expr<PerVocab<"y">> = wrap(applied(op, operands));
          return sum("token", sum("vocab", value));
        },
        { source: "own" },
      ),
      { device },
    );
    const column = (n: number): Float32Array =>
      Float32Array.from(samples, ({ operands }) => operands[n] ?? 0);
    const batch = fromResponses({
      y: {
        labels: samples.map(() => 0),
        lengths: samples.map(() => 1),
        policy_logits: column(0),
        ref_logits: column(1),
      },
    });
    const { perExample } = await made.value(batch, { perExample: true });
    const miss = misses(
      samples,
      perExample!,
      (sample) => valueOf(op, sample),
      (sample) => bound(op, "single", sample) + 2 ** -24 * Math.abs(valueOf(op, sample)),
    );
    expect(miss).toEqual([]);
  });

  it.each(names)("%s in pairs of floats", async (op) => {
    const samples = samplesOf(op);
    const made = compile(
      objective(
        op,
        ["y"],
        ({ example, policy, y }) => {
          const operands = [example("a").node, example("b").node];
          const value: Expr<PerExample> = wrap(applied(op, operands));
          return value.minus(example("high")).plus(mean("token", policy.logp(y.y)).times(0));
        },
        { source: "own" },
      ),
      { device },
    );
    const high = samples.map((sample) => Math.fround(valueOf(op, sample)));
    const batch = fromResponses(
      {
        y: {
          labels: samples.map(() => 0),
          lengths: samples.map(() => 1),
          policy_logits: new Float32Array(samples.length),
        },
      },
      {
        examples: {
          a: samples.map(({ operands }) => operands[0]!),
          b: samples.map(({ operands }) => operands[1] ?? 0),
          high,
        },
      },
    );
    const { perExample } = await made.value(batch, { perExample: true });
    const miss = misses(
      samples,
      perExample!,
      (sample) => valueOf(op, sample) - Math.fround(valueOf(op, sample)),
      (sample) => bound(op, "pair", sample) + 2 * unit.pair * Math.abs(valueOf(op, sample)),
    );
    expect(miss).toEqual([]);
  });
});
