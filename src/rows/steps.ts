// The row level: a row program as a list of data-parallel steps. A map computes values at every token, at every example or
// once. One over tokens adds up (or takes the largest of) values along the tokens of each response of each example as it goes,
// and the last one, of single values, adds up along the batch what nothing else waits for. Other values are added up along the
// batch by a reduction, and an order sorts examples. A step reads what earlier ones stored, so each is a dispatch over as many
// workgroups as there is work, and no result depends on their number.

import type { Node, Sort } from "../core/node.ts";
import { memoryOf, neighbours, type Memory } from "./memory.ts";
import { alongOf, isCollective, type RowProgram } from "./program.ts";
import { tokenWorks, type TokenWork } from "./shared.ts";
import type { Collective } from "./moments.ts";
import { timing, type Store, type Timing } from "./timing.ts";

/**
 * Where a map stores a value: in a field or a pair of each token, or in a pair of each example, or a single one. What is added
 * up along tokens, or the largest of them, goes into the block of pairs of each response of each example.
 */
export interface Place {
  readonly kind: "field" | "term" | "slot" | ReduceOp;
  readonly index: number;
}
export type ReduceOp = "sum" | "max";
export interface Result {
  readonly node: Node;
  readonly place: Place;
  /** The responses whose tokens compute it, in a map over tokens. */
  readonly responses: readonly string[];
}
export interface MapStep {
  readonly kind: "map";
  readonly over: "token" | "example" | "scalar";
  readonly moment: number;
  readonly results: readonly Result[];
  /** In a map over tokens, the value per example that those of each response read in the place of another. */
  readonly bindings: TokenWork["bindings"];
  /** In the map of single values, what it adds up along the batch before. */
  readonly before: readonly ReduceStep[];
}
/** Of neighbouring slots: pairs of examples into single ones, along the batch. */
export interface ReduceStep {
  readonly kind: "reduce";
  readonly op: ReduceOp;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly nodes: readonly Node[];
}
export interface OrderStep {
  readonly kind: "order";
  readonly op: "rank" | "order";
  readonly from: number;
  readonly to: number;
  readonly node: Node;
}
export type Step = MapStep | ReduceStep | OrderStep;

export interface RowSteps {
  readonly steps: readonly Step[];
  readonly timing: Timing;
  readonly memory: Memory;
}

/** What a map over tokens adds up, or takes the largest of, along those of each response of each example. */
export const sumsOf = ({ results }: MapStep): readonly Result[] =>
  results.filter(({ place: { kind } }) => kind === "sum" || kind === "max");

/** What happens at a moment: maps first in the list, then what reads the maps of the moment before. */
export interface Moment {
  readonly moment: number;
  readonly works: readonly TokenWork[];
  readonly examples: readonly Store[];
  readonly scalars: readonly Store[];
  /** What goes along the batch, of one kind each. */
  readonly groups: readonly (readonly Collective[])[];
  /** The same where the single values of this moment are all that reads it. */
  readonly last: readonly (readonly Collective[])[];
}

export function rowSteps(program: RowProgram): RowSteps {
  const times = timing(program);
  const memory = memoryOf(program);
  const { stores } = times;
  const collectives = [...times.collectives].filter(([node]) => alongOf(node) === "example");
  const waiting = awaited(stores);
  const last = collectives.flatMap(([node]) =>
    node.tag === "reduce" && !waiting.has(node) ? [node] : [],
  );
  const all = new Set([
    ...stores.map(({ moment }) => moment),
    ...collectives.map(([, moment]) => moment),
  ]);
  const moments = [...all]
    .toSorted((a, b) => a - b)
    .map((moment): Moment => {
      const own = (space: Store["space"]): readonly Store[] =>
        stores.filter((store) => store.moment === moment && store.space === space);
      const at = collectives.flatMap(([node, when]) =>
        when === moment && (node.tag === "sort" || waiting.has(node)) ? [node] : [],
      );
      const works = tokenWorks(own("token"), {
        program,
        memory: (node) => (times.isLoaded(node, moment) ? memory.term(node) : undefined),
      });
      for (const work of works) memory.placeTerms(work);
      const scalars = own("scalar");
      return {
        moment,
        works,
        examples: own("example"),
        scalars,
        groups: kinds(at),
        last: scalars.length === 0 ? [] : kinds(last),
      };
    });
  memory.placeSlots(moments);
  return { steps: moments.flatMap((moment) => stepsOf(moment, memory)), timing: times, memory };
}

/** The collective values that something else waits for than the map of single values. */
function awaited(stores: readonly Store[]): ReadonlySet<Node> {
  const roots = stores.flatMap(({ node, space }) => (space === "scalar" ? [] : [node]));
  const seen = new Set<Node>(roots);
  const stack = [...roots];
  while (stack.length > 0) {
    const node = stack.pop()!;
    // what a collective value is made of has a store of its own
    for (const arg of isCollective(node) ? [] : node.args) {
      if (seen.has(arg)) continue;
      seen.add(arg);
      stack.push(arg);
    }
  }
  return seen;
}

/** Sums and maxima go together; every order is a step of its own. */
function kinds(nodes: readonly Collective[]): readonly (readonly Collective[])[] {
  const kind = (node: Collective): string => (node.tag === "sort" ? `sort ${node.id}` : node.op);
  return [...new Set(nodes.map(kind))].map((each) => nodes.filter((node) => kind(node) === each));
}

function stepsOf(
  { moment, works, examples, scalars, groups, last }: Moment,
  memory: Memory,
): readonly Step[] {
  const bindings = new Map();
  const map = (
    over: MapStep["over"],
    stores: readonly Store[],
    before: readonly ReduceStep[] = [],
  ): readonly Step[] =>
    stores.length === 0
      ? []
      : [
          {
            kind: "map",
            over,
            moment,
            bindings,
            before,
            results: stores.map((store) => ({
              node: store.node,
              place: { kind: "slot", index: memory.target(store) },
              responses: [],
            })),
          },
        ];
  return [
    ...works.map((work): Step => ({
      kind: "map",
      over: "token",
      moment,
      bindings: work.bindings,
      before: [],
      results: work.values.map(({ store, members }) => ({
        node: store.node,
        place: { kind: placed(store), index: memory.target(store) },
        responses: [...members.keys()],
      })),
    })),
    ...map("example", examples),
    ...map("scalar", scalars, reductions(last, memory)),
    ...groups.flatMap((group): readonly Step[] => {
      const [first] = group;
      return first!.tag === "sort" ? [order(first!, memory)] : reductions([group], memory);
    }),
  ];
}

const placed = ({ target }: Store): Place["kind"] =>
  target.kind === "field" ? "field" : target.kind === "operand" ? reduceOp(target.of) : "term";
const reduceOp = ({ op }: Collective): ReduceOp => op as ReduceOp;

const reductions = (
  groups: readonly (readonly Collective[])[],
  memory: Memory,
): readonly ReduceStep[] =>
  groups.flatMap((group) =>
    neighbours(group, (node) => memory.operand(node)).map((run): ReduceStep => {
      const [node] = run as [Collective];
      const from = memory.operand(node);
      const count = 1 + memory.operand(run.at(-1)!) - from;
      return { kind: "reduce", op: reduceOp(node), from, to: memory.slot(node), count, nodes: run };
    }),
  );

const order = (node: Sort, memory: Memory): OrderStep => ({
  kind: "order",
  op: node.op,
  from: memory.operand(node),
  to: memory.slot(node),
  node,
});
