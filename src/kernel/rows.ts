// The row program: everything between two passes over the vocabulary. One workgroup runs all of it, stage by
// stage (program.ts), with a barrier between stages. What leaves the program is computed after the last stage.

import type { Sort } from "../core/node.ts";
import { widened } from "./arithmetic.ts";
import { inBlocks } from "./blocks.ts";
import * as buffers from "./buffer.ts";
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
import { partials, reduceGroup } from "./reductions.ts";
import type { Schedule } from "../schedule/schedule.ts";

export interface LoweredRows {
  readonly kernel: Kernel;
  readonly exampleSlots: number;
  readonly scalarSlots: number;
}

export function rowsKernel(program: RowProgram, schedule: Schedule): LoweredRows {
  const analysis = analyse(program);
  const at = leaves(program, analysis);
  const lanes = schedule.programLanes;
  const body: Statement[] = [];
  for (let stage = 0; stage < analysis.stages; stage++) {
    for (const group of analysis.groups) {
      if (group.stage !== stage) continue;
      // the groups of a stage share workgroup memory
      if (body[body.length - 1] !== k.barrier && body.length > 0) body.push(k.barrier);
      body.push(...reduceGroup(group, at, schedule));
    }
    for (const node of analysis.sorts) {
      if (analysis.stageOf(node) === stage)
        body.push(...k.about(node, [ordered(node, at, analysis.slotOf(node), lanes)]));
    }
    body.push(...keptExamples(stage, at, analysis, lanes), k.barrier);
  }
  body.push(...outputs(program, analysis.stages, at, lanes));
  const kernel: Kernel = {
    name: "row program",
    bindings: bindingsOf(program),
    workgroup: lanes,
    shared: partials(analysis.groups, lanes),
    body: schedule.blockLength === null ? body : inBlocks(body, schedule.blockLength),
    grid: "single",
  };
  return { kernel, exampleSlots: analysis.exampleSlots, scalarSlots: analysis.scalarSlots };
}

const { lane } = k;

/**
 * The rank of an example is the number of those that come before it: smaller ones, and equal ones with a smaller index.
 * The order is the inverse: each example writes itself where it comes. B² comparisons, shared by all lanes.
 */
function ordered(node: Sort, at: Leaves, slot: number, lanes: number): Statement {
  const [operand] = node.args;
  // where the operand is the same for all examples, any number serves
  const value = (position: Value): Value =>
    spaceOf(operand) === "example" ? at.load(operand, position) : widened(k.f32(0));
  const [mine, other] = [k.variable("mine", "pair"), k.variable("other", "pair")];
  const [before, j] = [k.variable("before", "u32"), k.variable("j", "u32")];
  const smaller = k.infix(other, "<", mine);
  const earlier = k.infix(k.infix(other, "==", mine), "&&", k.infix(j, "<", example));
  return k.loop(example, lane, examples, k.u32(lanes), [
    k.letValue(mine, value(example)),
    k.varValue(before, k.u32(0)),
    k.loop(j, k.u32(0), examples, k.u32(1), [
      k.letValue(other, value(j)),
      k.when(k.infix(smaller, "||", earlier), [k.assign(before, k.plus(before, k.u32(1)))]),
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
  const stores = kept.flatMap((node) =>
    k.about(node, [at.storeExample(analysis.slotOf(node), inner.value(node))]),
  );
  if (stores.length === 0) return [];
  return [k.loop(example, lane, examples, k.u32(lanes), [...inner.statements, ...stores])];
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
  const stores = program.exampleOutputs.flatMap(({ node, slot }) =>
    k.about(node, [at.storeExample(slot, perExample.value(node))]),
  );
  if (stores.length > 0) {
    const loop = [...perExample.statements, ...stores];
    body.push(k.loop(example, lane, examples, k.u32(lanes), loop));
  }
  const single = at.open(stage);
  const scalars = program.scalarOutputs.flatMap(({ node, slot }) =>
    k.about(node, [k.assign(k.load(buffers.scalars, k.u32(slot)), inPairs(single.value(node)))]),
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
  const stores = list.flatMap(({ node, field }) =>
    k.about(node, [at.storeToken(field, inner.value(node))]),
  );
  const { from, below } = at.tokensOf(response);
  return k.loop(token, k.plus(from, lane), below, k.u32(lanes), [
    k.letValue(example, at.owner()),
    ...inner.statements,
    ...stores,
  ]);
}

function bindingsOf(program: RowProgram): readonly Binding[] {
  return [
    buffers.shapeBinding,
    buffers.paramsBinding(program.paramVectors),
    buffers.reads(buffers.ragged),
    buffers.reads(buffers.labels),
    buffers.writes(buffers.rows),
    buffers.writes(buffers.examples),
    buffers.writes(buffers.scalars),
  ];
}

/** A single value is stored as a pair, whatever its type. */
const inPairs = (v: Value): Value => widened(v.type === "pair" ? v : k.convert("f32", v));
