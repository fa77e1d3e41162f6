// What every kernel over rows of logits shares: which row a workgroup has, how logits are loaded and made
// finite, and how a loop over the vocabulary is laid out (full unrolled blocks first, then the rest).

import type { ModelName } from "../core/inputs.ts";
import {
  call,
  f32,
  infix,
  letValue,
  load,
  loop,
  maximum,
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
import type { Schedule } from "./schedule.ts";
import { elementType, loadEntry, loadVector, rowsOf, type Layout, type Rows } from "./storage.ts";

/** Stands for −Infinity: its exponential is exactly 0 against any running maximum. */
export const absent = -1e30;
/** Where a running maximum starts: above `absent`, below every usable logit. */
export const lowest = -1e29;
const negativeInfinityBits = u32(0xff800000);
export const infinityBits: Value = u32(0x7f800000);

export const name = (text: string, type: Value["type"] = "f32", lanes: Lanes = 1): Value =>
  value(type, text, lanes);
export const lane: Value = name("lane", "u32");
export const vocab: Value = name("shape.vocab", "u32");
export const tokens: Value = name("shape.tokens", "u32");
export const token: Value = name("token", "u32");
export const label: Value = name("label", "u32");

/** The logits of a model; `isWritten` where the gradient takes their place. */
export const logitsOf = (
  model: ModelName,
  { storage, vector }: Layout,
  isWritten: boolean = false,
): Rows => rowsOf(`logits_${model}`, storage[model], vector, isWritten);
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
 * this pass; a row that another dispatch writes is left alone.
 */
export function openRow(
  models: readonly ModelName[],
  schedule: Schedule,
  unused: readonly Statement[] = [],
): readonly Statement[] {
  const [first, ...others] = models as [ModelName, ...ModelName[]];
  const width = letValue("width", infix(vocab, "/", u32(schedule.vector)));
  return [
    letValue(
      "place",
      plus(times(name("group.y", "u32"), name("window.grid_width", "u32")), name("group.x", "u32")),
    ),
    when(infix(name("place", "u32"), ">=", name("window.rows", "u32")), [{ kind: "return" }]),
    width,
    letValue(
      "token",
      load("token_of", plus(name("window.first_row", "u32"), name("place", "u32")), "u32"),
    ),
    letValue(`base_${first}`, times(name("place", "u32"), name("width", "u32"))),
    ...(unused.length === 0
      ? []
      : [when(infix(token, "==", u32(noToken)), [...unused, { kind: "return" }])]),
    when(infix(token, ">=", u32(otherDispatch)), [{ kind: "return" }]),
    letValue("label", load("labels", token, "u32")),
    ...others.map((model) =>
      letValue(`base_${model}`, times(load(`row_of_${model}`, token, "u32"), name("width", "u32"))),
    ),
  ];
}

/** The bits of the vector of logits at a position of the row. */
export const loadBits = (model: ModelName, at: Value, rows: Rows): Value =>
  loadVector(rows, plus(baseOf(model), at));

export const isNegativeInfinity = (bits: Value): Value =>
  infix(bits, "==", splat(negativeInfinityBits, bits.lanes));

/** The logit, with `absent` for −Infinity; for rows that are known to have no NaN. */
export const finite = (bits: Value): Value => maximum(asReal(bits), splat(f32(absent), bits.lanes));
export const asReal = (bits: Value): Value =>
  value("f32", `bitcast<${bits.lanes === 4 ? "vec4<f32>" : "f32"}>(${bits.code})`, bits.lanes);
export const magnitude = (bits: Value): Value =>
  infix(bits, "&", splat(u32(0x7fffffff), bits.lanes));

/** The bits of one logit of the row, whatever the vector width. */
export const loadOne = (model: ModelName, entry: Value, layout: Layout): Value =>
  loadEntry(logitsOf(model, layout), baseOf(model), entry);

/** Whether the label lies in a vector, by component; `at` is the position of the vector in the row. */
export function isLabelAt(at: Value, schedule: Schedule): Value {
  if (schedule.vector === 1) return infix(at, "==", label);
  const lanes = value("u32", "vec4<u32>(0u, 1u, 2u, 3u)", 4);
  return infix(lanes, "==", splat(minus(label, times(at, u32(4))), 4));
}

/** Blocks whose sums are added up apart, so that no running sum takes more than a few hundred additions. */
const chunkBlocks = 16;

/** The work on a row: on each block of vectors, and before and after each chunk of blocks. */
export interface RowVisit {
  readonly open?: readonly Statement[];
  readonly visit: (positions: readonly Value[], block: Block) => readonly Statement[];
  readonly close?: readonly Statement[];
}

/**
 * Visits every vector of the row once. Blocks of `unroll` vectors per lane come first, in chunks; what is left
 * is visited one vector at a time.
 */
export function overRow(
  schedule: Schedule,
  { open = [], visit, close = [] }: RowVisit,
): readonly Statement[] {
  const { rowLanes, unroll } = schedule;
  const [width, start, at, blocks] = ["width", "start", "at", "blocks"].map((text) =>
    name(text, "u32"),
  ) as [Value, Value, Value, Value];
  const span = rowLanes * unroll;
  const positions = Array.from({ length: unroll }, (_, j) =>
    plus(start, plus(u32(j * rowLanes), lane)),
  );
  const chunk = u32(span * chunkBlocks);
  const wholeBlocks = letValue("blocks", times(infix(width, "/", u32(span)), u32(span)));
  const block = visit(positions, { from: start, span });
  const single = visit([at], { from: at, span: 1 });
  const rest = loop("at", plus(blocks, lane), width, u32(rowLanes), single);
  if (open.length === 0 && close.length === 0) {
    return [wholeBlocks, loop("start", u32(0), blocks, u32(span), block), rest];
  }
  return [
    wholeBlocks,
    loop("chunk", u32(0), blocks, chunk, [
      ...open,
      letValue("chunk_end", call("min", "u32", plus(name("chunk", "u32"), chunk), blocks)),
      loop("start", name("chunk", "u32"), name("chunk_end", "u32"), u32(span), block),
      ...close,
    ]),
    ...open,
    rest,
    ...close,
  ];
}

/** Adds or otherwise combines neighbours first: shorter chains, smaller rounding errors. */
export function tree(values: readonly Value[], combine: (a: Value, b: Value) => Value): Value {
  if (values.length === 1) return values[0]!;
  const middle = Math.ceil(values.length / 2);
  return combine(tree(values.slice(0, middle), combine), tree(values.slice(middle), combine));
}

/** The vectors [from, from + span) of the row: of a whole block, or of a single one. */
export interface Block {
  readonly from: Value;
  readonly span: number;
}

/** The lane that visits the label's vector: each vector of a row is visited by lane (position mod lanes). */
export const labelLane = ({ vector, rowLanes }: Schedule): Value =>
  infix(vector === 4 ? infix(label, "/", u32(4)) : label, "%", u32(rowLanes));

/** Whether the label lies in a block: a cheap test, the same for all lanes of a full block. */
export function labelInBlock(block: Block, schedule: Schedule): Value {
  const place = schedule.vector === 4 ? infix(label, "/", u32(4)) : label;
  return infix(minus(place, block.from), "<", u32(block.span));
}

/** Folds a vector's components with a function of two. */
export function fold(v: Value, combine: (a: Value, b: Value) => Value): Value {
  if (v.lanes === 1) return v;
  const part = (position: number): Value => value(v.type, `${v.code}.${"xyzw"[position]}`);
  return combine(combine(part(0), part(1)), combine(part(2), part(3)));
}
