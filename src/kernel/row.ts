// What every kernel over rows of logits shares: which row a workgroup has, and how logits are loaded and made finite.
// span.ts lays out the loop over a row. Where the vocabulary is no multiple of four, most rows begin inside a vector:
// `lead` entries come before the first whole one, and the vectors at both ends are shared with the neighbours.

import type { ModelName } from "../core/inputs.ts";
import * as buffers from "./buffer.ts";
import { isRow, mustStay, place, placeRow } from "./lanes.ts";
import * as k from "./kernel.ts";
import { noToken, otherDispatch, type Binding, type Statement, type Value } from "./kernel.ts";
import type { Schedule } from "../schedule/schedule.ts";
import {
  inPairs,
  loadEntry,
  loadVector,
  ofPair,
  pairAt,
  rowsOf,
  type Layout,
  type Rows,
} from "./storage.ts";

const { family, infix, letValue, load, minus, plus, splat, times, u32, variable, when } = k;

/** Stands for −Infinity: its exponential is exactly 0 about any reference point. */
export const absent = -1e30;
const absentBits: Value = u32(new Uint32Array(Float32Array.of(absent).buffer)[0]!);
/** Where a reference point starts: above `absent`, below every usable logit. */
export const lowest = -1e29;
/** 2^96: a logit of this size or more is reported, so that none is taken for what the two above stand for. */
export const reach: number = 2 ** 96;
export const negativeInfinityBits: Value = u32(0xff800000);
export const infinityBits: Value = u32(0x7f800000);

export const vocab: Value = k.uniform("vocab");
export const tokens: Value = k.uniform("tokens");
export const token: k.Variable = variable("token", "u32");
export const label: k.Variable = variable("label", "u32");
const found: k.Variable = variable("found", "u32");
/** Which part of a split row this workgroup has. */
export const part: Value = k.group.z;
/** Entries of the row before its first whole vector. */
export const lead: k.Variable = variable("lead", "u32");
/** Whole vectors of the row. */
export const width: k.Variable = variable("width", "u32");

/** The logits of a model; `isWritten` where the gradient takes their place. */
export const logitsOf = (model: ModelName, layout: Layout, isWritten: boolean = false): Rows =>
  rowsOf(
    `logits_${model}`,
    { kind: "logits", model },
    layout.storage[model]!,
    layout.vector,
    isWritten,
    inPairs(layout),
  );
type OfModel = (model: ModelName) => k.Variable;
/** Where the row of a model begins, in vectors. */
export const baseOf: OfModel = family((model: ModelName) => variable(`base_${model}`, "u32"));
/** Where it begins, in entries. */
export const originOf: OfModel = family((model: ModelName) => variable(`origin_${model}`, "u32"));
/** How many entries into a vector a further model's row begins where the first model's are whole. */
const turnOf = family((model: ModelName) => variable(`turn_${model}`, "u32"));

/** A row field of this workgroup's token. */
export const fieldAt = (position: number): k.Load =>
  load(buffers.rows, plus(times(u32(position), tokens), token));

export function rowBindings(
  models: readonly ModelName[],
  layout: Layout,
  inPlace: boolean = false,
): readonly Binding[] {
  const [first, ...others] = models;
  return [
    buffers.shapeBinding,
    buffers.windowBinding,
    buffers.reads(buffers.tokenOf(first!)),
    buffers.reads(buffers.labels),
    ...models
      .filter((model) => !(inPlace && model === first))
      .map((model) => buffers.reads(logitsOf(model, layout).buffer)),
    ...others.map((model) => buffers.reads(buffers.rowOf(model))),
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
    ...placeRow(schedule),
    when(infix(place, ">=", k.uniform("rows")), [k.leave]),
    ...firstVectors(first, schedule),
    ...before,
    letValue(token, tokenAt(first)),
    ...(unused.length === 0 ? [] : [when(infix(token, "==", u32(noToken)), [...unused, k.leave])]),
    when(infix(token, ">=", u32(otherDispatch)), [k.leave]),
    letValue(label, load(buffers.labels, token)),
    ...others.flatMap((model) => furtherVectors(model, schedule)),
  ];
}

/**
 * The same for lanes that wait for each other: those of a row that belongs to no token of this pass stay, with a row of no
 * entries.
 */
export function openRows(models: readonly ModelName[], schedule: Schedule): readonly Statement[] {
  if (!mustStay(schedule)) return openRow(models, schedule);
  const [first, ...others] = models as [ModelName, ...ModelName[]];
  const isInside = infix(place, "<", k.uniform("rows"));
  return [
    ...placeRow(schedule),
    letValue(found, k.choose(isInside, tokenAt(first), u32(noToken))),
    letValue(isRow, infix(found, "<", u32(otherDispatch))),
    letValue(token, k.choose(isRow, found, u32(0))),
    letValue(label, load(buffers.labels, token)),
    ...firstVectors(first, schedule, (whole) => k.choose(isRow, whole, u32(0))),
    ...others.flatMap((model) => furtherVectors(model, schedule)),
  ];
}

/** The token of the row at `place`, or a marker. */
export const tokenAt = (first: ModelName, at: Value = place): Value =>
  load(buffers.tokenOf(first), plus(k.uniform("first row"), at));
/** Where a further model's row of a token begins, in entries. */
export const originAt = (model: ModelName): Value =>
  times(load(buffers.rowOf(model), token), vocab);

const four = u32(4);

/** Where the first model's row begins, and how many whole vectors it has. */
function firstVectors(
  model: ModelName,
  schedule: Schedule,
  used: (whole: Value) => Value = (whole) => whole,
): readonly Statement[] {
  const [base, origin] = [baseOf(model), originOf(model)];
  if (schedule.aligned) {
    return [
      letValue(width, used(infix(vocab, "/", u32(schedule.vector)))),
      letValue(base, times(place, width)),
    ];
  }
  return [
    letValue(origin, times(place, vocab)),
    letValue(lead, infix(minus(u32(0), origin), "%", four)),
    letValue(base, infix(plus(origin, lead), "/", four)),
    letValue(width, used(infix(minus(vocab, lead), "/", four))),
  ];
}

/** Where a further model's row of this token begins. */
function furtherVectors(model: ModelName, schedule: Schedule): readonly Statement[] {
  const [base, origin] = [baseOf(model), originOf(model)];
  if (schedule.aligned) return [letValue(base, times(load(buffers.rowOf(model), token), width))];
  const begin = plus(origin, lead);
  return [
    letValue(origin, originAt(model)),
    letValue(base, infix(begin, "/", four)),
    letValue(turnOf(model), infix(begin, "%", four)),
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
  return k.call("across", loadVector(rows, position), next, turnOf(model));
}

const pairOf = family((model: ModelName, i: number) => variable(`pair_${model}_${i}`, "u32", 4));

/** The logits of several positions at once: what is loaded first, and the bits of each vector. */
export function loadBlock(
  models: readonly ModelName[],
  positions: readonly Value[],
  layout: Layout,
  rowsOfModel: (model: ModelName) => Rows = (model) => logitsOf(model, layout),
): { readonly loads: readonly Statement[]; readonly bits: (model: ModelName, j: number) => Value } {
  if (inPairs(layout) && positions.length > 1)
    return {
      loads: models.flatMap((model) =>
        positions.flatMap((at, j) =>
          j % 2 === 1
            ? []
            : [
                letValue(
                  pairOf(model, j >> 1),
                  pairAt(rowsOfModel(model), plus(baseOf(model), at)),
                ),
              ],
        ),
      ),
      bits: (model, j) => ofPair(rowsOfModel(model), pairOf(model, j >> 1), j % 2 === 1 ? 1 : 0),
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
 * The logit, with `absent` for −Infinity; for rows that are known to have no NaN. As whole numbers,
 * the bits of negative floats exceed those of positive ones, and grow with the magnitude. So a minimum of whole numbers raises
 * −Infinity to `absent`. It is one operation; a minimum of floats takes three.
 */
export const finite = (bits: Value): Value =>
  asReal(k.minimum(bits, splat(absentBits, bits.lanes)));
export const asReal = (bits: Value): Value => k.bits("f32", bits);
/** The bits of f32 values. */
export const bitsOf = (v: Value): Value => k.bits("u32", v);
export const magnitude = (bits: Value): Value =>
  infix(bits, "&", splat(u32(0x7fffffff), bits.lanes));

/** The bits of one logit of the row, whatever the vector width. */
export const loadOne = (
  model: ModelName,
  entry: Value,
  layout: Layout,
  rows: Rows = logitsOf(model, layout),
  origin: Value = originOf(model),
): Value =>
  layout.aligned
    ? loadEntry(rows, baseOf(model), entry)
    : loadEntry(rows, u32(0), plus(origin, entry));
