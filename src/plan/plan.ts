// The plan: the ordered dispatches of one direction on one kind of adapter, with every buffer laid out. It is
// plain data; the runtime fills the buffers and submits, and explanations read it without a device.

import { responseAmong } from "../core/axis.ts";
import { stackedName } from "../core/datum.ts";
import type { Input, Node, Param } from "../core/node.ts";
import { fieldKey } from "../stream/fields.ts";
import type { Stages } from "../stream/stages.ts";
import { gradientBlock, totalBlock } from "../block/passes.ts";
import { gradientKernel } from "../kernel/gradient.ts";
import * as k from "../kernel/kernel.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { modelsIn } from "../kernel/status.ts";
import type { Layout } from "../kernel/storage.ts";
import { totalKernel } from "../kernel/total.ts";
import { lowerRows } from "../rows/lower.ts";
import { withoutLogSumExp, type RowProgram, type TokenOutput } from "../rows/program.ts";
import { onlineSteps, printed, stepOf, type Step } from "./steps.ts";

export type { Step, Work } from "./steps.ts";

/** What a direction of a program computes, as the planner reads it. */
export interface Lowering {
  readonly stages: Stages;
  readonly scalars: readonly (readonly [name: string, node: Node])[];
  readonly perExample: Node | null;
  readonly highGradients: readonly { readonly input: Input; readonly node: Node }[];
}
/** Data of the batch that the row programs read. */
export interface Upload {
  readonly input: string;
  readonly response: string | null;
  /** A row field for a number per token, an example slot for a number per example. */
  readonly slot: number;
}
/** A gradient that is one number per token or example, and where it is found. */
export interface HighGradient {
  readonly input: string;
  readonly response: string | null;
  readonly slot: number;
}
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
  readonly tokenUploads: readonly Upload[];
  readonly exampleUploads: readonly Upload[];
  readonly highGradients: readonly HighGradient[];
  readonly params: readonly Param[];
}

export interface Inputs {
  readonly responses: readonly string[];
  readonly inputs: readonly Input[];
  readonly params: readonly Param[];
}

/** @param inPlace whether gradients may be asked for in the place of their logits */
export function plan(
  lowering: Lowering,
  given: Inputs,
  schedule: Layout,
  inPlace: boolean = false,
): Plan {
  const fields: string[] = [];
  const fieldIndex = (field: string): number => {
    const known = fields.indexOf(field);
    return known >= 0 ? known : fields.push(field) - 1;
  };
  const exampleNames: string[] = [];
  const exampleSlot = (name: string): number => {
    const known = exampleNames.indexOf(name);
    return known >= 0 ? known : exampleNames.push(name) - 1;
  };
  const paramNames = given.params.map(({ name }) => name);
  const paramVectors = Math.max(1, Math.ceil(paramNames.length / 2));
  const paramValue = (name: string): k.Value => {
    return k.param(paramNames.indexOf(name), "f32");
  };

  // ---- data that the batch brings for tokens and examples
  const tokenUploads: Upload[] = [];
  const exampleUploads: Upload[] = [];
  for (const input of given.inputs) {
    if (input.dtype === "i32" || input.axes.includes("vocab")) continue;
    const response = responseAmong(input.axes);
    if (response === null)
      exampleUploads.push({ input: input.name, response: null, slot: exampleSlot(input.name) });
    else
      tokenUploads.push({
        input: input.name,
        response,
        slot: fieldIndex(stackedName(input.datum)),
      });
  }
  for (const pass of lowering.stages.passes) {
    if (pass.kind === "online") for (const spec of pass.fields) fieldIndex(fieldKey(spec));
    else fieldIndex(fieldKey({ kind: "total", index: pass.index }));
  }

  const scalars = lowering.scalars.map(([name]) => name);
  const perExample = lowering.perExample === null ? null : exampleSlot("loss of the example");
  const highGradients = lowering.highGradients.map(({ input }): HighGradient => {
    const response = responseAmong(input.axes);
    const name = `gradient of ${response === null ? input.name : stackedName(input.datum)}`;
    return {
      input: input.name,
      response,
      slot: response === null ? exampleSlot(name) : fieldIndex(name),
    };
  });

  // ---- steps: passes of a round, then the row program that uses them
  const steps: Step[] = [];
  let exampleSlots = exampleNames.length;
  let scalarSlots = scalars.length;
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
    const scalarOutputs = isLast ? lowering.scalars.map(([, node], slot) => ({ node, slot })) : [];
    const all = withoutLogSumExp(
      [...tokenOutputs, ...exampleOutputs, ...scalarOutputs].map(({ node }) => node),
    );
    let next = 0;
    const program: RowProgram = {
      tokenOutputs: tokenOutputs.map((output) => ({ ...output, node: all[next++]! })),
      exampleOutputs: exampleOutputs.map((output) => ({ ...output, node: all[next++]! })),
      scalarOutputs: scalarOutputs.map((output) => ({ ...output, node: all[next++]! })),
      rowField: (input) => rowFieldOf(input, fieldIndex),
      exampleSlot: (input) => exampleSlot((input as Input).name),
      paramSlot: (param) => paramNames.indexOf((param as Param).name),
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
    rowFields: fields,
    exampleSlots,
    scalarSlots,
    terms,
    partWords: Math.max(0, ...steps.map(({ parts }) => parts?.words ?? 0)),
    scalars,
    perExample,
    tokenUploads,
    exampleUploads,
    highGradients,
    params: given.params,
  };
}

/** A field of a pass, or an input per token, without the response: tokens of all responses are stacked. */
const rowFieldOf = (node: Node, fieldIndex: (field: string) => number): number =>
  fieldIndex(stackedName((node as Input).datum));
