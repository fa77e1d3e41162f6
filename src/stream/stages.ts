// The stage level: which passes over the vocabulary there are, which fields each leaves, what the row
// programs between them compute, and how the gradient is written. Equal work of different responses is
// stacked: a pass names models, never responses' own expressions, and every completion token is one row.

import type { ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import type { Derivation, DerivedForm } from "./derive.ts";
import { maximumKey } from "./exact.ts";
import { fieldKey, modelsOf, type FieldOfPass, type ModelPower } from "./fields.ts";
import { gradientPasses } from "./gradients.ts";

/** A value per completion token, kept between kernels. */
export type RowField = string;

/** One running pass over [rows, vocab] of its models. */
export interface OnlinePass {
  readonly kind: "online";
  readonly round: 1;
  readonly models: readonly ModelName[];
  /** Models whose maxima are asked for; those of the others are only reference points, and may be near the maximum instead. */
  readonly exact: readonly ModelName[];
  readonly responses: readonly string[];
  readonly fields: readonly FieldOfPass[];
  readonly sources: readonly Node[];
}
/** A pass whose summand needs results of earlier passes: the algebra could not make it a running one. */
export interface TotalPass {
  readonly kind: "total";
  readonly round: number;
  readonly models: readonly ModelName[];
  readonly responses: readonly string[];
  readonly index: number;
  readonly op: "sum" | "max";
  /** Over `z.MODEL`, `slot.I` and `label`; slot I is the row field `slots[I]`. */
  readonly body: Node;
  readonly slots: readonly RowField[];
  readonly sources: readonly Node[];
}
/** One term of the gradient of a row: slot · Π e^{d·x} x^k · factors. */
export interface GradientTerm {
  readonly slot: RowField;
  readonly powers: readonly ModelPower[];
  /** Models whose entry must be maximal for the term to count. */
  readonly maximal: readonly ModelName[];
  /** Factors outside the normal form, over `z.MODEL`, `slot.I`, `label`. */
  readonly opaque: readonly Node[];
}
/** The last pass: reads the logits again and writes the gradient of one model's logits. */
export interface GradientPass {
  readonly kind: "gradient";
  readonly of: ModelName;
  readonly models: readonly ModelName[];
  readonly responses: readonly string[];
  readonly terms: readonly GradientTerm[];
  readonly atLabel: RowField;
  readonly opaqueSlots: readonly RowField[];
}
/** Writes one value per completion token of a response. */
export interface RowOutput {
  readonly field: RowField;
  readonly response: string;
  readonly node: Node;
}
export interface Stages {
  readonly passes: readonly (OnlinePass | TotalPass)[];
  /** What must be computed after each round of passes, by round. */
  readonly outputs: ReadonlyMap<number, readonly RowOutput[]>;
  readonly gradients: readonly GradientPass[];
  readonly lastRound: number;
}

/** The gradient of one logits input, in normal form. */
export interface LogitsGradient {
  readonly model: ModelName;
  readonly response: string;
  readonly form: DerivedForm;
}

/** @param fused whether fields of one model share a read of its logits; otherwise each field has a pass of its own */
export function stages(
  derivation: Derivation,
  gradients: readonly LogitsGradient[],
  fused: boolean = true,
): Stages {
  const outputs = new Map<number, RowOutput[]>();
  const rounds = roundsOf(derivation);
  const online = onlinePasses(derivation);
  const passes = [
    ...(fused ? online : online.flatMap(apart)),
    ...totalPasses(derivation, rounds, outputs),
  ];
  const lastRound = passes.reduce((last, pass) => Math.max(last, pass.round), 1);
  const finals = outputs.get(lastRound) ?? [];
  outputs.set(lastRound, finals);
  return { passes, outputs, gradients: gradientPasses(gradients, finals), lastRound };
}

/** The round after which a total is known: one more than what its slots need. */
function roundsOf(derivation: Derivation): ReadonlyMap<number, number> {
  const rounds = new Map<number, number>();
  // totals are listed in the order of discovery, so what a total needs stands before it
  for (const total of derivation.totals) {
    const needs = topological(total.skeleton.slots).map((node) => {
      const spec = derivation.fields.get(node)?.spec;
      return spec?.kind === "total" ? (rounds.get(spec.index) ?? 1) : 1;
    });
    rounds.set(total.index, Math.max(rounds.get(total.index) ?? 0, 1 + Math.max(1, ...needs)));
  }
  return rounds;
}

function onlinePasses(derivation: Derivation): readonly OnlinePass[] {
  // per response, models that meet in one moment must be read in one loop
  const byModels = new Map<
    string,
    {
      models: readonly ModelName[];
      responses: Set<string>;
      fields: Map<string, FieldOfPass>;
      sources: Set<Node>;
    }
  >();
  const responses = [
    ...new Set([...derivation.fields.values()].map((use) => use.response)),
  ].toSorted();
  for (const response of responses) {
    const uses = [...derivation.fields.values()].flatMap(({ spec, sources, ...use }) =>
      use.response === response && spec.kind !== "total" ? [{ spec, sources }] : [],
    );
    let groups: ModelName[][] = [];
    for (const use of uses) {
      const models = modelsOf(use.spec);
      const touching = groups.filter((group) => group.some((model) => models.includes(model)));
      groups = [
        ...groups.filter((group) => !touching.includes(group)),
        [...new Set([...touching.flat(), ...models])].toSorted(),
      ];
    }
    for (const models of groups) {
      const key = models.join("+");
      const pass = byModels.get(key) ?? {
        models,
        responses: new Set<string>(),
        fields: new Map<string, FieldOfPass>(),
        sources: new Set<Node>(),
      };
      byModels.set(key, pass);
      pass.responses.add(response);
      for (const use of uses.filter(({ spec }) =>
        modelsOf(spec).some((model) => models.includes(model)),
      )) {
        pass.fields.set(fieldKey(use.spec), use.spec);
        for (const lower of shiftedWith(use.spec)) pass.fields.set(fieldKey(lower), lower);
        for (const source of use.sources) pass.sources.add(source);
      }
    }
  }
  return [...byModels.values()]
    .toSorted((a, b) => (a.models.join() < b.models.join() ? -1 : 1))
    .map(({ models, responses: stacked, fields, sources }) => ({
      kind: "online",
      round: 1,
      models,
      exact: models.filter((model) =>
        [...stacked].some((response) => derivation.exact.has(maximumKey({ model, response }))),
      ),
      responses: [...stacked],
      fields: [...fields.entries()]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([, spec]) => spec),
      sources: [...sources],
    }));
}

/** A read of the logits for each response and field. */
const apart = (pass: OnlinePass): readonly OnlinePass[] =>
  pass.responses.flatMap((response) =>
    pass.fields.map((spec) => ({
      ...pass,
      responses: [response],
      fields: [
        ...new Map([...shiftedWith(spec), spec].map((own) => [fieldKey(own), own])).values(),
      ],
    })),
  );

/** Every field of a model needs that model's reference point. */
function shiftedWith(spec: FieldOfPass): readonly FieldOfPass[] {
  return modelsOf(spec).map((model) => ({ kind: "maximum", model }));
}

function totalPasses(
  derivation: Derivation,
  rounds: ReadonlyMap<number, number>,
  outputs: Map<number, RowOutput[]>,
): readonly TotalPass[] {
  const passes = new Map<number, TotalPass>();
  for (const { index, op, response, skeleton, source } of derivation.totals) {
    const round = rounds.get(index)!;
    const known = passes.get(index);
    const slots = skeleton.slots.map((_, position) => `total[${index}].slot[${position}]`);
    skeleton.slots.forEach((node, position) => {
      const list = outputs.get(round - 1) ?? [];
      list.push({ field: slots[position]!, response, node });
      outputs.set(round - 1, list);
    });
    passes.set(index, {
      kind: "total",
      round,
      models: skeleton.models,
      responses: [...(known?.responses ?? []), response],
      index,
      op,
      body: skeleton.body,
      slots,
      sources: [...(known?.sources ?? []), source],
    });
  }
  return [...passes.values()].toSorted((a, b) => a.round - b.round || a.index - b.index);
}
