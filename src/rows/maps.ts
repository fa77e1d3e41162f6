// The kernels of maps: each invocation computes the values of one token, of one example, or the single ones of the batch.

import { pairs, rounded, widened } from "../kernel/arithmetic.ts";
import { inBlocks } from "../kernel/blocks.ts";
import * as k from "../kernel/kernel.ts";
import type { Kernel, Statement, Value, Variable } from "../kernel/kernel.ts";
import { scope, type Scope } from "../kernel/scalar.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { finder, type Finder } from "./leaves.ts";
import * as at from "./places.ts";
import type { RowProgram } from "./program.ts";
import type { MapStep, Place, RowSteps } from "./steps.ts";

const names = {
  token: "row program: tokens",
  example: "row program: examples",
  scalar: "row program: results",
} as const;

export function mapKernel(
  step: MapStep,
  program: RowProgram,
  rows: RowSteps,
  { programLanes, blockLength }: Schedule,
): Kernel {
  const { over } = step;
  const fresh = { next: 0 };
  const scopes = new Map<string, { readonly find: Finder; readonly scope: Scope }>();
  const scopeOf = (first: string): { readonly find: Finder; readonly scope: Scope } => {
    const find = finder(step, first, program, rows);
    const made = { find, scope: scope(find.leaf, fresh, pairs, find.elsewhere) };
    scopes.set(first, made);
    return made;
  };
  const stores = step.results.flatMap((result) => {
    const [first = ""] = result.responses;
    const { find, scope: own } = scopes.get(first) ?? scopeOf(first);
    const value = own.value(result.node);
    const assign = k.about(result.node, [store(over, result.place, value)]);
    return find.guarded(result, assign);
  });
  const work = [
    ...[...scopes.values()].flatMap(({ scope: { statements } }) => statements),
    ...stores,
  ];
  const found = new Set([...scopes.values()].flatMap(({ find }) => [...find.used]));
  const body = opened(step, program, programLanes, found, work);
  return {
    name: names[over],
    bindings: at.mapBindings(program.paramVectors),
    workgroup: over === "scalar" ? 1 : programLanes,
    shared: [],
    body: blockLength === null ? body : inBlocks(body, blockLength),
    grid: "work",
  };
}

/** Finds the token or example of this invocation, and of the token what `used` names. */
function opened(
  { over }: MapStep,
  { responses }: RowProgram,
  lanes: number,
  used: ReadonlySet<Variable>,
  work: readonly Statement[],
): readonly Statement[] {
  if (over === "scalar") return work;
  if (over === "example") {
    return [
      k.letValue(at.example, at.invocation(lanes)),
      k.when(k.infix(at.example, "<", at.examples), work),
    ];
  }
  const parts: readonly (readonly [Variable, Value])[] = [
    [at.owner, at.ownerOf(responses.length)],
    [at.example, k.infix(at.owner, "%", at.examples)],
    [at.response, k.infix(at.owner, "/", at.examples)],
  ];
  const wanted = parts.filter(([part]) => used.has(part) || (part === at.owner && used.size > 0));
  return [
    k.letValue(at.token, at.invocation(lanes)),
    k.when(k.infix(at.token, "<", at.tokens), [
      ...wanted.map(([part, value]) => k.letValue(part, value)),
      ...work,
    ]),
  ];
}

function store(over: MapStep["over"], { kind, index }: Place, value: Value): Statement {
  const slot = k.u32(index);
  if (kind === "field") return k.assign(at.field(index), rounded(value));
  if (kind === "term") return k.assign(at.term(slot, at.token), inPairs(value));
  const place = over === "scalar" ? at.scalar(slot) : at.slot(slot, at.example);
  return k.assign(place, inPairs(value));
}

/** Memory holds pairs; small whole numbers and truth values fit into them exactly. */
const inPairs = (v: Value): Value =>
  v.type === "pair" ? v : v.type === "f32" ? widened(v) : at.real(v);
