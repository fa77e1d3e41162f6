// The lines of the emitted function: the loss with its normalisers, the next state, and the metrics. Normalisers are sums and
// counts of this call unless those of the whole batch are given, so that parts of a batch add up exactly; metrics are of the call.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import { binary, count, param, substitute } from "../core/build.ts";
import { isPrompt } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import type { Arguments, NumberArgument } from "./arguments.ts";
import { withHelper, writeFormula, type Uses } from "./formula.ts";
import { averaged, overBatch, type Entered } from "./height.ts";
import { hasPoles } from "./guards.ts";
import { describing, wordOf, type Namer } from "./names.ts";
import type { Piece } from "./piece.ts";
import { rowsOf } from "./stack.ts";
import type { Totals } from "./totals.ts";

export interface Body {
  readonly lines: readonly string[];
  readonly totals: readonly TotalArgument[];
}
/** What a loss is divided by, or another sum over the batch; counts are known before the loss is. */
export interface TotalArgument extends Omit<NumberArgument, "range"> {
  readonly counts: boolean;
}

function tokensName(response: string, responses: readonly string[]): string {
  const before = isPrompt(response) ? "prompt_tokens" : "tokens";
  return responses.length < 2 ? before : `${before}_${wordOf(rowsOf(response))}`;
}

/** What a normaliser is called: pairs, examples, or tokens of a response. */
function totalName(node: Node, responses: readonly string[]): string {
  if (node.tag === "count") return responses.length === 2 ? "pairs" : "examples";
  const [body] = node.args;
  if (body?.tag === "count" && isTokenAxis(body.axis))
    return tokensName(responseOf(body.axis), responses);
  return `total_${describing(node)}`;
}

const isCount = (node: Node): boolean =>
  node.tag === "count" || (node.tag === "reduce" && node.args[0].tag === "count");

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

  const perToken = [
    ...given.tensors
      .filter(({ shape, whole }) => shape === "rows, tokens" && !whole)
      .map((tensor) => tensor.name),
    ...(given.tensors.some(({ shape }) => shape === "rows, tokens, vocab")
      ? entered.statistics.map(given.statistic)
      : []),
  ];
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
  const local = entered.statistics.map(given.statistic)[0];
  const real = given.tensors.find(({ whole }) => !whole);
  const first = real ?? (local === undefined ? undefined : { name: local, shape: "rows, tokens" });
  const place = { "rows, tokens": "[0, 0]", rows: "[0]", examples: "[0]" } as const;
  const unit =
    first === undefined
      ? "torch.ones((), dtype=torch.float64)"
      : `torch.ones_like(${first.name}${place[first.shape as keyof typeof place]})`;
  const rows = given.tensors.find(({ shape }) => shape === "rows" || shape === "rows, tokens");
  const example = given.tensors.find(({ shape }) => shape === "examples");
  const each = rows ?? example ?? given.tensors[0];
  const { lines, pieces } = writeFormula([...roots.slice(0, inLoss.length), ...metrics], {
    responses,
    namer: names,
    argument: given.of,
    mask: given.mask,
    rows:
      each === undefined ? "" : each.shape === "rows, tokens" ? `${each.name}[:, 0]` : each.name,
    perExample: each?.shape === "examples",
    unit,
    totals: markers,
    counted: [...totals].find(([node]) => isCount(node))?.[1],
    called,
    uses,
  });
  const [loss, ...others] = pieces as readonly [Piece, ...Piece[]];
  const record = (keys: readonly string[], from: number, more: readonly string[] = []): string =>
    `{${[...keys.map((key, position) => `${JSON.stringify(key)}: ${others[from + position]!.text}`), ...more].join(", ")}}`;
  const flags = [
    `~torch.isfinite(loss)`,
    ...(given.mask === null ? [] : ["2 * torch.any(torch.sum(mask, 1) == 0)"]),
    ...(given.outside === null ? [] : [`4 * torch.any(${given.outside} & mask)`]),
  ].join(" + ");
  const fills =
    given.mask === null || !hasPoles([...inLoss, ...metrics])
      ? []
      : perToken.map(
          (name) =>
            `${name} = ${withHelper("filled", uses)}(${name}, ${given.masks.map((one) => (given.masks.length > 1 ? `(${one} > 0)` : `${one} > 0`)).join(" | ")})`,
        );
  const state = stateNames.length === 0 ? "" : `, ${record(stateNames, 0)}`;
  return {
    lines: [
      ...fills,
      ...lines,
      ...(loss.text === "loss" ? [] : [`loss = ${loss.text}`]),
      `return loss, ${record(metricNames, stateNames.length, [`"undefined": ${flags}`])}${state}`,
    ],
    totals: [...totals].map(([node, name]) => ({
      name,
      param: name,
      initial: 0,
      counts: isCount(node),
    })),
  };
}
