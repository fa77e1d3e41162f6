// What a plan does, in order, before any kernel is made: passes over blocks of entries, and row programs cut into steps.
// Memory that the steps of a row program need for themselves is placed here, after the values that were laid out.

import type { BlockPass } from "../block/block.ts";
import { gradientBlock, onlineBlock, totalBlock } from "../block/passes.ts";
import { verifyBlock } from "../block/verify.ts";
import { stackedName } from "../core/datum.ts";
import type { Input, Node, Param } from "../core/node.ts";
import { verify } from "../core/verify.ts";
import { prepared, type RowProgram, type TokenOutput } from "../rows/program.ts";
import { rowSteps, type RowSteps } from "../rows/steps.ts";
import type { GradientPass, OnlinePass, TotalPass } from "../stream/stages.ts";
import type { Lowering, ValueLayout } from "../plan/layout.ts";

export type Task =
  | {
      readonly kind: "pass";
      readonly pass: OnlinePass | TotalPass | GradientPass;
      readonly block: BlockPass;
      /** The same where it writes the gradient over the logits; null for all others and where it was not asked for. */
      readonly overLogits: BlockPass | null;
    }
  | { readonly kind: "rows"; readonly program: RowProgram; readonly rows: RowSteps };

export interface Tasks {
  readonly tasks: readonly Task[];
  readonly exampleSlots: number;
  readonly scalarSlots: number;
  /** Pairs of floats for each token that the steps of a row program hand to each other. */
  readonly terms: number;
}

/** @param inPlace whether gradients may be asked for in the place of their logits */
export function tasksOf(
  lowering: Lowering,
  responses: readonly string[],
  laid: ValueLayout,
  inPlace: boolean,
): Tasks {
  const { stages } = lowering;
  const tasks: Task[] = [];
  let sizes = { terms: 0, exampleSlots: laid.exampleSlots, scalarSlots: laid.scalars.length };
  let terms = 0;
  for (let round = 1; round <= stages.lastRound; round++) {
    for (const pass of stages.passes.filter((candidate) => candidate.round === round)) {
      const block = pass.kind === "online" ? onlineBlock(pass) : totalBlock(pass);
      tasks.push({ kind: "pass", pass, block, overLogits: null });
    }
    const program: RowProgram = {
      ...outputsOf(lowering, round, laid),
      rowField: (input) => laid.fieldIndex(stackedName((input as Input).datum)),
      exampleSlot: (input) => laid.exampleSlot((input as Input).name),
      paramSlot: (param) => laid.paramSlot((param as Param).name),
      responses,
      paramVectors: laid.paramVectors,
      firstExampleSlot: sizes.exampleSlots,
      firstScalarSlot: sizes.scalarSlots,
    };
    const rows = rowSteps(program);
    sizes = rows.memory.sizes();
    terms = Math.max(terms, sizes.terms);
    tasks.push({ kind: "rows", program, rows });
  }
  for (const pass of stages.gradients) {
    const overLogits = inPlace ? gradientBlock(pass, true) : null;
    tasks.push({ kind: "pass", pass, block: gradientBlock(pass, false), overLogits });
  }
  return { tasks, ...sizes, terms };
}

/** What the row program of a round leaves, and where: for later passes, and, in the last round, results. */
function outputsOf(
  lowering: Lowering,
  round: number,
  laid: ValueLayout,
): Pick<RowProgram, "tokenOutputs" | "exampleOutputs" | "scalarOutputs"> {
  const { stages, perExample } = lowering;
  const isLast = round === stages.lastRound;
  const tokenOutputs: TokenOutput[] = (stages.outputs.get(round) ?? []).map(
    ({ field, response, node }) => ({ node, response, field: laid.fieldIndex(field) }),
  );
  const exampleOutputs: { node: Node; slot: number }[] = [];
  const high = isLast ? lowering.highGradients : [];
  high.forEach(({ node }, position) => {
    const { response, slot } = laid.highGradients[position]!;
    if (response === null) exampleOutputs.push({ node, slot });
    else tokenOutputs.push({ node, response, field: slot });
  });
  if (isLast && perExample !== null) {
    exampleOutputs.push({ node: perExample, slot: laid.perExample! });
  }
  if (isLast) {
    lowering.each.forEach(([, node], position) =>
      exampleOutputs.push({ node, slot: laid.each[position]!.slot }),
    );
  }
  const scalarOutputs = isLast ? lowering.scalars.map(([, node], slot) => ({ node, slot })) : [];
  const all = prepared(
    [...tokenOutputs, ...exampleOutputs, ...scalarOutputs].map(({ node }) => node),
  );
  let next = 0;
  return {
    tokenOutputs: tokenOutputs.map((output) => ({ ...output, node: all[next++]! })),
    exampleOutputs: exampleOutputs.map((output) => ({ ...output, node: all[next++]! })),
    scalarOutputs: scalarOutputs.map((output) => ({ ...output, node: all[next++]! })),
  };
}

/** @throws PrefcError "block-ill-formed", "ill-formed-term" */
export function verifyTasks(tasks: readonly Task[]): void {
  for (const task of tasks) {
    if (task.kind === "pass") {
      verifyBlock(task.block);
      if (task.overLogits !== null) verifyBlock(task.overLogits);
      continue;
    }
    for (const step of task.rows.steps)
      if (step.kind === "map")
        verify(
          step.results.map(({ node }) => node),
          "lowering to steps",
        );
  }
}
