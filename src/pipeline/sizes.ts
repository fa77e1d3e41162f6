// How large what passes make is, level by level, and what the level of terms is held to.

import { topological, type Node } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import { verify } from "../core/verify.ts";
import type { Statement } from "../kernel/kernel.ts";
import type { ValueLayout } from "../plan/layout.ts";
import type { KernelStep, Step } from "../plan/steps.ts";
import type { Derivation } from "../stream/derive.ts";
import type { Stages } from "../stream/stages.ts";
import { nodesWithin } from "./limit.ts";
import type { Sizes } from "./pass.ts";
import type { Task } from "./tasks.ts";

export const nodesOf = (roots: readonly Node[]): Sizes => ({ nodes: topological(roots).length });

/** The level of terms: how many nodes there are, at most so many, and each of them well formed. */
export const terms = <Made extends { readonly source: { readonly name: string } }>(
  rootsOf: (made: Made) => readonly Node[],
): {
  readonly sizes: (made: Made) => Sizes;
  readonly verify: (made: Made, pass: string) => void;
} => ({
  sizes: (made) => nodesOf(rootsOf(made)),
  verify: (made, pass) => {
    nodesWithin(made.source.name, `after ${cite(pass)}`, rootsOf(made));
    verify(rootsOf(made), pass);
  },
});

export const derivedSizes = ({ rows, fields }: Derivation): Sizes => ({
  ...nodesOf(rows),
  fields: fields.size,
});

export const stagesSizes = ({ passes, gradients, outputs }: Stages): Sizes => ({
  passes: passes.length + gradients.length,
  rounds: outputs.size,
});

export const layoutSizes = ({ rowFields, exampleSlots, scalars }: ValueLayout): Sizes => ({
  fields: rowFields.length,
  slots: exampleSlots + scalars.length,
});

export const tasksSizes = (tasks: readonly Task[]): Sizes => ({
  passes: tasks.filter(({ kind }) => kind === "pass").length,
  steps: tasks.reduce((sum, task) => sum + (task.kind === "rows" ? task.rows.steps.length : 0), 0),
});

export const kernelsSizes = (steps: readonly KernelStep[]): Sizes => ({
  kernels: steps.length,
  statements: steps.reduce((sum, { kernel }) => sum + statementsIn(kernel.body), 0),
});

export const shadersSizes = (steps: readonly Step[]): Sizes => ({
  kernels: steps.length,
  characters: steps.reduce((sum, { wgsl }) => sum + wgsl.length, 0),
});

function statementsIn(body: readonly Statement[]): number {
  return body.reduce((sum, statement) => {
    switch (statement.kind) {
      case "for":
        return sum + 1 + statementsIn(statement.body);
      case "if":
        return sum + 1 + statementsIn(statement.body) + statementsIn(statement.otherwise ?? []);
      default:
        return sum + 1;
    }
  }, 0);
}
