// The value of an expression, in float64: node by node, each listed over its own index space (denote.ts). Nothing is rewritten,
// fused or reordered while all goes well. Where an operation on finite numbers leaves the range of float64, and the
// result with it (log(exp(800)), −log σ(−900)), what the identities of rewrite/ make of the expression is evaluated too:
// it is the same function of real numbers, and its value is the one that is meant. What is infinite even so is
// refused, unless the batch itself holds infinite logits.

import type { Batch, Params } from "../batch/batch.ts";
import { checkBatch } from "../batch/check.ts";
import { checkValues } from "../batch/values.ts";
import { widthsOf } from "../batch/widths.ts";
import { describe } from "../core/describe.ts";
import { fail } from "../core/error.ts";
import { isInterned } from "../core/intern.ts";
import { topological, type Node } from "../core/node.ts";
import { simplify } from "../rewrite/simplify.ts";
import { noSplit } from "./apart.ts";
import { denote } from "./denote.ts";
import { describePlace, describeSpace, describeTerm } from "./describe.ts";
import { expand, reader, tabulate, type Tensor } from "./tensor.ts";

/** Position in `order` of the last node that reads each node, so that its table can be dropped after it. */
function lastUses(order: readonly Node[]): ReadonlyMap<Node, number> {
  const last = new Map<Node, number>();
  order.forEach((node, position) => node.args.forEach((arg) => last.set(arg, position)));
  return last;
}

interface Evaluated {
  readonly tables: readonly Tensor[];
  /** The batch as each root sees it, whose vocabulary may be that of a model. */
  readonly seenBy: (node: Node) => Batch;
  /** The first term that is not a number somewhere. */
  readonly undefinedTerm: Node | undefined;
  /** The first term that is infinite or undefined somewhere though all its operands are finite. */
  readonly leaving: Node | undefined;
  /** Whether the batch holds infinite numbers. */
  readonly isMasked: boolean;
}

function evaluated(
  roots: readonly Node[],
  batch: Batch,
  params: Params,
  held: ReadonlyMap<Node, Tensor>,
): Evaluated {
  const order = topological(roots);
  const last = lastUses(order);
  const kept = new Set(roots);
  const tables = new Map<Node, Tensor>();
  const infinite = new Set<Node>();
  let undefinedTerm: Node | undefined;
  let leaving: Node | undefined;

  const widths = widthsOf(roots, batch);
  // what is made of no logits may be read beside any of them
  const widest = Math.max(batch.vocab, ...(widths?.values() ?? []));
  const seenBy = (node: Node): Batch =>
    widths === null ? batch : { ...batch, vocab: widths.get(node) ?? widest };
  const split = noSplit();

  order.forEach((node, position) => {
    const reads = node.args.map((arg) => reader(tables.get(arg)!, batch));
    const own = seenBy(node);
    const table =
      held.get(node) ??
      tabulate(node.axes, own, denote(node, reads, { batch: own, params, split }));
    if (!table.data.every(Number.isFinite)) {
      infinite.add(node);
      if (node.args.length > 0 && !node.args.some((arg) => infinite.has(arg))) leaving ??= node;
      if (table.data.some(Number.isNaN)) undefinedTerm ??= node;
    }
    tables.set(node, table);
    for (const arg of node.args)
      if (last.get(arg) === position) {
        split.others.delete(arg);
        split.logSumExps.delete(arg);
        if (!kept.has(arg)) tables.delete(arg);
      }
  });
  return {
    tables: roots.map((root) => tables.get(root)!),
    seenBy,
    undefinedTerm,
    leaving,
    isMasked: order.some((node) => node.tag === "input" && infinite.has(node)),
  };
}

/** What the expressions are after rewriting, where that is something else. */
function otherwise(
  roots: readonly Node[],
  batch: Batch,
  params: Params,
  { seenBy }: Evaluated,
): readonly Tensor[] | undefined {
  const rewritten = simplify(roots).roots;
  if (rewritten.every((node, position) => node === roots[position])) return undefined;
  const { tables } = evaluated(rewritten, batch, params, new Map());
  return tables.map((table, position) =>
    expand(table, roots[position]!.axes, seenBy(roots[position]!)),
  );
}

/** A table in which every entry that is not finite is replaced by another one that is. */
function mended(table: Tensor, other: Tensor | undefined): Tensor {
  if (other === undefined || table.data.every(Number.isFinite)) return table;
  const choose = (x: number, position: number): number => {
    const second = other.data[position]!;
    return Number.isFinite(x) || !Number.isFinite(second) ? x : second;
  };
  return { ...table, data: table.data.map(choose) };
}

/** @throws PrefcError not-a-node */
export function requireNodes(where: string, roots: unknown): void {
  const isNode = (value: unknown): boolean =>
    typeof value === "object" && value !== null && isInterned(value as Node);
  const wrong = Array.isArray(roots) ? roots.find((root) => !isNode(root)) : roots;
  if (Array.isArray(roots) && roots.every(isNode)) return;
  const isExpression = typeof wrong === "object" && wrong !== null && "node" in wrong;
  const what = isNode(wrong) ? "a node" : describe(wrong, "an object that is no node");
  const advice = isExpression
    ? "give its node, as in [x.node]"
    : "give a list of nodes, such as [objective.loss]";
  fail(
    "not-a-node",
    `${where}: ${Array.isArray(roots) ? "a root is" : "the roots are"} ${what}; ${advice}.`,
  );
}

/**
 * The values of the roots, each over its own axes. `held` gives some nodes a value instead of computing it.
 * @throws PrefcError for a batch or parameters that do not fit, "undefined-value" if a root is not a number, and
 * "infinite-value" if one is infinite though the batch is not
 */
export function evaluate(
  roots: readonly Node[],
  batch: Batch,
  params: Params,
  held: ReadonlyMap<Node, Tensor> = new Map(),
): readonly Tensor[] {
  requireNodes("evaluate", roots);
  checkBatch(batch, roots);
  checkValues(batch, roots);
  const plain = evaluated(roots, batch, params, held);
  const isWhole = plain.tables.every(({ data }) => data.every(Number.isFinite));
  if (isWhole) return plain.tables;
  const mayMend = plain.leaving !== undefined && held.size === 0;
  const others = mayMend ? otherwise(roots, batch, params, plain) : undefined;

  return roots.map((root, position) => {
    const table = mended(plain.tables[position]!, others?.[position]);
    const undefinedAt = table.data.findIndex(Number.isNaN);
    if (undefinedAt >= 0) {
      const operator = plain.undefinedTerm ?? root;
      fail(
        "undefined-value",
        `evaluate: the value is not a number at ${describePlace(table, undefinedAt, batch)}; the first undefined term is ` +
          `${describeTerm(operator)} (${describeSpace(operator.axes)}), so keep its operands inside its domain.`,
      );
    }
    const infiniteAt = table.data.findIndex((x) => !Number.isFinite(x));
    if (infiniteAt >= 0 && plain.leaving !== undefined && !plain.isMasked) {
      const operator = plain.leaving;
      fail(
        "infinite-value",
        `evaluate: the value is infinite at ${describePlace(table, infiniteAt, batch)}; the first infinite term is ` +
          `${describeTerm(operator)} (${describeSpace(operator.axes)}), so keep its operands inside its domain and its value within float64.`,
      );
    }
    return table;
  });
}
