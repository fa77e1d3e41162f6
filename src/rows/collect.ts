// What is added up, compared or sorted across tokens or examples: by the lanes of a workgroup together, or by kernels that know
// no formula. These are told which slots they read and write, so that all objectives share them. Partial results have a fixed
// shape, so the same batch gives the same bits in every run.

import { widened } from "../kernel/arithmetic.ts";
import * as k from "../kernel/kernel.ts";
import type { Kernel, Memory, Shared, Statement, Value, Variable } from "../kernel/kernel.ts";
import type { Schedule } from "../schedule/schedule.ts";
import * as at from "./places.ts";
import type { OrderStep, ReduceOp, ReduceStep } from "./steps.ts";

const memory: Memory = { name: "partial", element: { type: "pair", lanes: 1 } };
const u = (name: string): Variable => k.variable(name, "u32");
const pair = (name: string): Variable => k.variable(name, "pair");

/** Two numbers as one, and what changes none. */
export const combine = (op: ReduceOp, a: Value, b: Value): Value =>
  op === "max" ? k.maximum(a, b) : k.plus(a, b);
export const identity = (op: ReduceOp): Value => widened(op === "max" ? k.f32(-3e38) : k.f32(0));

/** What lanes tell each other, of so many numbers each, when `share` of them work on one. */
export const partials = (share: number, lanes: number, numbers: number = 1): readonly Shared[] =>
  share === 1 ? [] : [{ ...memory, length: lanes * Math.min(numbers, atOnce(lanes)) }];

/** Every device gives a workgroup 16,384 bytes, and a pair takes 8. */
const atOnce = (lanes: number): number => Math.max(1, Math.floor(2048 / lanes));

/** Several numbers of `share` neighbouring lanes: each of the lanes adds up some of them, in order, and stores what comes of it. */
export function eachTogether(
  op: ReduceOp,
  totals: readonly Variable[],
  lanes: { readonly all: number; readonly share: number; readonly part: Value },
  isInside: Value,
  store: (position: Value, total: Value) => Statement,
): readonly Statement[] {
  const { all, share, part } = lanes;
  const most = atOnce(all);
  const [which, j, sum] = [u("which"), u("j"), pair("sum")];
  const first = k.plus(k.times(which, k.u32(all)), k.minus(at.lane, part));
  const rounds = Array.from({ length: Math.ceil(totals.length / most) }, (_, i) =>
    totals.slice(i * most, (i + 1) * most),
  );
  return rounds.flatMap((own, round) => [
    // the memory is used again
    ...(round === 0 ? [] : [k.barrier]),
    ...own.map((total, i) => k.assign(k.load(memory, k.plus(k.u32(i * all), at.lane)), total)),
    k.barrier,
    k.when(isInside, [
      k.loop(which, part, k.u32(own.length), k.u32(share), [
        k.varValue(sum, k.load(memory, first)),
        k.loop(j, k.u32(1), unknown(share), k.u32(1), [
          k.assign(sum, combine(op, sum, k.load(memory, k.plus(first, j)))),
        ]),
        store(k.plus(k.u32(round * most), which), sum),
      ]),
    ]),
  ]);
}

/** No vocabulary has 2^31 entries, but a compiler that does not know it leaves a loop as it is. */
const unknown = (count: number): Value => k.plus(k.u32(count), k.infix(at.vocab, ">>", k.u32(31)));

/** The first of `share` neighbouring lanes adds up what each of them has, in order. */
function together(op: ReduceOp, share: number, part: Value, own: Variable): readonly Statement[] {
  if (share === 1) return [];
  const j = u("j");
  return [
    k.assign(k.load(memory, at.lane), own),
    k.barrier,
    k.when(k.infix(part, "==", k.u32(0)), [
      k.loop(j, k.u32(1), unknown(share), k.u32(1), [
        k.assign(own, combine(op, own, k.load(memory, k.plus(at.lane, j)))),
      ]),
    ]),
  ];
}

/** The examples of a slot, from the one of a lane on. */
const overExamples = (
  op: ReduceOp,
  total: Variable,
  slot: Value,
  first: Value,
  step: number,
): Statement =>
  k.loop(at.example, first, at.examples, k.u32(step), [
    k.assign(total, combine(op, total, at.slot(slot, at.example))),
  ]);

/** Adds up, or takes the largest of, what neighbouring slots hold: a workgroup has one, and each lane every so-many-th example. */
export function reduceKernel({ op, nodes }: ReduceStep, { programLanes }: Schedule): Kernel {
  const total = pair("total");
  return {
    name: `row program: ${op === "sum" ? "sums" : "maxima"} over the batch`,
    bindings: at.plainBindings,
    workgroup: programLanes,
    shared: partials(programLanes, programLanes),
    // a line that serves several is known by the first of them
    body: k.about(nodes[0]!, [
      k.varValue(total, identity(op)),
      overExamples(op, total, k.plus(at.from, at.workgroup), at.lane, programLanes),
      ...together(op, programLanes, at.lane, total),
      k.when(k.infix(at.lane, "==", k.u32(0)), [
        k.assign(at.scalar(k.plus(at.to, at.workgroup)), total),
      ]),
    ]),
    grid: "work",
  };
}

/** How many lanes of a workgroup share the examples of each of so many slots. */
export const shareOf = (count: number, lanes: number): number =>
  2 ** Math.max(0, Math.floor(Math.log2(lanes / count)));

/** The same for the slots of several steps, of which a single workgroup makes all; its lanes have the results afterwards. */
export function reduceHere(steps: readonly ReduceStep[], lanes: number): readonly Statement[] {
  const [first] = steps as readonly [ReduceStep];
  const { op, to, nodes } = first;
  const count = steps.reduce((sum, step) => sum + step.count, 0);
  const share = shareOf(count, lanes);
  const [operand, part, total] = [u("operand"), u("part"), pair("total")];
  // slots of one step are neighbours, and the results of all steps are
  let before = 0;
  const runs = steps.map((step) => {
    const run = { from: step.from - before, end: before + step.count };
    before = run.end;
    return run;
  });
  const slot = runs
    .slice(0, -1)
    .reduceRight<Value>(
      (rest, { from, end }) => k.choose(k.infix(operand, "<", k.u32(end)), shifted(from), rest),
      shifted(runs.at(-1)!.from),
    );
  const store = k.assign(at.scalar(k.plus(k.u32(to), operand)), total);
  const isOperand = k.infix(operand, "<", k.u32(count));
  const body =
    share === 1
      ? [
          k.loop(operand, at.lane, k.u32(count), k.u32(lanes), [
            k.varValue(total, identity(op)),
            overExamples(op, total, k.plus(operand, slot), k.u32(0), 1),
            store,
          ]),
        ]
      : [
          k.letValue(operand, k.infix(at.lane, "/", k.u32(share))),
          k.letValue(part, k.infix(at.lane, "%", k.u32(share))),
          k.varValue(total, identity(op)),
          k.when(isOperand, [overExamples(op, total, k.plus(operand, slot), part, share)]),
          ...together(op, share, part, total),
          k.when(k.infix(isOperand, "&&", k.infix(part, "==", k.u32(0))), [store]),
        ];
  return [...k.about(nodes[0]!, body), k.barrier];
}
/** A slot as what is added to the number of an operand, modulo 2^32. */
const shifted = (from: number): Value => k.u32(from >>> 0);

/**
 * The rank of an example is the number of those that come before it: smaller ones, and equal ones with a smaller index.
 * The order is the inverse: each example writes itself where it comes. B² comparisons.
 */
export function orderKernel({ op, node }: OrderStep, { programLanes }: Schedule): Kernel {
  const [mine, other] = [pair("mine"), pair("other")];
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
