// What is well formed and yet is hardly meant: a loss without a gradient, a response that is not read, a comparison that was
// made and decides nothing.

import { responsesNeeded } from "../batch/check.ts";
import type { Program } from "../pipeline/pipeline.ts";
import { printExpression } from "../core/infix.ts";
import { topological } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import { writtenRoots, type Objective } from "../dsl/objective.ts";

/** A sentence for everything about an objective that is hardly meant. */
export function warningsOf(objective: Objective, program: Program): readonly string[] {
  const roots = writtenRoots(objective);
  const read = responsesNeeded(roots);
  const scores = topological(roots).flatMap((node) =>
    node.tag === "input" && "response" in node.datum ? [node.datum.response] : [],
  );
  const known = new Set([...read, ...scores]);
  const isConstant = program.gradients.length === 0 && program.paramGradients.length === 0;
  return [
    ...(isConstant
      ? [
          "nothing is differentiated: the loss depends on the policy nowhere, or only under stopGrad; a step would leave the model as it is",
        ]
      : []),
    ...objective.responses
      .filter((response) => !known.has(response))
      .map(
        (response) =>
          `the response ${cite(response)} is declared and never read; leave it out of the list, or read it`,
      ),
    ...objective.unused.map(
      (node) =>
        `the comparison ${printExpression(node, 10)} decides nothing: JavaScript's ?:, && and if take an expression for true; write where(condition, a, b)`,
    ),
    ...topological(roots).flatMap((node) =>
      node.tag === "select" && topological([node.args[0]]).every(isKnown)
        ? [
            `the condition ${printExpression(node.args[0], 10)} is the same for every batch; write the side that it takes`,
          ]
        : [],
    ),
  ];
}

/** Whether a value is the same whatever the batch and the parameters are. */
const isKnown = (node: ReturnType<typeof topological>[number]): boolean =>
  node.tag !== "param" &&
  node.tag !== "input" &&
  node.tag !== "count" &&
  node.tag !== "iota" &&
  node.tag !== "sort";
