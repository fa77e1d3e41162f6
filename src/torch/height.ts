// Where an emitted loss takes its data: from logits, from statistics of each token, or from log-probabilities of sequences. What
// a height does not hand out ends in the name of the statistic; metrics that need it are left out, as they are elsewhere.

import { isTokenAxis, responseOf, tokenAxis } from "../core/axis.ts";
import { binary, count, input, reduce, substitute, unary } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { logpsInput, type ModelName } from "../core/inputs.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import { printExpression } from "../core/infix.ts";
import type { Seam, Statistic } from "../seam/statistics.ts";

export type EmitHeight = "logits" | "statistics" | "logps";
export const emitHeights: readonly EmitHeight[] = ["logits", "statistics", "logps"];

/** What is handed over. */
export interface Offered {
  readonly from: EmitHeight;
  /** Statistics that are handed out, by name; all when left out. */
  readonly statistics?: readonly string[] | undefined;
  /** Models of which one log-probability a sequence is handed over, as cached ones are. */
  readonly sequences: readonly ModelName[];
  /** Whether metrics are computed, or the names of those that are. */
  readonly metrics: boolean | readonly string[];
}
export interface Entered extends Seam {
  /** Metrics that need what is not handed over. */
  readonly dropped: readonly string[];
}

/** |y| as data, for a height that has no tokens. */
const lengthsInput = (response: string): Input =>
  input({ kind: "lengths", response }, ["batch"]) as Input;

const spokenModel = (model: ModelName): string =>
  ({ policy: "the policy", ref: "the reference" })[model] ?? `the model ${cite(model)}`;

/** How a statistic is called in a sentence. */
const described = ({ name, models, formula }: Statistic): string =>
  `${name} of ${models.map(spokenModel).join(" and ")} (${formula})`;

/** What is replaced by numbers that are handed over per sequence. */
function perSequence(
  roots: readonly Node[],
  seam: Seam,
  { from, sequences }: Offered,
): ReadonlyMap<Node, Node> {
  const replaced = new Map<Node, Node>();
  for (const statistic of seam.statistics) {
    const [model, ...others] = statistic.models;
    if (statistic.name !== "log_probs" || others.length > 0 || model === undefined) continue;
    if (from !== "logps" && !sequences.includes(model)) continue;
    for (const [response, own] of Object.entries(statistic.inputs))
      replaced.set(reduce("sum", tokenAxis(response), own), logpsInput(model, response));
  }
  if (from === "logps") {
    const axes = topological(roots).flatMap((node) => node.axes);
    for (const axis of new Set(axes.filter(isTokenAxis)))
      replaced.set(count(axis), lengthsInput(responseOf(axis)));
    for (const node of topological(roots)) {
      if (node.tag === "count" && isTokenAxis(node.axis))
        replaced.set(node, lengthsInput(responseOf(node.axis)));
    }
  }
  return replaced;
}

/** Enters an objective at a height. @throws PrefcError emit-statistic, emit-unknown-metric */
export function enter(name: string, seam: Seam, offered: Offered): Entered {
  const wanted = Object.entries(seam.metrics).filter(
    ([metric]) =>
      offered.metrics === true || (offered.metrics !== false && offered.metrics.includes(metric)),
  );
  const stateNames = Object.keys(seam.next);
  const before = [
    seam.loss,
    ...stateNames.map((state) => seam.next[state]!),
    ...wanted.map(([, node]) => node),
  ];
  const replaced = perSequence(before, seam, offered);
  const after = substitute(
    before,
    (rebuilt, original) => replaced.get(original) ?? rebuilt,
    topological(before),
  );
  const statisticOf = new Map(
    seam.statistics.flatMap((one) => Object.values(one.inputs).map((own) => [own, one] as const)),
  );
  const isOffered = ({ name: own, models }: Statistic): boolean =>
    offered.from !== "logps" &&
    !models.some((model) => offered.sequences.includes(model)) &&
    (offered.statistics === undefined || offered.statistics.includes(own));
  /** What a root needs that is not handed over, in words. */
  const lacks = (root: Node): readonly string[] => {
    const order = topological([root]);
    const statistics = order.flatMap((node) => {
      const own = node.tag === "input" ? statisticOf.get(node) : undefined;
      return own === undefined || isOffered(own) ? [] : [own];
    });
    const places = order.filter(
      (node) => offered.from === "logps" && node.tag !== "input" && node.axes.some(isTokenAxis),
    );
    // what has a sum per sequence is said last
    const known = [...new Set(statistics)].toSorted(
      (x, y) => Number(x.name === "log_probs") - Number(y.name === "log_probs"),
    );
    if (known.length > 0) return known.map(described);
    return places.slice(0, 1).map((node) => `${printExpression(node, 8)} of each token`);
  };
  const missing = [
    ...new Set(after.slice(0, 1 + stateNames.length).flatMap((root) => lacks(root))),
  ];
  if (missing.length > 0) {
    const low = offered.from === "logps" || offered.sequences.length > 0;
    const what = low
      ? "one log-probability a sequence does"
      : `the statistics ${(offered.statistics ?? []).join(", ")} do`;
    const advice = offered.from === "logps" ? "statistics or logits" : "logits, or hand it out";
    fail(
      "emit-statistic",
      `emit: ${cite(name)} needs ${missing.join(" and ")} at each token, which ${what} not hand out; emit it from ${advice}.`,
    );
  }
  const metrics = wanted.map(
    ([metric], position) => [metric, after[1 + stateNames.length + position]!] as const,
  );
  const kept = metrics.filter(([, node]) => lacks(node).length === 0);
  const next = Object.fromEntries(
    stateNames.map((state, position) => [state, after[1 + position]!]),
  );
  const read = new Set(
    topological([after[0]!, ...Object.values(next), ...kept.map(([, node]) => node)]),
  );
  return {
    loss: after[0]!,
    next,
    metrics: Object.fromEntries(kept),
    dropped: Object.keys(seam.metrics).filter((metric) => !kept.some(([own]) => own === metric)),
    statistics: seam.statistics.filter(({ inputs }) =>
      Object.values(inputs).some((own) => read.has(own)),
    ),
  };
}

/** The average over the examples of what is one for each; what is the same for all is its own average. */
export const overBatch = (node: Node): Node =>
  node.axes.includes("batch") ? binary("over", reduce("sum", "batch", node), count("batch")) : node;

/**
 * The loss as one number, in which a term that is the same for all examples stands beside the average and not in it: so it
 * is counted once, however many parts a batch is made of.
 */
export function averaged(loss: Node): Node {
  const [each, whole] = [new Array<Node>(), new Array<Node>()];
  const signed = (node: Node, negative: boolean): Node => (negative ? unary("neg", node) : node);
  const visit = (node: Node, negative: boolean): void => {
    const parts = node.tag === "binary" && (node.op === "plus" || node.op === "minus");
    if (parts && node.args.some((arg) => !arg.axes.includes("batch"))) {
      visit(node.args[0], negative);
      visit(node.args[1], node.op === "minus" ? !negative : negative);
    } else (node.axes.includes("batch") ? each : whole).push(signed(node, negative));
  };
  visit(loss, false);
  const sum = (nodes: readonly Node[]): Node =>
    nodes.reduce((total, node) => binary("plus", total, node));
  if (each.length === 0) return loss;
  return sum([overBatch(sum(each)), ...whole]);
}
