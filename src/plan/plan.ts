// The plan: the ordered dispatches of one direction on one kind of adapter, with every buffer laid out. It is
// plain data; the runtime fills the buffers and submits, and explanations read it without a device.

import { stackedName } from "../core/datum.ts";
import type { Input, Node, Param } from "../core/node.ts";
import { gradientBlock, totalBlock } from "../block/passes.ts";
import { gradientKernel } from "../kernel/gradient.ts";
import * as k from "../kernel/kernel.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { modelsIn } from "../kernel/status.ts";
import type { Layout } from "../kernel/storage.ts";
import { totalKernel } from "../kernel/total.ts";
import { lowerRows } from "../rows/lower.ts";
import { prepared, type RowProgram, type TokenOutput } from "../rows/program.ts";
import {
  layOut,
  type Each,
  type HighGradient,
  type Inputs,
  type Lowering,
  type Upload,
} from "./layout.ts";
import { onlineSteps, printed, stepOf, type Step } from "./steps.ts";

export type { HighGradient, Inputs, Lowering, Upload } from "./layout.ts";
export type { Step, Work } from "./steps.ts";

export interface Plan {
  readonly steps: readonly Step[];
  /** The models whose logits may be read, in the order of their words in the status. */
  readonly models: readonly string[];
  readonly responses: readonly string[];
  readonly rowFields: readonly string[];
  readonly exampleSlots: number;
  readonly scalarSlots: number;
  /** Pairs of floats for each token that the steps of a row program hand to each other. */
  readonly terms: number;
  /** Words for each token that the workgroups of split rows leave; 0 where no row is split. */
  readonly partWords: number;
  /** Scalars that are read back, in the order of their slots from 0: the loss, the metrics, the next state. */
  readonly scalars: readonly string[];
  readonly perExample: number | null;
  /** The metrics of each example that are read back where the loss of each example is. */
  readonly each: readonly Each[];
  readonly tokenUploads: readonly Upload[];
  readonly exampleUploads: readonly Upload[];
  readonly highGradients: readonly HighGradient[];
  readonly params: readonly Param[];
}

/** @param inPlace whether gradients may be asked for in the place of their logits */
export function plan(
  lowering: Lowering,
  given: Inputs,
  schedule: Layout,
  inPlace: boolean = false,
): Plan {
  const laid = layOut(lowering, given);
  const { fieldIndex, exampleSlot, paramSlot, paramVectors, perExample, each, highGradients } =
    laid;
  const paramValue = (name: string): k.Value => k.param(paramSlot(name), "f32");

  // ---- steps: passes of a round, then the row program that uses them
  const steps: Step[] = [];
  let { exampleSlots } = laid;
  let scalarSlots = laid.scalars.length;
  let terms = 0;
  const { stages } = lowering;
  for (let round = 1; round <= stages.lastRound; round++) {
    for (const pass of stages.passes.filter((candidate) => candidate.round === round)) {
      if (pass.kind === "online") steps.push(...onlineSteps(pass, fieldIndex, schedule));
      else {
        const kernel = totalKernel(
          totalBlock(pass),
          fieldIndex,
          paramValue,
          paramVectors,
          schedule,
        );
        steps.push(stepOf(kernel, pass));
      }
    }
    const isLast = round === stages.lastRound;
    const tokenOutputs: TokenOutput[] = (stages.outputs.get(round) ?? []).map(
      ({ field, response, node }) => ({
        node,
        response,
        field: fieldIndex(field),
      }),
    );
    const high = isLast ? lowering.highGradients : [];
    const exampleOutputs: { node: Node; slot: number }[] = [];
    high.forEach(({ node }, position) => {
      const { response, slot } = highGradients[position]!;
      if (response === null) exampleOutputs.push({ node, slot });
      else tokenOutputs.push({ node, response, field: slot });
    });
    if (isLast && perExample !== null)
      exampleOutputs.push({ node: lowering.perExample!, slot: perExample });
    if (isLast)
      lowering.each.forEach(([, node], position) =>
        exampleOutputs.push({ node, slot: each[position]!.slot }),
      );
    const scalarOutputs = isLast ? lowering.scalars.map(([, node], slot) => ({ node, slot })) : [];
    const all = prepared(
      [...tokenOutputs, ...exampleOutputs, ...scalarOutputs].map(({ node }) => node),
    );
    let next = 0;
    const program: RowProgram = {
      tokenOutputs: tokenOutputs.map((output) => ({ ...output, node: all[next++]! })),
      exampleOutputs: exampleOutputs.map((output) => ({ ...output, node: all[next++]! })),
      scalarOutputs: scalarOutputs.map((output) => ({ ...output, node: all[next++]! })),
      rowField: (input) => rowFieldOf(input, fieldIndex),
      exampleSlot: (input) => exampleSlot((input as Input).name),
      paramSlot: (param) => paramSlot((param as Param).name),
      responses: given.responses,
      paramVectors,
      firstExampleSlot: exampleSlots,
      firstScalarSlot: scalarSlots,
    };
    const rows = lowerRows(program, schedule);
    exampleSlots = rows.exampleSlots;
    scalarSlots = rows.scalarSlots;
    terms = Math.max(terms, rows.terms);
    steps.push(...rows.dispatches.map(({ kernel, work }) => stepOf(kernel, null, work)));
  }
  for (const pass of stages.gradients) {
    const made = (over: boolean): Kernel =>
      gradientKernel(
        gradientBlock(pass, over),
        fieldIndex,
        paramValue,
        paramVectors,
        schedule,
        over,
      );
    const overLogits = inPlace ? printed(made(true)) : null;
    steps.push({ ...stepOf(made(false), pass), overLogits });
  }
  return {
    steps,
    models: modelsIn(schedule),
    responses: given.responses,
    rowFields: laid.rowFields,
    exampleSlots,
    scalarSlots,
    terms,
    partWords: Math.max(0, ...steps.map(({ parts }) => parts?.words ?? 0)),
    scalars: laid.scalars,
    perExample,
    each,
    tokenUploads: laid.tokenUploads,
    exampleUploads: laid.exampleUploads,
    highGradients,
    params: given.params,
  };
}

/** A field of a pass, or an input per token, without the response: tokens of all responses are stacked. */
const rowFieldOf = (node: Node, fieldIndex: (field: string) => number): number =>
  fieldIndex(stackedName((node as Input).datum));
