// The memory of a row program, as its kernels see it: which buffers there are, and where in them a value lies.

import { widened } from "../kernel/arithmetic.ts";
import * as buffers from "../kernel/buffer.ts";
import * as k from "../kernel/kernel.ts";
import type { Binding, Load, Value, Variable } from "../kernel/kernel.ts";

export const lane: Value = k.lane;
export const tokens: Value = k.uniform("tokens");
export const vocab: Value = k.uniform("vocab");
export const examples: Value = k.uniform("examples");
export const token: Variable = k.variable("token", "u32");
export const example: Variable = k.variable("example", "u32");
/** The response of an example that a token belongs to, counted example by example within response by response. */
export const owner: Variable = k.variable("owner", "u32");
export const response: Variable = k.variable("response", "u32");
/** The response of an example that the owner of a token of a list belongs to. */
export const outer: Variable = k.variable("outer", "u32");
/** What a step is told: the first slot that it reads, the first that it writes, and how many. */
export const from: Value = k.uniform("work reads");
export const to: Value = k.uniform("work writes");
export const count: Value = k.uniform("work count");
/** Number of this workgroup. */
export const workgroup: Value = k.plus(k.times(k.group.y, k.uniform("work grid width")), k.group.x);
/** Number of this invocation, among workgroups of so many. */
export const invocation = (lanes: number): Value => k.plus(k.times(workgroup, k.u32(lanes)), lane);

export const real = (v: Value): Value => widened(k.convert("f32", v));
/** Memory holds pairs; small whole numbers and truth values fit into them exactly. */
export const inPairs = (v: Value): Value =>
  v.type === "pair" ? v : v.type === "f32" ? widened(v) : real(v);
export const whole = (v: Value): Value => k.convert("i32", v);

/** Responses of examples. */
export const items = (responses: number): Value => k.times(k.u32(responses), examples);
/** The first token of a response of an example; that of the next one is where its tokens end. */
export const firstToken = (item: Value): Value => k.load(buffers.ragged, item);
export const tokensOf = (item: Value): Value =>
  k.minus(firstToken(k.plus(item, k.u32(1))), firstToken(item));
/** The response of an example that a token belongs to; of a token of a list, the row of its response. */
export const ownerOf = (responses: number, row: Value = token): Value =>
  k.load(buffers.ragged, k.plus(k.plus(items(responses), k.u32(1)), row));
/** The first token of a response of a list, by its row; that of the next one is where its tokens end. `first` is the first row. */
export const firstOfList = (responses: number, row: Value, first: Value): Value =>
  k.load(
    buffers.ragged,
    k.plus(k.plus(k.plus(items(responses), k.u32(1)), tokens), k.minus(row, first)),
  );

export const field = (position: number, row: Value = token): Load =>
  k.load(buffers.rows, among(k.u32(position), tokens, row));
export const term = (slot: Value, position: Value): Load =>
  k.load(buffers.terms, among(slot, tokens, position));
export const slot = (position: Value, of: Value): Load =>
  k.load(buffers.examples, among(position, examples, of));
/** An element of the block with a number, of blocks of one length. */
export const among = (block: Value, length: Value, position: Value): Value => {
  const number = block.kind === "literal" ? block.value : null;
  if (number === 0) return position;
  return k.plus(number === 1 ? length : k.times(block, length), position);
};
export const scalar = (position: Value): Load => k.load(buffers.scalars, position);

/** The buffers of the steps that know no formula. */
export const plainBindings: readonly Binding[] = [
  buffers.shapeBinding,
  buffers.workBinding,
  buffers.reads(buffers.ragged),
  buffers.reads(buffers.labels),
  buffers.writes(buffers.rows),
  buffers.writes(buffers.terms),
  buffers.writes(buffers.examples),
  buffers.writes(buffers.scalars),
];
/** Those of maps, which read parameters. */
export const mapBindings = (params: number): readonly Binding[] => [
  ...plainBindings,
  buffers.paramsBinding(params),
];
