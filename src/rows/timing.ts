// When each part of a row program is computed. A program is a sequence of moments. At each of them, dispatches compute values
// per token, per example or of the whole batch from what lies in memory, or add up, compare or sort what an earlier moment
// left there. A value that two moments need is computed at the first of them and kept, unless it is as cheap as a load.

import { topological, type Node } from "../core/node.ts";
import {
  afterOperand,
  argsOf,
  arrival,
  collectives,
  isCrossing,
  isInMemory,
  responseAlong,
  responseWithin,
  scalarMoment,
  type Collective,
  type Moments,
} from "./moments.ts";
import { isWithinPairs } from "./pairs.ts";
import { alongOf, isCollective, isLeaf, isLookup, spaceOf } from "./program.ts";
import type { RowProgram, Space } from "./program.ts";

/** Where a value that a dispatch computes goes. */
export type Target =
  | { readonly kind: "field"; readonly field: number }
  | { readonly kind: "slot"; readonly slot: number }
  /** what a reduction or a sort reads */
  | { readonly kind: "operand"; readonly of: Collective }
  /** memory for later moments */
  | { readonly kind: "kept" };
/** A value that the dispatch over a space stores at a moment; over tokens, for those of one response. */
export interface Store {
  readonly node: Node;
  readonly target: Target;
  readonly moment: number;
  readonly space: Space;
  readonly response: string | null;
}
export interface Timing {
  readonly stores: readonly Store[];
  /** The moment of each reduction and sort. */
  readonly collectives: ReadonlyMap<Collective, number>;
  /** Whether a dispatch over the space of a value finds it in memory at a moment. */
  readonly isLoaded: (node: Node, moment: number) => boolean;
}

export function timing(program: RowProgram): Timing {
  const order = topological(
    [...program.tokenOutputs, ...program.exampleOutputs, ...program.scalarOutputs].map(
      ({ node }) => node,
    ),
  ).filter((node) => !isWithinPairs(node));
  const schedule = collectives(program, order);
  const outputs = [...outputStores(program, schedule), ...operands(schedule)];
  const crossing = kept(order, outputs, schedule);
  const shared = sharedStores(order, [...outputs, ...crossing]);
  const stores = [...outputs, ...crossing, ...shared];
  const homes = homesOf(stores);
  return {
    stores,
    collectives: schedule.moments,
    isLoaded: (node, moment) => (homes.get(node) ?? Infinity) < moment,
  };
}

function outputStores(program: RowProgram, { ready }: Moments): readonly Store[] {
  const single = scalarMoment(program, ready);
  // no step reads a field, so that one map may leave all of them
  const fields = Math.max(
    0,
    ...program.tokenOutputs.map(({ node, response }) => arrival(node, "token", response, ready)),
  );
  return [
    ...program.tokenOutputs.map(({ node, response, field }): Store => ({
      node,
      target: { kind: "field", field },
      moment: fields,
      space: "token",
      response,
    })),
    ...program.exampleOutputs.map(({ node, slot }): Store => ({
      node,
      target: { kind: "slot", slot },
      moment: ready.get(node)!,
      space: "example",
      response: null,
    })),
    ...program.scalarOutputs.map(({ node, slot }): Store => ({
      node,
      target: { kind: "slot", slot },
      moment: single,
      space: "scalar",
      response: null,
    })),
  ];
}

const operands = ({ moments }: Moments): readonly Store[] =>
  [...moments]
    .filter(([of]) => !isInMemory(of))
    .map(([of, moment]): Store => ({
      node: of.args[0],
      target: { kind: "operand", of },
      moment: moment - afterOperand(of),
      space: alongOf(of),
      response: responseAlong(of),
    }));

/** Values per example that tokens or other examples read. */
function kept(
  order: readonly Node[],
  stores: readonly Store[],
  { ready }: Moments,
): readonly Store[] {
  const read = stores.flatMap(({ node, space, response }) =>
    isCrossing(node, space, response) ? [node] : [],
  );
  const all = new Set([...order.flatMap((node) => argsOf(node).stored), ...read]);
  return [...all]
    .filter((node) => !isCollective(node) && node.tag !== "input")
    .map((node) => keptAt(node, ready.get(node)!));
}

const keptAt = (node: Node, moment: number): Store => ({
  node,
  target: { kind: "kept" },
  moment,
  space: spaceOf(node),
  response: responseWithin(node),
});

/** The first moment at which a value of a space is stored where it can be read again. */
function homesOf(stores: readonly Store[]): Map<Node, number> {
  const homes = new Map<Node, number>();
  for (const { node, target, moment, space } of stores) {
    // what is added up along tokens is so by the map that computes it
    if (target.kind !== "kept" && (target.kind !== "operand" || space === "token")) continue;
    if (spaceOf(node) === space) homes.set(node, Math.min(homes.get(node) ?? Infinity, moment));
  }
  return homes;
}

/** As cheap as to read it from memory. */
const isCheap = (node: Node): boolean =>
  isLookup(node) ||
  node.tag === "stop" ||
  (node.tag === "unary" && (node.op === "neg" || node.op === "toReal"));

/** What several moments compute is stored by the first of them. Single values are computed wherever they are needed. */
function sharedStores(order: readonly Node[], stores: readonly Store[]): readonly Store[] {
  const homes = homesOf(stores);
  const made: Store[] = [];
  const wanted = new Map<Node, Set<number>>();
  const want = (node: Node, moments: Iterable<number>): void => {
    if (isLeaf(node) || isCollective(node) || spaceOf(node) === "scalar") return;
    const all = wanted.get(node) ?? new Set<number>();
    for (const moment of moments) all.add(moment);
    wanted.set(node, all);
  };
  for (const { node, moment, space } of stores) if (spaceOf(node) === space) want(node, [moment]);
  for (const node of order.toReversed()) {
    const moments = wanted.get(node);
    if (moments === undefined) continue;
    const first = Math.min(...moments);
    if (moments.size > 1 && !isCheap(node) && homes.get(node) !== first) {
      made.push(keptAt(node, first));
      homes.set(node, first);
    }
    const computed = [...moments].filter((moment) => (homes.get(node) ?? Infinity) >= moment);
    for (const arg of argsOf(node).inline) {
      if (spaceOf(arg) === spaceOf(node)) want(arg, computed);
    }
  }
  return made;
}
