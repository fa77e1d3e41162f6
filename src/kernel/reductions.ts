// Sums and maxima along tokens and along the batch, in groups: reductions that are ready together share their loops,
// their common parts, and two barriers. (A barrier is dear where a driver compiles one invocation at a time.)
// Partial results have a fixed shape, so the same batch gives the same bits in every run.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import type { Reduce } from "../core/node.ts";
import { widened } from "./arithmetic.ts";
import * as buffers from "./buffer.ts";
import * as k from "./kernel.ts";
import type { Memory, Shared, Statement, Value, Variable } from "./kernel.ts";
import { example, examples, token, type Leaves } from "./leaves.ts";
import type { Schedule } from "../schedule/schedule.ts";

/** Reductions of one kind that are ready in the same stage, in slots one after the other. */
export interface ReductionGroup {
  readonly stage: number;
  readonly along: "tokens" | "batch";
  readonly op: "sum" | "max";
  readonly nodes: readonly Reduce[];
  readonly firstSlot: number;
}

/** Partial results held at once: 8 KiB of workgroup memory. */
const mostPartials = 1024;

/** Workgroup memory for the largest part of any group. */
export function partials(groups: readonly ReductionGroup[], lanes: number): readonly Shared[] {
  const largest = Math.max(
    0,
    ...groups.map(({ nodes }) => Math.min(nodes.length, mostNodes(lanes))),
  );
  return largest === 0 ? [] : [{ ...memory, length: largest * lanes }];
}

const memory: Memory = { name: "partial", element: { type: "pair", lanes: 1 } };
const mostNodes = (lanes: number): number => Math.max(1, Math.floor(mostPartials / lanes));

const { lane } = k;
const u = (name: string): Variable => k.variable(name, "u32");
const [part, first, s, j, base] = [u("part"), u("first"), u("s"), u("j"), u("base")];
const total = k.variable("total", "pair");
const combine = (op: ReductionGroup["op"], a: Value, b: Value): Value =>
  op === "max" ? k.maximum(a, b) : k.plus(a, b);
const identity = (op: ReductionGroup["op"]): Value =>
  widened(op === "max" ? k.f32(-3e38) : k.f32(0));

/** Emits a group, in parts that fit workgroup memory. */
export function reduceGroup(
  group: ReductionGroup,
  at: Leaves,
  { programLanes, tokenLanes }: Schedule,
): readonly Statement[] {
  const most = mostNodes(programLanes);
  const statements: Statement[] = [];
  for (let first = 0; first < group.nodes.length; first += most) {
    const nodes = group.nodes.slice(first, first + most);
    const part = { ...group, nodes, firstSlot: group.firstSlot + first };
    if (first > 0) statements.push(k.barrier);
    const lowered =
      group.along === "tokens"
        ? overTokens(part, at, programLanes, tokenLanes)
        : overBatch(part, at, programLanes);
    // a line that serves several reductions is known by the first of them
    statements.push(...k.about(nodes[0]!, lowered));
  }
  return statements;
}

/** A few lanes share an example; then each of them adds up the parts of some of the reductions. */
function overTokens(
  group: ReductionGroup,
  at: Leaves,
  lanes: number,
  tokenLanes: number,
): readonly Statement[] {
  const { op, nodes } = group;
  const share = k.u32(tokenLanes);
  const sums = nodes.map(() => k.variable("sum", "pair"));
  const responses = [...new Set(nodes.map(({ axis }) => axis))].filter(isTokenAxis);
  const loops = responses.flatMap((axis) => {
    const inner = at.open(group.stage);
    const adds = nodes.flatMap((node, i) =>
      node.axis === axis
        ? k.about(node, [k.assign(sums[i]!, combine(op, sums[i]!, inner.value(node.args[0])))])
        : [],
    );
    const end = u("end");
    const response = responseOf(axis);
    return [
      k.letValue(end, at.endToken(response)),
      k.loop(token, k.plus(at.firstToken(response), part), end, share, [
        ...inner.statements,
        ...adds,
      ]),
    ];
  });
  const slot = k.plus(k.u32(group.firstSlot), s);
  const base = k.plus(k.times(s, k.u32(lanes)), k.minus(lane, part));
  const isExample = k.infix(example, "<", examples);
  // where every lane has an example of its own there is nothing to share and no barrier
  const together =
    tokenLanes === 1
      ? [
          k.when(
            isExample,
            sums.map((sum, i) => at.storeExample(group.firstSlot + i, sum)),
          ),
        ]
      : [
          ...keep(sums, lanes),
          k.barrier,
          k.when(isExample, [
            k.loop(s, part, k.u32(nodes.length), share, [
              ...gather(op, base, tokenLanes),
              k.assign(k.load(buffers.examples, k.plus(k.times(slot, examples), example)), total),
            ]),
          ]),
          k.barrier,
        ];
  return [
    k.loop(first, k.u32(0), examples, k.u32(lanes / tokenLanes), [
      k.letValue(example, k.plus(first, k.infix(lane, "/", share))),
      k.letValue(part, k.infix(lane, "%", share)),
      ...sums.map((sum) => k.varValue(sum, identity(op))),
      k.when(isExample, loops),
      ...together,
    ]),
  ];
}

/** Each lane takes every lanes-th example; then each lane adds up the parts of some of the reductions. */
function overBatch(group: ReductionGroup, at: Leaves, lanes: number): readonly Statement[] {
  const { op, nodes } = group;
  const sums = nodes.map(() => k.variable("sum", "pair"));
  const inner = at.open(group.stage);
  const adds = nodes.flatMap((node, i) =>
    k.about(node, [k.assign(sums[i]!, combine(op, sums[i]!, inner.value(node.args[0])))]),
  );
  const slot = k.plus(k.u32(group.firstSlot), s);
  return [
    ...sums.map((sum) => k.varValue(sum, identity(op))),
    k.loop(example, lane, examples, k.u32(lanes), [...inner.statements, ...adds]),
    ...keep(sums, lanes),
    k.barrier,
    k.loop(s, lane, k.u32(nodes.length), k.u32(lanes), [
      ...gather(op, k.times(s, k.u32(lanes)), lanes),
      k.assign(k.load(buffers.scalars, slot), total),
    ]),
  ];
}

/** Every lane leaves its parts in workgroup memory. */
const keep = (sums: readonly Value[], lanes: number): readonly Statement[] =>
  sums.map((sum, i) => k.assign(k.load(memory, k.plus(k.u32(i * lanes), lane)), sum));

/** Adds up `count` neighbouring parts into `total`. */
function gather(op: ReductionGroup["op"], from: Value, count: number): readonly Statement[] {
  const partAt = (position: Value): Value => k.load(memory, position);
  return [
    k.letValue(base, from),
    k.varValue(total, partAt(base)),
    k.loop(j, k.u32(1), k.u32(count), k.u32(1), [
      k.assign(total, combine(op, total, partAt(k.plus(base, j)))),
    ]),
  ];
}
