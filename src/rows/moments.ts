// The moments of a row program: from when each value may be used, and when each sum, maximum and order is made. They are as early
// as can be, but a collective value that nothing waits for joins others of its kind, so that there are fewer dispatches.

import { isList, rowsAlong, rowsAmong } from "../core/axis.ts";
import type { Node, Reduce, Sort } from "../core/node.ts";
import { isPairLoop, storedForLoop } from "./pairs.ts";
import { alongOf, isCollective, isLookup, spaceOf } from "./program.ts";
import type { RowProgram, Space } from "./program.ts";

export type Collective = Reduce | Sort;

/** A leaf per example that a row knows without memory: its example, and the length of its own response. */
export const isOwnLeaf = (arg: Node, response: string | null): boolean =>
  (arg.tag === "iota" && arg.axis === "batch") ||
  (arg.tag === "count" && rowsAlong(arg.axis) === response && spaceOf(arg) === "example");

/** Whether a dispatch over a space finds a value only in memory: one per example that a row reads, or per response of a list. */
export const isCrossing = (arg: Node, space: Space, response: string | null): boolean => {
  if (space !== "token") return false;
  const of = spaceOf(arg);
  return of === "token"
    ? responseWithin(arg) !== response
    : of === "example" && !isOwnLeaf(arg, response);
};

export const responseWithin = (node: Node): string | null => rowsAmong(node.axes);
/** Whether the operand of a collective value per example lies in a slot already. */
export const isInMemory = (of: Collective): boolean => {
  const [operand] = of.args;
  const isStored = isCollective(operand) || operand.tag === "input";
  return isStored && alongOf(of) === "example" && spaceOf(operand) === "example";
};
export const responseAlong = ({ axis }: Collective): string | null => rowsAlong(axis);
/** Whether a collective value goes along the tokens of each response of a list. */
const isAlongList = (node: Collective): boolean => isList(responseAlong(node) ?? "");

/** The arguments of a node that must lie in memory, and those that are computed where it is. */
export function argsOf(node: Node): {
  readonly stored: readonly Node[];
  readonly inline: readonly Node[];
} {
  if (isPairLoop(node)) {
    const found = storedForLoop(node);
    const isStored = (arg: Node): boolean =>
      spaceOf(arg) !== "scalar" &&
      !(spaceOf(arg) === "example" && isOwnLeaf(arg, responseWithin(node)));
    return { stored: found.filter(isStored), inline: found.filter((arg) => !isStored(arg)) };
  }
  if (isLookup(node)) return { stored: [node.args[0]], inline: [node.args[1]] };
  const response = responseWithin(node);
  const crosses = (arg: Node): boolean => isCrossing(arg, spaceOf(node), response);
  return {
    stored: node.args.filter(crosses),
    inline: node.args.filter((arg) => !crosses(arg)),
  };
}

export interface Moments {
  /** From which moment a value may be used by a dispatch over its own space. */
  readonly ready: ReadonlyMap<Node, number>;
  readonly moments: ReadonlyMap<Collective, number>;
}

/** When a value may be read from memory. Inputs lie there from the start, collective values as soon as they are made. */
const storedBy = (node: Node, ready: ReadonlyMap<Node, number>): number =>
  node.tag === "input" ? 0 : ready.get(node)! + (isCollective(node) ? 0 : 1);

/** When a dispatch over a space may compute, or copy, a value. */
export const arrival = (
  node: Node,
  space: Space,
  response: string | null,
  ready: ReadonlyMap<Node, number>,
): number => (isCrossing(node, space, response) ? storedBy(node, ready) : ready.get(node)!);

/**
 * How many moments after its operand: the map over tokens that computes a value adds it up as well, and what lies in memory
 * already need not be stored first.
 */
export const afterOperand = (node: Collective): number =>
  alongOf(node) === "token" || isInMemory(node) ? 0 : 1;

/** Every collective value at the earliest moment, or at the moment of a `later` one that it may choose. */
function earliest(
  order: readonly Node[],
  choose: (node: Collective, from: number) => number,
): Moments {
  const ready = new Map<Node, number>();
  const moments = new Map<Collective, number>();
  for (const node of order) {
    if (isCollective(node)) {
      const from =
        arrival(node.args[0], alongOf(node), responseAlong(node), ready) + afterOperand(node);
      moments.set(node, choose(node, from));
      ready.set(node, moments.get(node)! + 1);
    } else {
      const { stored, inline } = argsOf(node);
      const times = [
        ...stored.map((arg) => storedBy(arg, ready)),
        ...inline.map((arg) => ready.get(arg)!),
      ];
      ready.set(node, Math.max(0, ...times));
    }
  }
  return { ready, moments };
}

/** Collective values wait for others of their kind where nothing waits for them: fewer dispatches. */
export function collectives(program: RowProgram, order: readonly Node[]): Moments {
  const first = earliest(order, (_, from) => from);
  const last = deadlines(program, order, first);
  const kind = (node: Collective): string =>
    `${alongOf(node)} ${node.tag} ${node.op} ${isAlongList(node)}`;
  const urgent = [...first.moments].filter(([node, moment]) => last.get(node) === moment + 1);
  return earliest(order, (node, from) => {
    const until = last.get(node)! - 1;
    const choices = urgent.flatMap(([other, moment]) =>
      kind(other) === kind(node) && moment >= from && moment <= until ? [moment] : [],
    );
    return choices.length === 0 ? from : Math.min(...choices);
  });
}

/** The latest moment at which each value may become ready, so that the program takes no longer. */
function deadlines(
  program: RowProgram,
  order: readonly Node[],
  { ready }: Moments,
): ReadonlyMap<Node, number> {
  const last = new Map<Node, number>();
  const by = (node: Node, moment: number): void => {
    last.set(node, Math.min(last.get(node) ?? Infinity, moment));
  };
  const kept = (node: Node, moment: number): void =>
    by(node, isCollective(node) || node.tag === "input" ? moment : moment - 1);
  const end = Math.max(...order.map((node) => ready.get(node)!));
  const single = scalarMoment(program, ready);
  for (const { node, response } of program.tokenOutputs) {
    const moment = arrival(node, "token", response, ready);
    if (isCrossing(node, "token", response)) kept(node, moment);
    else by(node, moment);
  }
  for (const { node } of program.exampleOutputs) by(node, end);
  for (const { node } of program.scalarOutputs) by(node, single);
  for (const node of order.toReversed()) {
    const own = last.get(node)!;
    if (isCollective(node)) {
      const [operand] = node.args;
      const until = own - 1 - afterOperand(node);
      if (isCrossing(operand, alongOf(node), responseAlong(node))) kept(operand, until);
      else by(operand, until);
    } else {
      const { stored, inline } = argsOf(node);
      for (const arg of stored) kept(arg, own);
      for (const arg of inline) by(arg, own);
    }
  }
  return last;
}

/** Single values leave together. */
export const scalarMoment = (program: RowProgram, ready: ReadonlyMap<Node, number>): number =>
  Math.max(0, ...program.scalarOutputs.map(({ node }) => ready.get(node)!));
