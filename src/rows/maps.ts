// The kernels of maps: each invocation computes the values of one token, of one example, or the single ones of the batch. Where
// values are added up along the tokens of a response, a few lanes share these, and each takes every so-many-th.

import { pairs, rounded } from "../kernel/arithmetic.ts";
import { inBlocks } from "../kernel/blocks.ts";
import * as k from "../kernel/kernel.ts";
import type { Kernel, Load, Shared, Statement, Value, Variable } from "../kernel/kernel.ts";
import { scope, type Looped, type Scope } from "../kernel/scalar.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { combine, eachTogether, identity, partials, reduceHere, shareOf } from "./collect.ts";
import { finder, type Finder } from "./leaves.ts";
import * as at from "./places.ts";
import { isNested, partsOfOwner } from "./owners.ts";
import { overOthers } from "./loops.ts";
import { isPairLoop } from "./pairs.ts";
import { hasLists, singlesOf, type RowProgram } from "./program.ts";
import {
  sumsOf,
  type MapStep,
  type Place,
  type ReduceOp,
  type Result,
  type RowSteps,
} from "./steps.ts";

const names = {
  sums: "row program: tokens and their sums",
  token: "row program: tokens",
  example: "row program: examples",
  scalar: "row program: results",
} as const;

export function mapKernel(
  step: MapStep,
  program: RowProgram,
  rows: RowSteps,
  { programLanes, tokenLanes, blockLength }: Schedule,
): Kernel {
  const { over, before } = step;
  const sums = sumsOf(step);
  const totals = new Map(sums.map((result) => [result, k.variable("total", "pair")]));
  const fresh = { next: 0 };
  const scopes = new Map<string, { readonly find: Finder; readonly scope: Scope }>();
  const scopeOf = (first: string): { readonly find: Finder; readonly scope: Scope } => {
    const find = finder(step, first, program, rows);
    const looped: Looped = (node, emit) =>
      isPairLoop(node) ? overOthers(node, find, fresh, emit) : null;
    const made = { find, scope: scope(find.leaf, fresh, pairs, find.elsewhere, looped) };
    scopes.set(first, made);
    return made;
  };
  const stores = step.results.flatMap((result) => {
    const [first = ""] = result.responses;
    const { find, scope: own } = scopes.get(first) ?? scopeOf(first);
    const value = own.value(result.node);
    const total = totals.get(result);
    const assign = k.about(result.node, [
      total === undefined
        ? store(over, result.place, value)
        : k.assign(total, combine(opOf(result), total, at.inPairs(value))),
    ]);
    return find.guarded(result, assign);
  });
  const work = [
    ...[...scopes.values()].flatMap(({ scope: { statements } }) => statements),
    ...stores,
  ];
  const found = new Set([...scopes.values()].flatMap(({ find }) => [...find.used]));
  const lanes = { all: programLanes, share: tokenLanes };
  const body =
    sums.length === 0
      ? opened(step, program, programLanes, found, work)
      : addingUp(totals, program, isNested(step), lanes, found, work);
  const isAlone = over === "scalar" && before.length === 0;
  return {
    name: names[sums.length === 0 ? over : "sums"],
    bindings: at.mapBindings(program.paramVectors),
    workgroup: isAlone ? 1 : programLanes,
    shared: sharedBy(step, lanes),
    body: blockLength === null ? body : inBlocks(body, blockLength),
    grid: "work",
  };
}

/** Finds the token or example of this invocation, and of the token what `used` names. */
function opened(
  step: MapStep,
  program: RowProgram,
  lanes: number,
  used: ReadonlySet<Variable>,
  work: readonly Statement[],
): readonly Statement[] {
  const { over, before } = step;
  if (over === "scalar") {
    if (before.length === 0) return work;
    const ops = [...new Set(before.map(({ op }) => op))];
    return [
      ...ops.flatMap((op) =>
        reduceHere(
          before.filter((one) => one.op === op),
          lanes,
        ),
      ),
      k.when(k.infix(at.lane, "==", k.u32(0)), work),
    ];
  }
  if (over === "example") {
    return [
      k.letValue(at.example, at.invocation(lanes)),
      k.when(k.infix(at.example, "<", at.examples), work),
    ];
  }
  const singles = singlesOf(program);
  const ofLists = at.firstToken(at.items(singles));
  const nested = isNested(step);
  const own = at.invocation(lanes);
  return [
    k.letValue(at.token, nested ? k.plus(ofLists, own) : own),
    k.when(k.infix(at.token, "<", hasLists(program) && !nested ? ofLists : at.tokens), [
      ...(used.size === 0 ? [] : [k.letValue(at.owner, at.ownerOf(singles))]),
      ...partsOfOwner(used, program, nested),
      ...work,
    ]),
  ];
}

interface Lanes {
  /** Of a workgroup. */
  readonly all: number;
  /** Of one response of an example. */
  readonly share: number;
}
const sharedBy = (step: MapStep, { all, share }: Lanes): readonly Shared[] => {
  const sums = sumsOf(step).length;
  if (sums > 0) return partials(share, all, sums);
  const counts = (op: ReduceOp): readonly number[] => {
    const own = step.before.filter((one) => one.op === op).map(({ count }) => count);
    return own.length === 0 ? [] : [own.reduce((sum, count) => sum + count, 0)];
  };
  const shares = [...counts("sum"), ...counts("max")].map((count) => shareOf(count, all));
  return shares.length === 0 ? [] : partials(Math.max(...shares), all);
};

/** Lanes share the tokens of a response of an example, and add up what each of them has. */
function addingUp(
  totals: ReadonlyMap<Result, Variable>,
  program: RowProgram,
  nested: boolean,
  { all, share }: Lanes,
  used: ReadonlySet<Variable>,
  work: readonly Statement[],
): readonly Statement[] {
  const [part, end] = [k.variable("part", "u32"), k.variable("end", "u32")];
  const singles = singlesOf(program);
  const own = share === 1 ? at.invocation(all) : k.infix(at.invocation(all), "/", k.u32(share));
  // the responses of lists are the last rows before the tokens of these
  const firstRow = at.firstToken(
    k.times(k.u32(2 * singles - program.responses.length), at.examples),
  );
  const isInside = nested
    ? k.infix(at.owner, "<", at.firstToken(at.items(singles)))
    : k.infix(at.owner, "<", at.items(singles));
  const startOf = (item: Value): Value =>
    nested ? at.firstOfList(singles, item, firstRow) : at.firstToken(item);
  const first = startOf(at.owner);
  const total = (block: Value): Load =>
    nested ? at.term(block, at.owner) : at.slot(block, at.owner);
  const stores = [...totals].flatMap(([{ node, place }, sum]) =>
    k.about(node, [k.assign(total(k.u32(place.index)), sum)]),
  );
  /** Sums or maxima, whose blocks of slots follow each other. */
  const ofKind = (op: ReduceOp): readonly Statement[] => {
    const own = [...totals].filter(([result]) => opOf(result) === op);
    if (own.length === 0) return [];
    const [[{ node, place }]] = own as [(typeof own)[number]];
    const block = (i: Value): Value =>
      k.plus(k.u32(place.index), nested ? i : k.times(i, k.u32(singles)));
    return k.about(
      node,
      eachTogether(
        op,
        own.map(([, total]) => total),
        { all, share, part },
        isInside,
        (i, sum) => k.assign(total(block(i)), sum),
      ),
    );
  };
  const [sums, maxima] = [ofKind("sum"), ofKind("max")];
  return [
    k.letValue(at.owner, nested ? k.plus(firstRow, own) : own),
    ...(share === 1 ? [] : [k.letValue(part, k.infix(at.lane, "%", k.u32(share)))]),
    ...[...totals].flatMap(([result, total]) =>
      k.about(result.node, [k.varValue(total, identity(opOf(result)))]),
    ),
    k.when(isInside, [
      ...partsOfOwner(used, program, nested),
      k.letValue(end, startOf(k.plus(at.owner, k.u32(1)))),
      k.loop(at.token, share === 1 ? first : k.plus(first, part), end, k.u32(share), work),
    ]),
    ...(share === 1
      ? [k.when(isInside, stores)]
      : [...sums, ...(sums.length > 0 && maxima.length > 0 ? [k.barrier] : []), ...maxima]),
  ];
}

const opOf = ({ place: { kind } }: Result): ReduceOp => (kind === "max" ? "max" : "sum");

function store(over: MapStep["over"], { kind, index }: Place, value: Value): Statement {
  const slot = k.u32(index);
  if (kind === "field") return k.assign(at.field(index), rounded(value));
  if (kind === "term") return k.assign(at.term(slot, at.token), at.inPairs(value));
  const place = over === "scalar" ? at.scalar(slot) : at.slot(slot, at.example);
  return k.assign(place, at.inPairs(value));
}
