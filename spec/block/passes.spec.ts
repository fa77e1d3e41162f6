// Passes over blocks: what they look like, and that they are right without lanes. A row is dealt out into any parts, each part
// is added up about a point of its own, parts are moved to the larger point and combined in any order, and what is left is what
// the fields are by definition, in float64.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlockPass } from "../../src/block/block.ts";
import * as meaning from "../../src/block/meaning.ts";
import { moved } from "../../src/block/moments.ts";
import { gradientBlock, onlineBlock, totalBlock } from "../../src/block/passes.ts";
import { printBlock } from "../../src/block/text.ts";
import type { Node } from "../../src/core/node.ts";
import { builtIns, compile, sft, tdpo2, wpo, type Objective } from "../../src/index.ts";
import { fieldKey, type FieldOfPass } from "../../src/stream/fields.ts";
import type { OnlinePass } from "../../src/stream/stages.ts";
import { valueOf } from "./evaluate.ts";

const stagesOf = (objective: Objective) => compile(objective).program.valueAndGrad.stages;
const onlineOf = (objective: Objective): readonly OnlinePass[] =>
  stagesOf(objective).passes.flatMap((pass) => (pass.kind === "online" ? [pass] : []));
const printed = (objective: Objective): readonly string[] => [
  ...stagesOf(objective).passes.map((pass) =>
    printBlock(pass.kind === "online" ? onlineBlock(pass) : totalBlock(pass)),
  ),
  ...stagesOf(objective).gradients.map((pass) => printBlock(gradientBlock(pass, false))),
];

describe("a pass over blocks is printed", () => {
  it("where a sum and a label are all that an objective asks for", () => {
    expect(printed(sft())[0]).toMatchInlineSnapshot(`
      "pass read policy logits: entries of policy, the label's entry apart
      point m.policy: the label's entry until one lies more than 4 above
      sum s0 from 0: e.policy
        moved by d: s0 * exp(d.policy)
      sum s1 from 0: e.policy * x.policy
        moved by d: (d.policy * s0 + s1) * exp(d.policy)
      row[excess[1].policy] = where(xy.policy == 0, s0 * exp(d.policy), s0 * exp(d.policy) - 1 + ey.policy)
      row[label.policy] = zy.policy
      row[maximum.policy] = m.policy
      row[moment[policy:1,1]] = (d.policy * s0 + s1) * exp(d.policy) + ey.policy * xy.policy
      "
    `);
  });
  it("where moments are moved by moments of a lower degree", () => {
    expect(printed(wpo())[0]).toMatchInlineSnapshot(`
      "pass read policy logits: entries of policy, the label's entry apart
      point m.policy: the label's entry until one lies more than 4 above
      sum s0 from 0: e.policy
        moved by d: s0 * exp(d.policy)
      sum s1 from 0: e.policy * e.policy
        moved by d: s1 * exp(2 * d.policy)
      sum s2 from 0: e.policy * x.policy
        moved by d: (d.policy * s0 + s2) * exp(d.policy)
      row[excess[1].policy] = where(xy.policy == 0, s0 * exp(d.policy), s0 * exp(d.policy) - 1 + ey.policy)
      row[excess[2].policy] = where(xy.policy == 0, s1 * exp(2 * d.policy), s1 * exp(2 * d.policy) - 1 + ey.policy * ey.policy)
      row[label.policy] = zy.policy
      row[maximum.policy] = m.policy
      row[moment[policy:1,1]] = (d.policy * s0 + s2) * exp(d.policy) + ey.policy * xy.policy
      "
    `);
  });
  it("where two models are read together, and a masked entry of one may have a weight of the other", () => {
    const both = printed(tdpo2()).find((text) => text.includes("entries of policy and ref"));
    expect(both).toMatchInlineSnapshot(`
      "pass read policy and ref logits: entries of policy and ref, the label's entry apart
      point m.policy: the label's entry until one lies more than 4 above
      point m.ref: the label's entry until one lies more than 4 above
      sum s0 from 0: e.policy
        moved by d: s0 * exp(d.policy)
      sum s1 from 0: e.ref
        moved by d: s1 * exp(d.ref)
      sum s2 from 0: x.policy * e.ref
        moved by d: (d.policy * s1 + s2) * exp(d.ref)
      sum s3 from 0: e.policy * x.policy
        moved by d: (d.policy * s0 + s3) * exp(d.policy)
      sum s4 from 0: e.ref * x.ref
        moved by d: (d.ref * s1 + s4) * exp(d.ref)
      no masked entry of policy where e.ref != 0
      row[excess[1].policy] = where(xy.policy == 0, s0 * exp(d.policy), s0 * exp(d.policy) - 1 + ey.policy)
      row[excess[1].ref] = where(xy.ref == 0, s1 * exp(d.ref), s1 * exp(d.ref) - 1 + ey.ref)
      row[label.policy] = zy.policy
      row[label.ref] = zy.ref
      row[maximum.policy] = m.policy
      row[maximum.ref] = m.ref
      row[moment[policy:0,1;ref:1,0]] = (d.policy * s1 + s2) * exp(d.ref) + xy.policy * ey.ref
      row[moment[policy:1,1]] = (d.policy * s0 + s3) * exp(d.policy) + ey.policy * xy.policy
      row[moment[ref:1,1]] = (d.ref * s1 + s4) * exp(d.ref) + ey.ref * xy.ref
      "
    `);
  });
  it("where it writes a gradient", () => {
    expect(printed(tdpo2()).at(-1)).toMatchInlineSnapshot(`
      "pass write the gradient of policy logits: entries of policy and ref, the label's entry apart
      given c0 = row[gradient[policy+ref].term[0]]
      given c1 = row[gradient[policy+ref].term[1]]
      point m.policy: row[maximum.policy]
      point m.ref: row[maximum.ref]
      write policy: c0 * e.policy + c1 * e.ref
      at the label: row[gradient[policy+ref].label]
      "
    `);
  });
  it("for every built-in", () => {
    for (const { make } of Object.values(builtIns)) {
      for (const text of printed(make())) expect(text).not.toContain("…");
    }
  });
});

type Entry = Readonly<Record<string, number>>;
const lowest = -1e29;

/** A part of a row: points by model, and accumulators by name. */
interface Part {
  readonly points: Entry;
  readonly sums: Readonly<Record<string, number>>;
}

/** Adds up entries about the largest of them. */
function partOf({ models, accumulators }: BlockPass, entries: readonly Entry[]): Part {
  const points = Object.fromEntries(
    models.map((model) => [model, Math.max(lowest, ...entries.map((entry) => entry[model]!))]),
  );
  const adds = entries.map((entry) => {
    const leaves = new Map<Node, number>();
    for (const model of models) {
      leaves.set(meaning.centred(model), entry[model]! - points[model]!);
      leaves.set(meaning.exponential(model), Math.exp(entry[model]! - points[model]!));
    }
    return leaves;
  });
  return {
    points,
    sums: Object.fromEntries(
      accumulators.map(({ name, start, entry }) => [
        name,
        adds.reduce((sum, leaves) => sum + valueOf(entry, leaves), start),
      ]),
    ),
  };
}

/** A part about other points. */
function movedTo({ models, accumulators }: BlockPass, part: Part, points: Entry): Part {
  const leaves = new Map<Node, number>([
    ...accumulators.map(({ holds, name }) => [holds, part.sums[name]!] as const),
    ...models.map(
      (model) => [meaning.shiftOf(model), part.points[model]! - points[model]!] as const,
    ),
  ]);
  const sums = accumulators.map((one) => {
    return [
      one.name,
      valueOf(
        moved(one, () => true, accumulators),
        leaves,
      ),
    ] as const;
  });
  return { points, sums: Object.fromEntries(sums) };
}

function combined(pass: BlockPass, a: Part, b: Part): Part {
  const points = Object.fromEntries(
    pass.models.map((model) => [model, Math.max(a.points[model]!, b.points[model]!)]),
  );
  const [first, second] = [movedTo(pass, a, points), movedTo(pass, b, points)];
  const sums = pass.accumulators.map(({ name }) => [name, first.sums[name]! + second.sums[name]!]);
  return { points, sums: Object.fromEntries(sums) };
}

/** What is left of a row, with the label's entry. */
function leftOf(pass: BlockPass, part: Part, label: Entry): ReadonlyMap<string, number> {
  const leaves = new Map<Node, number>(
    pass.accumulators.map(({ holds, name }) => [holds, part.sums[name]!] as const),
  );
  for (const model of pass.models) {
    const [z, m] = [label[model]!, part.points[model]!];
    const top = Math.max(m, z);
    leaves.set(meaning.maximumOf(model), top);
    leaves.set(meaning.shiftOf(model), m - top);
    leaves.set(meaning.labelOf(model), z);
    leaves.set(meaning.labelCentred(model), z - top);
    leaves.set(meaning.labelExponential(model), Math.exp(z - top));
  }
  return new Map(pass.left.map(({ field, value }) => [field, valueOf(value, leaves)]));
}

/** A field by its definition. */
function byDefinition(spec: FieldOfPass, row: readonly Entry[], label: Entry): number {
  const top = (model: string): number => Math.max(...row.map((entry) => entry[model]!));
  const x = (entry: Entry, model: string): number => entry[model]! - top(model);
  switch (spec.kind) {
    case "maximum":
      return top(spec.model);
    case "label":
      return label[spec.model]!;
    case "excess":
      return row.reduce((sum, entry) => sum + Math.exp(spec.d * x(entry, spec.model)), 0) - 1;
    case "moment":
      return row.reduce(
        (sum, entry) =>
          sum +
          spec.powers.reduce(
            (product, { model, d, k }) =>
              product * Math.exp(d * x(entry, model)) * x(entry, model) ** k,
            1,
          ),
        0,
      );
    case "ties":
      return row.filter((entry) => x(entry, spec.model) === 0).length;
  }
}

describe("a running pass over blocks", () => {
  const passes = [...new Set(["wpo", "tdpo2", "sft", "exo_pair", "mpo", "ld_dpo"])].flatMap(
    (name) => onlineOf(builtIns[name]!.make()),
  );
  const logit = fc.integer({ min: -160, max: 160 }).map((n) => n / 4);
  const entry = fc.record({ policy: logit, ref: logit });

  it("leaves the fields by their definition, however a row is dealt out", () => {
    expect(passes.length).toBeGreaterThan(5);
    const dealt = fc.array(fc.array(entry, { maxLength: 5 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.nat(passes.length - 1), dealt, entry, (which, parts, label) => {
        const pass = passes[which]!;
        const block = onlineBlock(pass);
        const all = parts.map((entries) => partOf(block, entries));
        const whole = all.slice(1).reduce((a, b) => combined(block, b, a), all[0]!);
        const left = leftOf(block, whole, label);
        for (const spec of pass.fields) {
          const right = byDefinition(spec, [...parts.flat(), label], label);
          const given = left.get(fieldKey(spec))!;
          expect(Math.abs(given - right), `${fieldKey(spec)}: ${given} for ${right}`).toBeLessThan(
            1e-11 * Math.max(1, Math.abs(right)),
          );
        }
      }),
    );
  });
});
