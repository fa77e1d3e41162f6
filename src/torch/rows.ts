// Writes statistics of rows of logits, and their gradient, as two functions of a tile [rows, vocab]. The gradient is prefc's own
// derivative of the same expressions, so that nothing is kept between them but the logits, and slopes at kinks are the same.

import { gradient } from "../ad/gradient.ts";
import { tokenAxis } from "../core/axis.ts";
import { binary, constant, reduce, unary } from "../core/build.ts";
import { idsOf, logitsOf, tokenInput, type ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { anyResponse, relabelled } from "../seam/relabel.ts";
import type { Statistic } from "../seam/statistics.ts";
import type { Uses } from "./formula.ts";
import { harmless } from "./frame.ts";
import { beyondARow, writeTile } from "./tile.ts";

/** Two functions of a tile of rows. */
export interface RowFunctions {
  readonly statistics: readonly string[];
  /** Empty where no statistic is differentiated. */
  readonly slopes: readonly string[];
}

const tileOf: Readonly<Record<ModelName, string>> = { policy: "z", ref: "z_ref" };
const slopeOf = ({ name }: Statistic): string => `d_${name}`;
const isAlong = (node: Node): boolean => node.axes.includes("vocab");

/** The statistic of any response. */
function templateOf({ definitions }: Statistic): Node {
  const [response, definition] = Object.entries(definitions)[0]!;
  return relabelled([definition], response, anyResponse).get(definition)!;
}

/** Σ g · statistic over everything, whose gradient is asked for. */
function weighted(statistics: readonly Statistic[]): Node {
  const axis = tokenAxis(anyResponse);
  const terms = statistics.map((statistic) =>
    binary("times", tokenInput(slopeOf(statistic), anyResponse), templateOf(statistic)),
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
  // the tile of the first model is z, so that both functions know its type
  const tiles = models.length === 1 ? ["z"] : models.map((model) => tileOf[model]);
  const argument = (node: Node): string => {
    const own = params.find((one) => one.node === node);
    if (own !== undefined) return own.name;
    if (node === idsOf(anyResponse)) return "y";
    const position = models.findIndex((model) => node === logitsOf(model, anyResponse));
    if (position >= 0) return tiles[position]!;
    const slope =
      node.tag === "input"
        ? statistics.find((one) => tokenInput(slopeOf(one), anyResponse) === node)
        : undefined;
    return slope === undefined ? beyondARow(node) : slopeOf(slope);
  };
  const others = ["y", ...params.map((one) => one.name)].join(", ");
  const made = writeTile(statistics.map(templateOf), argument, uses);
  const functions = [
    `def ${name}_statistics(${[...tiles, others].join(", ")}):`,
    `    """${statistics.map((one) => `${one.name}: ${harmless(one.formula)}`).join("; ")}. z [rows, vocab], y [rows]."""`,
    ...made.lines.map((line) => `    ${line}`),
    `    return ${made.pieces.map(({ text }) => text).join(", ")}${made.pieces.length === 1 ? "," : ""}`,
  ];
  const live = statistics.filter(({ differentiated }) => differentiated);
  if (live.length === 0) return { statistics: functions, slopes: [] };
  const z = logitsOf("policy", anyResponse);
  const [slope] = gradient(weighted(live), [z]);
  const { rest, label } = apart(slope!);
  const roots = [rest, label].filter((one) => one !== null);
  const written = writeTile(roots, argument, uses);
  const pieces = [...written.pieces];
  const dense = rest === null ? null : pieces.shift()!;
  const atLabel = label === null ? null : pieces.shift()!;
  const spread = rest !== null && isAlong(rest);
  const start =
    dense === null
      ? "torch.zeros_like(z)"
      : spread
        ? dense.text
        : `(${dense.text})${rest!.axes.length === 0 ? "" : "[:, None]"} * torch.ones_like(z)`;
  return {
    statistics: functions,
    slopes: [
      // the slopes of what is data are handed over as well, and not read
      `def ${name}_slopes(${[...tiles, others].join(", ")}, ${statistics.map((one) => (live.includes(one) ? slopeOf(one) : `_${one.name}${one.models[0] === "ref" && one.models.length === 1 ? "_ref" : ""}`)).join(", ")}):`,
      `    """The gradient to z of ${live.map((one) => `${slopeOf(one)} · ${one.name}`).join(" + ")}, summed over rows."""`,
      ...written.lines.map((line) => `    ${line}`),
      ...(atLabel === null
        ? [`    return ${start}`]
        : [`    return torch.scatter_add(${start}, 1, y[:, None], (${atLabel.text})[:, None])`]),
    ],
  };
}
