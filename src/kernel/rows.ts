// The row program: everything between two passes over the vocabulary. One workgroup runs all of it, stage by
// stage (program.ts), with a barrier between stages; sums use partial sums of fixed shape, so results are the
// same in every run. What leaves the program is computed after the last stage.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import type { Reduce, Sort } from "../core/node.ts";
import * as k from "./kernel.ts";
import type { Binding, Kernel, Statement, Value } from "./kernel.ts";
import { example, examples, leaves, token, type Leaves } from "./leaves.ts";
import {
  analyse,
  isCollective,
  spaceOf,
  type Analysis,
  type RowProgram,
  type TokenOutput,
} from "./program.ts";
import { lane, name } from "./row.ts";
import type { Schedule } from "./schedule.ts";

export interface LoweredRows {
  readonly kernel: Kernel;
  readonly exampleSlots: number;
  readonly scalarSlots: number;
}

/** Lanes that share the tokens of one example. */
const tokenLanes = 16;

export function rowsKernel(program: RowProgram, schedule: Schedule): LoweredRows {
  const analysis = analyse(program);
  const at = leaves(program, analysis);
  const lanes = schedule.programLanes;
  const body: Statement[] = [];
  for (let stage = 0; stage < analysis.stages; stage++) {
    for (const node of analysis.collectives) {
      if (analysis.stageOf(node) !== stage) continue;
      if (node.tag === "sort") body.push(ordered(node, at, analysis.slotOf(node), lanes));
      else {
        const make = node.axis === "batch" ? overBatch : overTokens;
        body.push(...make(node, stage, at, analysis, lanes));
      }
    }
    body.push(...keptExamples(stage, at, analysis, lanes), k.barrier);
  }
  body.push(...outputs(program, analysis.stages, at, lanes));
  const kernel: Kernel = {
    name: "row program",
    bindings: bindingsOf(program),
    workgroup: lanes,
    shared: [{ name: "partial", type: "f32", length: lanes }],
    body,
    grid: "single",
  };
  return { kernel, exampleSlots: analysis.exampleSlots, scalarSlots: analysis.scalarSlots };
}

const combine = ({ op }: Reduce, a: Value, b: Value): Value =>
  op === "max" ? k.maximum(a, b) : k.plus(a, b);
const identity = ({ op }: Reduce): Value => (op === "max" ? k.f32(-3e38) : k.f32(0));
const partial = (position: Value): Value => k.load("partial", position, "f32");
const u = (text: string): Value => name(text, "u32");

/** Σ or max over the tokens of each example: a few lanes share an example, then one adds their parts. */
function overTokens(
  node: Reduce,
  stage: number,
  at: Leaves,
  analysis: Analysis,
  lanes: number,
): readonly Statement[] {
  const response = isTokenAxis(node.axis)
    ? responseOf(node.axis)
    : fail("kernel-axis", `A row program cannot reduce along ${node.axis}.`);
  const inner = at.open(stage);
  const term = inner.value(node.args[0]);
  const share = k.u32(tokenLanes);
  const sum = name("sum");
  const add = (other: Value): Statement => k.assign("sum", combine(node, sum, other));
  return [
    k.loop("first", k.u32(0), examples, k.u32(lanes / tokenLanes), [
      k.letValue("example", k.plus(u("first"), k.infix(lane, "/", share))),
      k.letValue("part", k.infix(lane, "%", share)),
      k.varValue("sum", identity(node)),
      k.when(k.infix(example, "<", examples), [
        k.letValue("end", at.endToken(response)),
        k.loop("token", k.plus(at.firstToken(response), u("part")), u("end"), share, [
          ...inner.statements,
          add(term),
        ]),
      ]),
      k.assign("partial[lane]", sum),
      k.barrier,
      k.when(k.value("bool", "part == 0u && example < shape.examples"), [
        k.loop("j", k.plus(lane, k.u32(1)), k.plus(lane, share), k.u32(1), [add(partial(u("j")))]),
        at.storeExample(analysis.slotOf(node), sum),
      ]),
      k.barrier,
    ]),
  ];
}

/** Σ or max over the batch: each lane takes every lanes-th example, then lane 0 adds the parts. */
function overBatch(
  node: Reduce,
  stage: number,
  at: Leaves,
  analysis: Analysis,
  lanes: number,
): readonly Statement[] {
  const inner = at.open(stage);
  const term = inner.value(node.args[0]);
  const total = name(at.fresh("total"));
  const add = (other: Value): Statement => k.assign(total.code, combine(node, total, other));
  return [
    k.varValue(total.code, identity(node)),
    k.loop("example", lane, examples, k.u32(lanes), [...inner.statements, add(term)]),
    k.assign("partial[lane]", total),
    k.barrier,
    k.when(k.infix(lane, "==", k.u32(0)), [
      k.loop("j", k.u32(1), k.u32(lanes), k.u32(1), [add(partial(u("j")))]),
      k.assign(`scalars[${analysis.slotOf(node)}]`, total),
    ]),
    k.barrier,
  ];
}

/**
 * The rank of an example is the number of those that come before it: smaller ones, and equal ones with a smaller index.
 * The order is the inverse: each example writes itself where it comes. B² comparisons, shared by all lanes.
 */
function ordered(node: Sort, at: Leaves, slot: number, lanes: number): Statement {
  const [operand] = node.args;
  // where the operand is the same for all examples, any number serves
  const value = (position: Value): Value =>
    spaceOf(operand) === "example" ? at.load(operand, position) : k.f32(0);
  const [mine, other, before, j] = [name("mine"), name("other"), u("before"), u("j")];
  const smaller = k.infix(other, "<", mine);
  const earlier = k.infix(k.infix(other, "==", mine), "&&", k.infix(j, "<", example));
  return k.loop("example", lane, examples, k.u32(lanes), [
    k.letValue("mine", value(example)),
    k.varValue("before", k.u32(0)),
    k.loop("j", k.u32(0), examples, k.u32(1), [
      k.letValue("other", value(j)),
      k.when(k.infix(smaller, "||", earlier), [k.assign("before", k.plus(before, k.u32(1)))]),
    ]),
    node.op === "rank" ? at.storeExample(slot, before) : at.storeExample(slot, example, before),
  ]);
}

/** Values per example that tokens or other examples need later. */
function keptExamples(
  stage: number,
  at: Leaves,
  analysis: Analysis,
  lanes: number,
): readonly Statement[] {
  const kept = [...analysis.stored].filter(
    (node) =>
      !isCollective(node) && spaceOf(node) === "example" && analysis.stageOf(node) === stage,
  );
  const inner = at.open(stage);
  const stores = kept.map((node) => at.storeExample(analysis.slotOf(node), inner.value(node)));
  if (stores.length === 0) return [];
  return [k.loop("example", lane, examples, k.u32(lanes), [...inner.statements, ...stores])];
}

/** What leaves the program, when everything it needs is stored. */
function outputs(
  program: RowProgram,
  stage: number,
  at: Leaves,
  lanes: number,
): readonly Statement[] {
  const body: Statement[] = [];
  for (const response of new Set(program.tokenOutputs.map((output) => output.response))) {
    const own = program.tokenOutputs.filter((output) => output.response === response);
    body.push(tokenOutputs(response, own, stage, at, lanes));
  }
  const perExample = at.open(stage);
  const stores = program.exampleOutputs.map(({ node, slot }) =>
    at.storeExample(slot, perExample.value(node)),
  );
  if (stores.length > 0) {
    const loop = [...perExample.statements, ...stores];
    body.push(k.loop("example", lane, examples, k.u32(lanes), loop));
  }
  const single = at.open(stage);
  const scalars = program.scalarOutputs.map(({ node, slot }) =>
    k.assign(`scalars[${slot}]`, single.value(node)),
  );
  if (scalars.length > 0) {
    body.push(k.when(k.infix(lane, "==", k.u32(0)), [...single.statements, ...scalars]));
  }
  return body;
}

function tokenOutputs(
  response: string,
  list: readonly TokenOutput[],
  stage: number,
  at: Leaves,
  lanes: number,
): Statement {
  const inner = at.open(stage);
  const stores = list.map(({ node, field }) => at.storeToken(field, inner.value(node)));
  const { from, below } = at.tokensOf(response);
  return k.loop(token.code, k.plus(from, lane), below, k.u32(lanes), [
    k.letValue("example", at.owner()),
    ...inner.statements,
    ...stores,
  ]);
}

function bindingsOf(program: RowProgram): readonly Binding[] {
  const params = `array<vec4<f32>, ${program.paramVectors}>`;
  return [
    { name: "shape", role: { kind: "shape" }, access: "uniform", type: "Shape" },
    { name: "params", role: { kind: "params" }, access: "uniform", type: params },
    { name: "ragged", role: { kind: "ragged" }, access: "read", type: "u32" },
    { name: "labels", role: { kind: "labels" }, access: "read", type: "u32" },
    { name: "rows", role: { kind: "rows" }, access: "write", type: "f32" },
    { name: "examples", role: { kind: "examples" }, access: "write", type: "f32" },
    { name: "scalars", role: { kind: "scalars" }, access: "write", type: "f32" },
  ];
}
