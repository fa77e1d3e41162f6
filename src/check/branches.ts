// Which branches of an objective random batches have taken: each `where`, minimum, maximum and relu of the loss, to both
// sides. A derivative behind a branch that no batch takes is not checked by any.

import type { Batch, Params } from "../batch/batch.ts";
import { binary, constant } from "../core/build.ts";
import { printExpression } from "../core/infix.ts";
import { topological, type Node } from "../core/node.ts";
import { evaluate } from "../reference/interpret.ts";

/** A node that chooses, and what it chooses by. */
interface Branch {
  readonly node: Node;
  readonly condition: Node;
  /** What the two sides are called. */
  readonly sides: readonly [whenTrue: string, whenFalse: string];
}

const longest = 160;
const shown = (node: Node): string => {
  const text = printExpression(node, 14);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
};

function branchOf(node: Node): Branch | null {
  if (node.tag === "select") {
    return { node, condition: node.args[0], sides: ["its condition true", "its condition false"] };
  }
  if (node.tag === "binary" && (node.op === "minimum" || node.op === "maximum")) {
    const [a, b] = node.args;
    return {
      node,
      condition: binary("gt", a, b),
      sides: ["its first operand above its second", "its first operand at or below its second"],
    };
  }
  if (node.tag === "unary" && node.op === "relu") {
    const condition = binary("gt", node.args[0], constant(0));
    return { node, condition, sides: ["its operand above 0", "its operand at or below 0"] };
  }
  return null;
}

/** Remembers which sides were taken. */
export interface Branches {
  /** How many there are. */
  readonly count: number;
  /** Evaluates every choice that is still open on a batch; whether one was taken to a side that no batch before took. */
  readonly visit: (batch: Batch, params: Params) => boolean;
  /** A sentence for each side that no batch took. */
  readonly unreached: () => readonly string[];
  readonly isComplete: () => boolean;
}

/** The branches below the roots. */
export function branchesOf(roots: readonly Node[]): Branches {
  const all = topological(roots).flatMap((node) => branchOf(node) ?? []);
  const taken = new Map(all.map((branch) => [branch, { yes: false, no: false }]));
  const open = (): readonly Branch[] =>
    all.filter((branch) => !(taken.get(branch)!.yes && taken.get(branch)!.no));
  return {
    count: all.length,
    visit: (batch, params) => {
      const left = open();
      const values = evaluate(
        left.map(({ condition }) => condition),
        batch,
        params,
      );
      let isNew = false;
      left.forEach((branch, position) => {
        const known = taken.get(branch)!;
        const { data } = values[position]!;
        const [yes, no] = [known.yes || data.includes(1), known.no || data.includes(0)];
        if (yes !== known.yes || no !== known.no) isNew = true;
        taken.set(branch, { yes, no });
      });
      return isNew;
    },
    unreached: () =>
      open().flatMap((branch) => {
        const { yes, no } = taken.get(branch)!;
        const sides = [...(yes ? [] : [branch.sides[0]]), ...(no ? [] : [branch.sides[1]])];
        return sides.map((side) => `no batch took ${shown(branch.node)} with ${side}`);
      }),
    isComplete: () => open().length === 0,
  };
}
