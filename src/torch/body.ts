// The lines of the emitted function: the loss with its normalisers, the next state, and the metrics. Normalisers are sums and
// counts of this call unless those of the whole batch are given, so that parts of a batch add up exactly; metrics are of the call.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import { binary, count, param, substitute } from "../core/build.ts";
import { topological, type Node } from "../core/node.ts";
import type { Arguments, NumberArgument } from "./arguments.ts";
import { writeFormula, type Uses } from "./formula.ts";
import { averaged, overBatch, type Entered } from "./height.ts";
import { describing, wordOf, type Namer } from "./names.ts";
import { within, type Piece } from "./piece.ts";
import type { Totals } from "./totals.ts";

export interface Body {
  readonly lines: readonly string[];
  readonly totals: readonly NumberArgument[];
}

/** What a normaliser is called: pairs, examples, or tokens of a response. */
function totalName(node: Node, responses: readonly string[]): string {
  if (node.tag === "count") return responses.length === 2 ? "pairs" : "examples";
  const [body] = node.args;
  if (body?.tag === "count" && isTokenAxis(body.axis))
    return responses.length < 2 ? "tokens" : `tokens_${wordOf(responseOf(body.axis))}`;
  return `total_${describing(node)}`;
}

const isCount = (node: Node): boolean =>
  node.tag === "count" || (node.tag === "reduce" && node.args[0].tag === "count");

/** Whether a term has what a loss of each example has: its axes alone. */
const isLossOf = (loss: Node, term: Node): boolean => loss.axes.length === term.axes.length;

/** Replaces each total by the sum of an argument and what it is of this call, which `writeFormula` knows. */
function withTotals(
  roots: readonly Node[],
  totals: ReadonlyMap<Node, string>,
): { readonly roots: readonly Node[]; readonly markers: ReadonlyMap<Node, string> } {
  const markers = new Map<Node, string>();
  const replaced = substitute(
    roots,
    (rebuilt, original) => {
      const name = totals.get(original);
      if (name === undefined) return rebuilt;
      const marker = binary("plus", param(`\u0000total ${name}`), original);
      markers.set(marker, name);
      return marker;
    },
    topological(roots),
  );
  return { roots: replaced, markers };
}

export function body(
  entered: Entered,
  responses: readonly string[],
  given: Arguments,
  { sums }: Totals,
  names: Namer,
  uses: Uses,
): Body {
  const needed = new Set<Node>(sums);
  // a count is never 0, so that 0 can say that none is given
  if (sums.length > 0 && !sums.some(isCount)) needed.add(count("batch"));
  const own = [...needed].toSorted((a, b) => Number(isCount(b)) - Number(isCount(a)));
  const totals = new Map(own.map((node) => [node, names.fresh(totalName(node, responses))]));

  const metricNames = Object.keys(entered.metrics);
  const stateNames = Object.keys(entered.next);
  const inLoss = [averaged(entered.loss), ...stateNames.map((state) => entered.next[state]!)];
  const known = new Set(topological(inLoss));
  // a metric that the loss is made of is what the loss has used
  const shared = metricNames.filter((metric) => known.has(entered.metrics[metric]!));
  const { roots, markers } = withTotals(
    [...inLoss, ...shared.map((metric) => entered.metrics[metric]!)],
    totals,
  );
  const metrics = metricNames.map((metric) => {
    const position = shared.indexOf(metric);
    const node = position < 0 ? entered.metrics[metric]! : roots[inLoss.length + position]!;
    return overBatch(node);
  });
  const called = new Map<Node, string>([[roots[0]!, "loss"]]);
  metricNames.forEach((metric, position) => {
    const node = metrics[position]!;
    const term = node.tag === "binary" && node.op === "over" ? node.args[0].args[0] : undefined;
    if (entered.metrics[metric]!.axes.includes("batch") && term !== undefined)
      called.set(term, metric);
  });
  // the loss of each example is what is averaged first
  for (const node of topological([roots[0]!])) {
    const term =
      node.tag === "reduce" && node.op === "sum" && node.axis === "batch" ? node.args[0] : null;
    if (
      term !== null &&
      term.axes.includes("batch") &&
      markers.size > 0 &&
      isLossOf(entered.loss, term)
    )
      called.set(term, "losses");
  }

  const local = entered.statistics.map(given.statistic)[0];
  const first =
    given.tensors.find(({ whole }) => !whole) ??
    (local === undefined ? undefined : { name: local, shape: "rows, tokens" });
  const rows = given.tensors.find(({ shape }) => shape === "rows" || shape === "rows, tokens");
  const { lines, pieces } = writeFormula([...roots.slice(0, inLoss.length), ...metrics], {
    responses,
    namer: names,
    argument: given.of,
    mask: given.mask,
    rows: rows === undefined ? "" : rows.shape === "rows" ? rows.name : `${rows.name}[:, 0]`,
    unit: `torch.ones_like(${first?.name}[${first?.shape === "rows, tokens" ? "0, 0" : "0"}])`,
    totals: markers,
    called,
    uses,
  });
  const [loss, ...others] = pieces as readonly [Piece, ...Piece[]];
  const record = (keys: readonly string[], from: number): string =>
    `{${keys.map((key, position) => `${JSON.stringify(key)}: ${others[from + position]!.text}`).join(", ")}}`;
  const state = stateNames.length === 0 ? "" : `, ${record(stateNames, 0)}`;
  return {
    lines: [
      ...lines,
      `metrics = ${record(metricNames, stateNames.length)}`,
      `return ${within(loss, 0)}, metrics${state}`,
    ],
    totals: [...totals].map(([, name]) => ({ name, param: name, initial: 0 })),
  };
}
