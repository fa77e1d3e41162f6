// Writes statistics of rows of logits, and their gradient, as two functions of a tile [rows, vocab]. The gradient is prefc's own
// derivative of the same expressions, so that slopes at kinks are the same. What both need of a row, such as its logsumexp, is
// kept from one to the other: a number a row, beside the logits.

import { gradient } from "../ad/gradient.ts";
import { tokenAxis } from "../core/axis.ts";
import { binary, constant, reduce, unary } from "../core/build.ts";
import { idsOf, logitsOf, tokenInput, type ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { anyResponse, relabelled } from "../seam/relabel.ts";
import type { Statistic } from "../seam/statistics.ts";
import type { Uses } from "./formula.ts";
import { harmless } from "./frame.ts";
import { describing, namer } from "./names.ts";
import { strengths, within } from "./piece.ts";
import { lookupsLeft } from "./prepare.ts";
import { beyondARow, writeTile } from "./tile.ts";

/** Two functions of a tile of rows. */
export interface RowFunctions {
  readonly statistics: readonly string[];
  /** Empty where no statistic is differentiated. */
  readonly slopes: readonly string[];
  /** How many numbers a row the first function returns after the statistics, which the second takes before the slopes. */
  readonly kept: number;
}

const slopeOf = ({ name }: Statistic): string => `d_${name}`;
/** The slope of a statistic as an input. */
export const slopeInput = (statistic: Statistic): Node =>
  tokenInput(slopeOf(statistic), anyResponse);
const isAlong = (node: Node): boolean => node.axes.includes("vocab");

/** The statistic of any response. */
export function templateOf({ definitions }: Statistic): Node {
  const [response, definition] = Object.entries(definitions)[0]!;
  return lookupsLeft([relabelled([definition], response, anyResponse).get(definition)!])[0]!;
}

/** The reductions of a row that the statistics have made and the gradient needs: those that nothing else kept is below. */
function keptOf(made: readonly Node[], needed: readonly Node[]): readonly Node[] {
  const known = new Set(
    topological(made).filter(({ tag, axes }) => tag === "reduce" && !axes.includes("vocab")),
  );
  const kept = new Set<Node>();
  const reached = new Set<Node>(needed);
  for (const node of topological(needed).toReversed()) {
    if (!reached.has(node)) continue;
    if (known.has(node)) kept.add(node);
    else for (const arg of node.args) reached.add(arg);
  }
  return [...kept];
}

/** Σ g · statistic over everything, whose gradient is asked for. */
export function weighted(statistics: readonly Statistic[]): Node {
  const axis = tokenAxis(anyResponse);
  const terms = statistics.map((statistic) =>
    binary("times", slopeInput(statistic), templateOf(statistic)),
  );
  const [first, ...others] = terms as [Node, ...Node[]];
  const total = others.reduce((sum, term) => binary("plus", sum, term), first);
  return reduce("sum", "batch", reduce("sum", axis, total));
}

/** A gradient as what it is at every entry, and what is added at the label: [v = y] x needs no pass over the vocabulary. */
function apart(root: Node): { readonly rest: Node | null; readonly label: Node | null } {
  const ids = idsOf(anyResponse);
  const rest: Node[] = [];
  const label: Node[] = [];
  const signed = (node: Node, negative: boolean): Node => (negative ? unary("neg", node) : node);
  const visit = (node: Node, negative: boolean): void => {
    if (node.tag === "binary" && (node.op === "plus" || node.op === "minus")) {
      visit(node.args[0], negative);
      visit(node.args[1], node.op === "minus" ? !negative : negative);
      return;
    }
    if (node.tag === "unary" && node.op === "neg") {
      visit(node.args[0], !negative);
      return;
    }
    const [condition, value, otherwise] = node.args;
    const atLabel =
      node.tag === "select" &&
      condition?.tag === "binary" &&
      condition.op === "eq" &&
      condition.args[0].tag === "iota" &&
      condition.args[1] === ids &&
      otherwise === constant(0) &&
      !isAlong(value!);
    (atLabel ? label : rest).push(signed(atLabel ? value! : node, negative));
  };
  visit(root, false);
  const sum = (nodes: readonly Node[]): Node | null =>
    nodes.length === 0 ? null : nodes.reduce((total, node) => binary("plus", total, node));
  return { rest: sum(rest), label: sum(label) };
}

/** Writes the statistics of some models as `name_statistics(tiles, labels, parameters)` and their gradient as `name_slopes`. */
export function rowFunctions(
  name: string,
  models: readonly ModelName[],
  statistics: readonly Statistic[],
  params: readonly { readonly node: Node; readonly name: string }[],
  uses: Uses,
): RowFunctions {
  const names = namer();
  // the tile of the first model is z, so that both functions know its type
  const tiles = ["z", "y", ...models.slice(1).map((model) => `z_${model}`)].map((one) =>
    names.fresh(one),
  );
  const taken = [...tiles];
  tiles.splice(1, 1);
  const numbers = new Map(params.map((one) => [one.node, names.fresh(one.name)]));
  const slopeNames = new Map(statistics.map((one) => [one, names.fresh(slopeOf(one))]));
  const argument = (node: Node): string => {
    const own = numbers.get(node);
    if (own !== undefined) return own;
    if (node === idsOf(anyResponse)) return "y";
    const position = models.findIndex((model) => node === logitsOf(model, anyResponse));
    if (position >= 0) return tiles[position]!;
    const slope = statistics.find((one) => slopeInput(one) === node);
    return slope === undefined ? beyondARow(node) : slopeNames.get(slope)!;
  };
  taken.push(...numbers.values(), ...slopeNames.values());
  const others = ["y", ...numbers.values()].join(", ");
  const live = statistics.filter(({ differentiated }) => differentiated);
  const z = logitsOf("policy", anyResponse);
  const definitions = statistics.map(templateOf);
  const { rest, label } =
    live.length === 0 ? { rest: null, label: null } : apart(gradient(weighted(live), [z])[0]!);
  const roots = [rest, label].filter((one) => one !== null);
  const kept = keptOf(definitions, roots);
  const made = writeTile([...definitions, ...kept], argument, uses, taken);
  const functions = [
    `def ${name}_statistics(${[...tiles, others].join(", ")}):`,
    `    """${statistics.map((one) => `${one.name}: ${harmless(one.formula)}`).join("; ")}. z [rows, vocab], y [rows]."""`,
    ...made.lines.map((line) => `    ${line}`),
    `    return ${made.pieces.map(({ text }) => text).join(", ")}${made.pieces.length === 1 ? "," : ""}`,
  ];
  if (live.length === 0) return { statistics: functions, slopes: [], kept: 0 };
  const keptNames = new Map(kept.map((node) => [node, names.fresh(describing(node))]));
  const written = writeTile(roots, argument, uses, [...taken, ...keptNames.values()], keptNames);
  const pieces = [...written.pieces];
  const dense = rest === null ? null : pieces.shift()!;
  const atLabel = label === null ? null : pieces.shift()!;
  const spread = rest !== null && isAlong(rest);
  const start =
    dense === null
      ? "torch.zeros_like(z)"
      : spread
        ? within(dense, strengths.atom)
        : `(${within(dense, strengths.atom)}${rest!.axes.length === 0 ? "" : "[:, None]"} * torch.ones_like(z))`;
  return {
    statistics: functions,
    kept: kept.length,
    slopes: [
      // the slopes of what is data are handed over as well, and not read
      `def ${name}_slopes(${[...tiles, others, ...keptNames.values()].join(", ")}, ${statistics.map((one) => `${live.includes(one) ? "" : "_"}${slopeNames.get(one)!}`).join(", ")}):`,
      `    """The gradient to z of ${live.map((one) => `${slopeOf(one)} · ${one.name}`).join(" + ")}, summed over rows."""`,
      ...written.lines.map((line) => `    ${line}`),
      ...(atLabel === null
        ? [`    return ${start}`]
        : [`    return ${start}.scatter_add_(1, y[:, None], (${atLabel.text})[:, None])`]),
    ],
  };
}
