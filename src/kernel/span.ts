// The loop over one row of logits: full unrolled blocks of whole vectors first, then what is left, one vector at a time.
// A row that begins or ends inside a vector shares that vector with its neighbours: a pass that only reads visits
// the two shared ones last, with the entries of other rows masked; a pass that writes leaves them to boundary.ts.

import * as k from "./kernel.ts";
import { laneInRow } from "./lanes.ts";
import type { Statement, Value, Variable } from "./kernel.ts";
import * as row from "./row.ts";
import type { Schedule } from "../schedule/schedule.ts";

/** Blocks whose sums are added up apart, so that no running sum takes more than some hundred additions. */
const chunkBlocks = 64;

/** The vectors [from, from + span) of the row: of a whole block, or of a single one. */
export interface Block {
  readonly from: Value;
  readonly span: number;
  /** Whether it is none of the whole blocks, but of what is left. */
  readonly isRest: boolean;
  /** Whether entries of other rows may be among them. */
  readonly shared: boolean;
}

/** The work on a row: on each block of vectors, and before and after each chunk of blocks. */
export interface RowVisit {
  readonly open?: readonly Statement[];
  readonly visit: (positions: readonly Value[], block: Block) => readonly Statement[];
  readonly close?: readonly Statement[];
  /** Whether the vectors that the row shares with others are visited too. */
  readonly shared?: boolean;
  /** Whether a lane visits vectors in pairs, the first and the second one after the other. */
  readonly pairs?: boolean;
}

const { label, vocab, width } = row;
const u = (name: string): Variable => k.variable(name, "u32");
const components: Value = k.vector(k.u32(0), k.u32(1), k.u32(2), k.u32(3));
const [start, at, blocks] = [u("start"), u("at"), u("blocks")];
const [chunkStart, chunkEnd, left] = [u("chunk"), u("chunk_end"), u("left")];

/** The first and the last of the whole blocks that this workgroup has of a split row. */
const [partStart, partEnd, partLength] = [u("part_start"), u("part_end"), u("part_length")];

function bounds({ rowLanes, unroll, split }: Schedule): readonly Statement[] {
  const span = k.u32(rowLanes * unroll);
  const count = k.infix(width, "/", span);
  const whole = k.letValue(blocks, k.times(count, span));
  if (split === 1) return [whole];
  const share = k.infix(k.plus(count, k.u32(split - 1)), "/", k.u32(split));
  const each = k.letValue(partLength, k.times(share, span));
  const least = (v: Value): Value => k.minimum(v, blocks);
  return [
    whole,
    each,
    k.letValue(partStart, least(k.times(row.part, partLength))),
    k.letValue(partEnd, least(k.plus(partStart, partLength))),
  ];
}

/**
 * Visits every vector of the row once, or of this workgroup's part of it. Blocks of `unroll` vectors per lane come first,
 * in chunks; what is left is visited one vector at a time, by the last part.
 */
export function overRow(schedule: Schedule, work: RowVisit): readonly Statement[] {
  const { open = [], visit, close = [] } = work;
  const { rowLanes, unroll, split } = schedule;
  const span = rowLanes * unroll;
  const pairs = work.pairs === true;
  const positions = Array.from({ length: unroll }, (_, j) => placeIn(schedule, pairs, start, j));
  const [first, end] = split === 1 ? [k.u32(0), blocks] : [partStart, partEnd];
  const chunk = k.u32(span * chunkBlocks);
  const block = visit(positions, { from: start, span, isRest: false, shared: false });
  const rest = (work.shared === true && !schedule.aligned ? restAndShared : restOf)(schedule, work);
  const last = split === 1 ? rest : [k.when(k.infix(row.part, "==", k.u32(split - 1)), rest)];
  if (open.length === 0 && close.length === 0) {
    return [...bounds(schedule), k.loop(start, first, end, k.u32(span), block), ...last];
  }
  return [
    ...bounds(schedule),
    k.loop(chunkStart, first, end, chunk, [
      ...open,
      k.letValue(chunkEnd, k.minimum(k.plus(chunkStart, chunk), end)),
      k.loop(start, chunkStart, chunkEnd, k.u32(span), block),
      ...close,
    ]),
    ...open,
    ...last,
    ...close,
  ];
}

/** The j-th vector of this lane in the block from `from`. */
function placeIn(schedule: Schedule, pairs: boolean, from: Value, j: number): Value {
  const { rowLanes } = schedule;
  const lane = laneInRow(schedule);
  if (!pairs) return k.plus(from, k.plus(k.u32(j * rowLanes), lane));
  const pair = k.times(k.plus(k.u32((j >> 1) * rowLanes), lane), k.u32(2));
  return k.plus(from, j % 2 === 0 ? pair : k.plus(pair, k.u32(1)));
}

const restOf = (schedule: Schedule, work: RowVisit): readonly Statement[] =>
  work.pairs === true ? restInPairs(schedule, work) : restInVectors(schedule, work);

const restInPairs = (schedule: Schedule, { visit }: RowVisit): readonly Statement[] => {
  const { rowLanes } = schedule;
  const lane = laneInRow(schedule);
  const step = k.u32(2 * rowLanes);
  const second = k.plus(at, k.u32(1));
  const body = visit([at, second], { from: at, span: 2, isRest: true, shared: false });
  return [k.loop(at, k.plus(blocks, k.times(lane, k.u32(2))), width, step, body)];
};

const restInVectors = (schedule: Schedule, { visit }: RowVisit): readonly Statement[] => [
  k.loop(
    at,
    k.plus(blocks, laneInRow(schedule)),
    width,
    k.u32(schedule.rowLanes),
    visit([at], { from: at, span: 1, isRest: true, shared: false }),
  ),
];

/** Two more vectors: the one after the last whole one, and, as number −1, the one before the first. */
const restAndShared = (schedule: Schedule, { visit }: RowVisit): readonly Statement[] => [
  k.loop(
    left,
    k.plus(blocks, laneInRow(schedule)),
    k.plus(width, k.u32(2)),
    k.u32(schedule.rowLanes),
    [
      k.letValue(at, k.choose(k.infix(left, ">", width), k.u32(0xffffffff), left)),
      // where the row ends at a whole vector there is none of it beyond
      k.when(k.any(isInside(at)), visit([at], { from: at, span: 1, isRest: true, shared: true })),
    ],
  ),
];

/** The number of a vector's first entry in the row, modulo 2^32. */
const firstEntry = (position: Value, { vector, aligned }: Schedule): Value => {
  const whole = vector === 1 ? position : k.times(position, k.u32(4));
  return aligned ? whole : k.plus(whole, row.lead);
};
const shifted = { vector: 4, aligned: false } as Schedule;

/** Which entries of a vector belong to the row, by component. */
export const isInside = (position: Value): Value =>
  k.infix(k.plus(k.splat(firstEntry(position, shifted), 4), components), "<", k.splat(vocab, 4));

/** Whether the label lies in a vector, by component; `position` is the place of the vector in the row. */
export function isLabelAt(position: Value, schedule: Schedule): Value {
  if (schedule.vector === 1) return k.infix(position, "==", label);
  return k.infix(components, "==", k.splat(k.minus(label, firstEntry(position, schedule)), 4));
}

/** Whether the label lies in a block: a cheap test, the same for all lanes of a full block. */
export const labelInBlock = (block: Block, schedule: Schedule): Value =>
  k.infix(
    k.minus(label, firstEntry(block.from, schedule)),
    "<",
    k.u32(block.span * schedule.vector),
  );

/** Whether this lane visits the label's vector: lane (position mod lanes), of the part that has the position. */
export function isLabelsLane(schedule: Schedule, pairs: boolean): Value {
  const entry = schedule.aligned ? label : k.minus(label, row.lead);
  const position = schedule.vector === 4 ? k.infix(entry, "/", k.u32(4)) : entry;
  const visited = pairs ? k.infix(position, "/", k.u32(2)) : position;
  const visitor = k.infix(visited, "%", k.u32(schedule.rowLanes));
  const own = k.infix(visitor, "==", laneInRow(schedule));
  if (schedule.split === 1) return own;
  const both = (a: Value, b: Value): Value => k.infix(a, "&&", b);
  const inBlocks = k.infix(k.minus(position, partStart), "<", k.minus(partEnd, partStart));
  const finishesRow = k.infix(row.part, "==", k.u32(schedule.split - 1));
  const isRest = both(k.infix(position, ">=", blocks), finishesRow);
  return both(own, k.infix(inBlocks, "||", isRest));
}

/** Adds or otherwise combines neighbours first: shorter chains, smaller rounding errors. */
export function tree(values: readonly Value[], combine: (a: Value, b: Value) => Value): Value {
  if (values.length === 1) return values[0]!;
  const middle = Math.ceil(values.length / 2);
  return combine(tree(values.slice(0, middle), combine), tree(values.slice(middle), combine));
}

/** Folds a vector's components with a function of two. */
export function fold(v: Value, combine: (a: Value, b: Value) => Value): Value {
  if (v.lanes === 1) return v;
  const part = (position: number): Value => k.component(v, position);
  return combine(combine(part(0), part(1)), combine(part(2), part(3)));
}
