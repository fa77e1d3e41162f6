// What every kernel over rows of logits shares: which row a workgroup has, and how logits are loaded and made finite.
// span.ts lays out the loop over a row. Where the vocabulary is no multiple of four, most rows begin inside a vector:
// `lead` entries come before the first whole one, and the vectors at both ends are shared with the neighbours.

import type { ModelName } from "../core/inputs.ts";
import {
  call,
  infix,
  letValue,
  load,
  minus,
  noToken,
  otherDispatch,
  plus,
  splat,
  times,
  u32,
  value,
  when,
  type Binding,
  type Lanes,
  type Statement,
  type Value,
} from "./kernel.ts";
import type { Schedule } from "../schedule/schedule.ts";
import {
  elementType,
  inPairs,
  loadEntry,
  loadVector,
  ofPair,
  pairAt,
  rowsOf,
  type Layout,
  type Rows,
} from "./storage.ts";

/** Stands for −Infinity: its exponential is exactly 0 against any running maximum. */
export const absent = -1e30;
const absentBits: Value = u32(new Uint32Array(Float32Array.of(absent).buffer)[0]!);
/** Where a running maximum starts: above `absent`, below every usable logit. */
export const lowest = -1e29;
/** 2^96: a logit of this size or more is reported, so that none is taken for what the two above stand for. */
export const reach: number = 2 ** 96;
const negativeInfinityBits = u32(0xff800000);
export const infinityBits: Value = u32(0x7f800000);

export const name = (text: string, type: Value["type"] = "f32", lanes: Lanes = 1): Value =>
  value(type, text, lanes);
export const lane: Value = name("lane", "u32");
export const vocab: Value = name("shape.vocab", "u32");
export const tokens: Value = name("shape.tokens", "u32");
export const token: Value = name("token", "u32");
export const label: Value = name("label", "u32");
/** Which part of a split row this workgroup has. */
export const part: Value = name("group.z", "u32");
export const place: Value = name("place", "u32");
/** Entries of the row before its first whole vector. */
export const lead: Value = name("lead", "u32");

/** The logits of a model; `isWritten` where the gradient takes their place. */
export const logitsOf = (model: ModelName, layout: Layout, isWritten: boolean = false): Rows =>
  rowsOf(`logits_${model}`, layout.storage[model], layout.vector, isWritten, inPairs(layout));
/** Where the row of a model begins, in vectors. */
export const baseOf = (model: ModelName): Value => name(`base_${model}`, "u32");

/** Index of a row field of this workgroup's token. */
export const fieldAt = (position: number): Value => plus(times(u32(position), tokens), token);

export function rowBindings(
  models: readonly ModelName[],
  layout: Layout,
  inPlace: boolean = false,
): readonly Binding[] {
  const [first, ...others] = models;
  return [
    { name: "shape", role: { kind: "shape" }, access: "uniform", type: "Shape" },
    { name: "window", role: { kind: "window" }, access: "uniform", type: "Window" },
    { name: "token_of", role: { kind: "tokenOf", model: first! }, access: "read", type: "u32" },
    { name: "labels", role: { kind: "labels" }, access: "read", type: "u32" },
    ...models
      .filter((model) => !(inPlace && model === first))
      .map((model): Binding => {
        const rows = logitsOf(model, layout);
        const role = { kind: "logits", model } as const;
        return { name: rows.buffer, role, access: "read", type: elementType(rows) };
      }),
    ...others.map((model): Binding => ({
      name: `row_of_${model}`,
      role: { kind: "rowOf", model },
      access: "read",
      type: "u32",
    })),
  ];
}

/**
 * Finds this workgroup's row and its token. `unused` runs when the row belongs to no completion token of
 * this pass; a row that another dispatch writes is left alone. `before` runs for every row.
 */
export function openRow(
  models: readonly ModelName[],
  schedule: Schedule,
  unused: readonly Statement[] = [],
  before: readonly Statement[] = [],
): readonly Statement[] {
  const [first, ...others] = models as [ModelName, ...ModelName[]];
  return [
    letValue(
      "place",
      plus(times(name("group.y", "u32"), name("window.grid_width", "u32")), name("group.x", "u32")),
    ),
    when(infix(place, ">=", name("window.rows", "u32")), [{ kind: "return" }]),
    ...firstVectors(first, schedule),
    ...before,
    letValue("token", load("token_of", plus(name("window.first_row", "u32"), place), "u32")),
    ...(unused.length === 0
      ? []
      : [when(infix(token, "==", u32(noToken)), [...unused, { kind: "return" }])]),
    when(infix(token, ">=", u32(otherDispatch)), [{ kind: "return" }]),
    letValue("label", load("labels", token, "u32")),
    ...others.flatMap((model) => furtherVectors(model, schedule)),
  ];
}

const origin = (model: ModelName): Value => name(`origin_${model}`, "u32");
const four = u32(4);

/** Where the first model's row begins, and how many whole vectors it has. */
function firstVectors(model: ModelName, schedule: Schedule): readonly Statement[] {
  const width = name("width", "u32");
  if (schedule.aligned) {
    return [
      letValue("width", infix(vocab, "/", u32(schedule.vector))),
      letValue(baseOf(model).code, times(place, width)),
    ];
  }
  return [
    letValue(origin(model).code, times(place, vocab)),
    letValue("lead", infix(minus(u32(0), origin(model)), "%", four)),
    letValue(baseOf(model).code, infix(plus(origin(model), lead), "/", four)),
    letValue("width", infix(minus(vocab, lead), "/", four)),
  ];
}

/** Where a further model's row of this token begins: `turn` entries into a vector where the first model's are whole. */
function furtherVectors(model: ModelName, schedule: Schedule): readonly Statement[] {
  const row = load(`row_of_${model}`, token, "u32");
  if (schedule.aligned) return [letValue(baseOf(model).code, times(row, name("width", "u32")))];
  const begin = plus(origin(model), lead);
  return [
    letValue(origin(model).code, times(row, vocab)),
    letValue(baseOf(model).code, infix(begin, "/", four)),
    letValue(`turn_${model}`, infix(begin, "%", four)),
  ];
}

/** The bits of the vector of logits at a position of the first model's row. */
export function loadBits(
  model: ModelName,
  at: Value,
  rows: Rows,
  { aligned }: Schedule,
  isFirst: boolean,
): Value {
  const position = plus(baseOf(model), at);
  if (aligned || isFirst) return loadVector(rows, position);
  // the same entries of another row may lie across two vectors
  const next = loadVector(rows, plus(position, u32(1)));
  return call("across", "u32", loadVector(rows, position), next, name(`turn_${model}`, "u32"));
}

/** The logits of several positions at once: what is loaded first, and the bits of each vector. */
export function loadBlock(
  models: readonly ModelName[],
  positions: readonly Value[],
  layout: Layout,
  rowsOfModel: (model: ModelName) => Rows = (model) => logitsOf(model, layout),
): { readonly loads: readonly Statement[]; readonly bits: (model: ModelName, j: number) => Value } {
  const pair = (model: ModelName, j: number): Value => name(`pair_${model}_${j >> 1}`, "u32", 4);
  if (inPairs(layout) && positions.length > 1)
    return {
      loads: models.flatMap((model) =>
        positions.flatMap((at, j) =>
          j % 2 === 1
            ? []
            : [letValue(pair(model, j).code, pairAt(rowsOfModel(model), plus(baseOf(model), at)))],
        ),
      ),
      bits: (model, j) => ofPair(rowsOfModel(model), pair(model, j), j % 2 === 1 ? 1 : 0),
    };
  return {
    loads: [],
    bits: (model, j) =>
      loadBits(model, positions[j]!, rowsOfModel(model), layout, model === models[0]),
  };
}

export const isNegativeInfinity = (bits: Value): Value =>
  infix(bits, "==", splat(negativeInfinityBits, bits.lanes));

/**
 * The logit, with `absent` for −Infinity; for rows that are known to have no NaN. The bits of negative numbers grow with their
 * size, beyond those of all others, so a minimum of whole numbers does it: one operation where that of floats takes three.
 */
export const finite = (bits: Value): Value =>
  asReal(call("min", "u32", bits, splat(absentBits, bits.lanes)));
export const asReal = (bits: Value): Value =>
  value("f32", `bitcast<${bits.lanes === 4 ? "vec4<f32>" : "f32"}>(${bits.code})`, bits.lanes);
/** The bits of f32 values. */
export const bitsOf = (v: Value): Value =>
  value("u32", `bitcast<${v.lanes === 4 ? "vec4<u32>" : "u32"}>(${v.code})`, v.lanes);
export const magnitude = (bits: Value): Value =>
  infix(bits, "&", splat(u32(0x7fffffff), bits.lanes));

/** The bits of one logit of the row, whatever the vector width. */
export const loadOne = (
  model: ModelName,
  entry: Value,
  layout: Layout,
  rows: Rows = logitsOf(model, layout),
): Value =>
  layout.aligned
    ? loadEntry(rows, baseOf(model), entry)
    : loadEntry(rows, u32(0), plus(origin(model), entry));
