// The kernels of reductions and orders. They know no formula: a dispatch is told which slots it reads and writes, so that all
// objectives share them. Partial results have a fixed shape, so the same batch gives the same bits in every run.

import { widened } from "../kernel/arithmetic.ts";
import * as k from "../kernel/kernel.ts";
import type { Kernel, Memory, Shared, Statement, Value, Variable } from "../kernel/kernel.ts";
import type { Schedule } from "../schedule/schedule.ts";
import * as at from "./places.ts";
import type { OrderStep, ReduceStep } from "./steps.ts";

type Op = ReduceStep["op"];

const memory: Memory = { name: "partial", element: { type: "pair", lanes: 1 } };
const u = (name: string): Variable => k.variable(name, "u32");
const total = k.variable("total", "pair");
const combine = (op: Op, a: Value, b: Value): Value =>
  op === "max" ? k.maximum(a, b) : k.plus(a, b);
const identity = (op: Op): Value => widened(op === "max" ? k.f32(-3e38) : k.f32(0));

/** Adds up, or takes the largest of, what neighbouring slots hold. */
export function reduceKernel(
  { along, op, nodes }: ReduceStep,
  responses: number,
  schedule: Schedule,
): Kernel {
  const { programLanes } = schedule;
  const share = along === "token" ? schedule.tokenLanes : programLanes;
  const what = op === "sum" ? "sums" : "maxima";
  return {
    name: `row program: ${what} over ${along === "token" ? "tokens" : "the batch"}`,
    bindings: at.plainBindings,
    workgroup: programLanes,
    shared: partials(share, programLanes),
    // a line that serves several is known by the first of them
    body: k.about(
      nodes[0]!,
      along === "token" ? overTokens(op, responses, share, programLanes) : overBatch(op, share),
    ),
    grid: "work",
  };
}

const partials = (share: number, lanes: number): readonly Shared[] =>
  share === 1 ? [] : [{ ...memory, length: lanes }];

/** A few lanes share the tokens of a response of an example. */
function overTokens(op: Op, responses: number, share: number, lanes: number): readonly Statement[] {
  const [place, item, part, end] = [u("place"), u("item"), u("part"), u("end")];
  const items = at.items(responses);
  const isInside = k.infix(k.infix(place, "/", items), "<", at.count);
  const source = at.term(k.plus(at.from, k.infix(place, "/", items)), at.token);
  const result = at.slot(at.to, place);
  return [
    k.letValue(place, k.infix(at.invocation(lanes), "/", k.u32(share))),
    k.letValue(part, k.infix(at.lane, "%", k.u32(share))),
    k.varValue(total, identity(op)),
    k.when(isInside, [
      k.letValue(item, k.infix(place, "%", items)),
      k.letValue(end, at.firstToken(k.plus(item, k.u32(1)))),
      k.loop(at.token, k.plus(at.firstToken(item), part), end, k.u32(share), [
        k.assign(total, combine(op, total, source)),
      ]),
    ]),
    ...together(op, share, part),
    k.when(k.infix(isInside, "&&", k.infix(part, "==", k.u32(0))), [k.assign(result, total)]),
  ];
}

/** A workgroup has one slot; each lane takes every so-many-th example. */
function overBatch(op: Op, lanes: number): readonly Statement[] {
  const source = at.slot(k.plus(at.from, at.workgroup), at.example);
  return [
    k.varValue(total, identity(op)),
    k.loop(at.example, at.lane, at.examples, k.u32(lanes), [
      k.assign(total, combine(op, total, source)),
    ]),
    ...together(op, lanes, at.lane),
    k.when(k.infix(at.lane, "==", k.u32(0)), [
      k.assign(at.scalar(k.plus(at.to, at.workgroup)), total),
    ]),
  ];
}

/** The first of neighbouring lanes adds up their parts, in order. */
function together(op: Op, share: number, part: Value): readonly Statement[] {
  if (share === 1) return [];
  const j = u("j");
  return [
    k.assign(k.load(memory, at.lane), total),
    k.barrier,
    k.when(k.infix(part, "==", k.u32(0)), [
      // no vocabulary has 2^31 entries, but a compiler that does not know it leaves the loop as it is
      k.loop(j, k.u32(1), k.plus(k.u32(share), k.infix(at.vocab, ">>", k.u32(31))), k.u32(1), [
        k.assign(total, combine(op, total, k.load(memory, k.plus(at.lane, j)))),
      ]),
    ]),
  ];
}

/**
 * The rank of an example is the number of those that come before it: smaller ones, and equal ones with a smaller index.
 * The order is the inverse: each example writes itself where it comes. B² comparisons.
 */
export function orderKernel({ op, node }: OrderStep, { programLanes }: Schedule): Kernel {
  const [mine, other] = [k.variable("mine", "pair"), k.variable("other", "pair")];
  const [before, j] = [u("before"), u("j")];
  const smaller = k.infix(other, "<", mine);
  const earlier = k.infix(k.infix(other, "==", mine), "&&", k.infix(j, "<", at.example));
  const store = (position: Value, v: Value): Statement =>
    k.assign(at.slot(at.to, position), at.real(v));
  return {
    name: `row program: ${op === "rank" ? "ranks" : "the order"} of examples`,
    bindings: at.plainBindings,
    workgroup: programLanes,
    shared: [],
    body: k.about(node, [
      k.letValue(at.example, at.invocation(programLanes)),
      k.when(k.infix(at.example, "<", at.examples), [
        k.letValue(mine, at.slot(at.from, at.example)),
        k.varValue(before, k.u32(0)),
        k.loop(j, k.u32(0), at.examples, k.u32(1), [
          k.letValue(other, at.slot(at.from, j)),
          k.when(k.infix(smaller, "||", earlier), [k.assign(before, k.plus(before, k.u32(1)))]),
        ]),
        op === "rank" ? store(at.example, before) : store(before, at.example),
      ]),
    ]),
    grid: "work",
  };
}
