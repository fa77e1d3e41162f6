// The row program as data: where its values come from and go to, and the analysis that comes before any code:
// which values are stored (a value is stored when a value of another kind needs it, and computed again
// otherwise), in which stage each is ready, and which slot each gets.

import { isTokenAxis } from "../core/axis.ts";
import { binary, reduce, substitute, unary } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { topological, type Node, type Reduce, type Sort } from "../core/node.ts";
import type { ReductionGroup } from "./reductions.ts";

/** A value per completion token of one response. */
export interface TokenOutput {
  readonly node: Node;
  readonly response: string;
  readonly field: number;
}
export interface SlotOutput {
  readonly node: Node;
  readonly slot: number;
}
export interface RowProgram {
  readonly tokenOutputs: readonly TokenOutput[];
  /** Values per example. */
  readonly exampleOutputs: readonly SlotOutput[];
  /** Single values. */
  readonly scalarOutputs: readonly SlotOutput[];
  readonly rowField: (input: Node) => number;
  readonly exampleSlot: (input: Node) => number;
  readonly paramSlot: (param: Node) => number;
  /** Position of a response in the stacked tokens. */
  readonly responseIndex: (response: string) => number;
  readonly responses: number;
  /** How many vec4 hold the parameters. */
  readonly paramVectors: number;
  /** First free slots for what must be kept between stages. */
  readonly firstExampleSlot: number;
  readonly firstScalarSlot: number;
}

/** What a value is one of: in the whole batch, per example, or per token. */
export type Space = "scalar" | "example" | "token";
export const spaceOf = (node: Node): Space =>
  node.axes.some(isTokenAxis) ? "token" : node.axes.includes("batch") ? "example" : "scalar";

export const isLeafTag = (node: Node): boolean =>
  node.tag === "const" ||
  node.tag === "param" ||
  node.tag === "input" ||
  node.tag === "iota" ||
  node.tag === "count";

/** Whether a value is made of the values of other examples or tokens, by all lanes together. */
export const isCollective = (node: Node): node is Reduce | Sort =>
  node.tag === "reduce" || node.tag === "sort";

/** Whether a node reads an argument at other examples than its own, which only a buffer makes possible. */
const readsElsewhere = (node: Node, arg: Node): boolean =>
  spaceOf(arg) === "example" &&
  (node.tag === "sort" ||
    (node.tag === "at" && node.axis === "batch" && arg === node.args[0] && arg !== node.args[1]));

export interface Analysis {
  readonly groups: readonly ReductionGroup[];
  readonly sorts: readonly Sort[];
  /** Values kept in buffers; all others are computed where they are used. */
  readonly stored: ReadonlySet<Node>;
  /** The stage in which a value can be computed: everything it needs was stored in earlier ones. */
  readonly stageOf: (node: Node) => number;
  /** The stage from which a value may be used: a collective one only after the stage that computes it. */
  readonly readyAt: (node: Node) => number;
  /** Stages 0 … stages − 1 compute what is stored; outputs come after them. */
  readonly stages: number;
  readonly slotOf: (node: Node) => number;
  readonly exampleSlots: number;
  readonly scalarSlots: number;
}

export function analyse(program: RowProgram): Analysis {
  const outputs = [
    ...program.tokenOutputs,
    ...program.exampleOutputs,
    ...program.scalarOutputs,
  ].map(({ node }) => node);
  const order = topological(outputs);

  const stored = new Set<Node>();
  for (const node of order) {
    if (isCollective(node)) stored.add(node);
    for (const arg of node.args) {
      const crosses = spaceOf(arg) === "example" && spaceOf(node) === "token";
      if (crosses && !isLeafTag(arg)) stored.add(arg);
      // an input lies in a buffer already
      if (readsElsewhere(node, arg) && arg.tag !== "input") stored.add(arg);
    }
  }

  const stage = new Map<Node, number>();
  const usable = (arg: Node, node: Node): number => {
    const elsewhere = readsElsewhere(node, arg);
    if (isLeafTag(arg)) return elsewhere && stored.has(arg) ? 1 : 0;
    const crosses = spaceOf(arg) !== spaceOf(node) && node.tag !== "reduce";
    const later = isCollective(arg) || (stored.has(arg) && (crosses || elsewhere));
    return stage.get(arg)! + (later ? 1 : 0);
  };
  for (const node of order)
    stage.set(node, Math.max(0, ...node.args.map((arg) => usable(arg, node))));
  const readyAt = (node: Node): number => stage.get(node)! + (isCollective(node) ? 1 : 0);

  let exampleSlots = program.firstExampleSlot;
  let scalarSlots = program.firstScalarSlot;
  const slots = new Map<Node, number>();
  const groups = groupReductions(order, (node) => stage.get(node)!).map((group): ReductionGroup => {
    const isPerExample = group.along === "tokens";
    const firstSlot = isPerExample ? exampleSlots : scalarSlots;
    group.nodes.forEach((node, i) => slots.set(node, firstSlot + i));
    if (isPerExample) exampleSlots += group.nodes.length;
    else scalarSlots += group.nodes.length;
    return { ...group, firstSlot };
  });
  for (const node of stored) {
    if (slots.has(node)) continue;
    slots.set(node, spaceOf(node) === "example" ? exampleSlots++ : scalarSlots++);
  }
  return {
    groups,
    sorts: order.filter((node): node is Sort => node.tag === "sort"),
    stored,
    stageOf: (node) => stage.get(node)!,
    readyAt,
    stages: 1 + Math.max(-1, ...[...stored].map((node) => stage.get(node)!)),
    slotOf: (node) => slots.get(node)!,
    exampleSlots,
    scalarSlots,
  };
}

/** Reductions that are ready together and run in the same loops. */
function groupReductions(
  order: readonly Node[],
  stageOf: (node: Node) => number,
): readonly Omit<ReductionGroup, "firstSlot">[] {
  const groups = new Map<
    string,
    { stage: number; along: "tokens" | "batch"; op: "sum" | "max"; nodes: Reduce[] }
  >();
  for (const node of order) {
    if (node.tag !== "reduce") continue;
    const along = node.axis === "batch" ? "batch" : "tokens";
    if (node.op === "logSumExp" || node.axis === "vocab") {
      fail(
        "kernel-axis",
        `A row program cannot compute ${node.op} along ${node.axis}; this is a bug of prefc, so please report it with the objective.`,
      );
    }
    const stage = stageOf(node);
    const key = `${stage} ${along} ${node.op}`;
    const group = groups.get(key) ?? { stage, along, op: node.op, nodes: [] };
    group.nodes.push(node);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** logSumExp along tokens or examples as a maximum and a sum, two stages. */
export function withoutLogSumExp(roots: readonly Node[]): readonly Node[] {
  return substitute(
    roots,
    (node) => {
      if (node.tag !== "reduce" || node.op !== "logSumExp") return node;
      const largest = reduce("max", node.axis, node.args[0]);
      const shifted = unary("exp", binary("minus", node.args[0], largest));
      return binary("plus", largest, unary("log", reduce("sum", node.axis, shifted)));
    },
    topological(roots),
  );
}
