// The row level: a row program as a list of data-parallel steps. A map computes values at every token, at every example or
// once; a reduction adds up (or takes the largest of) what lies along the tokens of each response of each example, or along
// the batch; an order sorts examples. A step reads what earlier ones stored, so each is a dispatch over as many
// workgroups as there is work, and no result depends on their number.

import type { Node } from "../core/node.ts";
import { memoryOf, type Memory } from "./memory.ts";
import { alongOf, type RowProgram } from "./program.ts";
import { tokenWorks, type TokenWork } from "./shared.ts";
import type { Collective } from "./moments.ts";
import { timing, type Store, type Timing } from "./timing.ts";

/** Where a map stores a value: in a field or a pair of each token, or in a pair of each example, or a single one. */
export interface Place {
  readonly kind: "field" | "term" | "slot";
  readonly index: number;
}
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
}
/** Of neighbouring slots: pairs of tokens into pairs of each response of each example, or pairs of examples into single ones. */
export interface ReduceStep {
  readonly kind: "reduce";
  readonly along: "token" | "example";
  readonly op: "sum" | "max";
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

/** What happens at a moment: maps first in the list, then what reads the maps of the moment before. */
export interface Moment {
  readonly moment: number;
  readonly works: readonly TokenWork[];
  readonly examples: readonly Store[];
  readonly scalars: readonly Store[];
  /** Collective values of one kind, each kind a step. */
  readonly groups: readonly (readonly Collective[])[];
}

export function rowSteps(program: RowProgram): RowSteps {
  const times = timing(program);
  const memory = memoryOf(program);
  const { stores, collectives } = times;
  const all = new Set([...stores.map(({ moment }) => moment), ...collectives.values()]);
  const moments = [...all]
    .toSorted((a, b) => a - b)
    .map((moment): Moment => {
      const own = (space: Store["space"]): readonly Store[] =>
        stores.filter((store) => store.moment === moment && store.space === space);
      const at = [...collectives].flatMap(([node, when]) => (when === moment ? [node] : []));
      const works = tokenWorks(own("token"), {
        program,
        memory: (node) => (times.isLoaded(node, moment) ? memory.term(node) : undefined),
      });
      for (const work of works) memory.placeTerms(work);
      return { moment, works, examples: own("example"), scalars: own("scalar"), groups: kinds(at) };
    });
  memory.placeSlots(moments);
  return { steps: moments.flatMap((moment) => stepsOf(moment, memory)), timing: times, memory };
}

/** Sums and maxima of a moment along the same axis go together; every order is a step of its own. */
function kinds(nodes: readonly Collective[]): readonly (readonly Collective[])[] {
  const kind = (node: Collective): string =>
    node.tag === "sort" ? `sort ${node.id}` : `${alongOf(node)} ${node.op}`;
  return [...new Set(nodes.map(kind))].map((each) => nodes.filter((node) => kind(node) === each));
}

function stepsOf(
  { moment, works, examples, scalars, groups }: Moment,
  memory: Memory,
): readonly Step[] {
  const bindings = new Map();
  const map = (over: MapStep["over"], stores: readonly Store[]): readonly Step[] =>
    stores.length === 0
      ? []
      : [
          {
            kind: "map",
            over,
            moment,
            bindings,
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
      results: work.values.map(({ store, members }) => ({
        node: store.node,
        place: {
          kind: store.target.kind === "field" ? "field" : "term",
          index: memory.target(store),
        },
        responses: [...members.keys()],
      })),
    })),
    ...map("example", examples),
    ...map("scalar", scalars),
    ...groups.flatMap((group) =>
      neighbours(group, memory).map((run): Step => collective(run, memory)),
    ),
  ];
}

/** Runs of collective values whose operands are neighbours. */
function neighbours(
  group: readonly Collective[],
  memory: Memory,
): readonly (readonly Collective[])[] {
  const runs: Collective[][] = [];
  for (const node of group.toSorted((a, b) => memory.operand(a) - memory.operand(b))) {
    const last = runs.at(-1)?.at(-1);
    if (last !== undefined && memory.operand(node) - memory.operand(last) <= 1)
      runs.at(-1)!.push(node);
    else runs.push([node]);
  }
  return runs;
}

function collective(run: readonly Collective[], memory: Memory): Step {
  const [node] = run as [Collective];
  const [from, to] = [memory.operand(node), memory.block(node)];
  if (node.tag === "sort") return { kind: "order", op: node.op, from, to, node };
  const count = 1 + memory.operand(run.at(-1)!) - from;
  const op = node.op as ReduceStep["op"];
  return { kind: "reduce", along: alongOf(node), op, from, to, count, nodes: run };
}
