// Where the values of a row program lie between its steps: pairs of floats for each token (terms), for each example and of
// the whole batch (slots). What belongs to one response of an example has a block of as many slots as there are
// responses, so that a token finds that of its own response by the number of its response. Operands of one step are neighbours.

import type { Node } from "../core/node.ts";
import { alongOf, isCollective, spaceOf, type RowProgram } from "./program.ts";
import type { TokenWork } from "./shared.ts";
import type { Moment } from "./steps.ts";
import { isInMemory, type Collective } from "./moments.ts";
import type { Store } from "./timing.ts";

export interface Memory {
  /** Where a value per token lies, if it does. */
  term(node: Node): number | undefined;
  /** Where a value per example, or a single one, lies. */
  slot(node: Node): number;
  /** Where the operand of a collective value lies. */
  operand(node: Collective): number;
  /** The first slot of the block of a collective value. */
  block(node: Collective): number;
  /** Where a store puts its value. */
  target(store: Store): number;
  placeTerms(work: TokenWork): void;
  placeSlots(moments: readonly Moment[]): void;
  sizes(): { readonly terms: number; readonly exampleSlots: number; readonly scalarSlots: number };
}

export function memoryOf(program: RowProgram): Memory {
  const { responses } = program;
  const terms = new Map<Node, number>();
  const slots = new Map<Node, number>();
  const operands = new Map<Collective, number>();
  const blocks = new Map<Collective, number>();
  const targets = new Map<Store, number>();
  const slotOf = (node: Node): number =>
    node.tag === "input" ? program.exampleSlot(node) : slots.get(node)!;
  const next = {
    term: 0,
    example: program.firstExampleSlot,
    scalar: program.firstScalarSlot,
  };

  /** Reductions over tokens: neighbours in the order of their operation, each with a block of results. */
  function placeTerms({ values }: TokenWork): void {
    const op = ({ store: { target } }: (typeof values)[number]): string =>
      target.kind === "operand" ? target.of.op : "";
    for (const each of new Set(values.map(op))) {
      for (const value of values) {
        if (op(value) !== each || value.store.target.kind === "field") continue;
        const term = next.term++;
        for (const [response, store] of value.members) {
          const { node, target } = store;
          targets.set(store, term);
          if (!terms.has(node) && spaceOf(node) === "token") terms.set(node, term);
          if (target.kind !== "operand") continue;
          operands.set(target.of, term);
          blocks.set(target.of, next.example);
          slots.set(target.of, next.example + responses.indexOf(response));
        }
        if (value.store.target.kind === "operand") next.example += responses.length;
      }
    }
  }

  /** Values per example that the tokens of different responses read in each other's place become blocks. */
  function placeBlocks(moments: readonly Moment[]): void {
    for (const { bindings } of moments.flatMap(({ works }) => works)) {
      for (const node of new Set([...bindings.values()].flatMap((one) => [...one.keys()]))) {
        const each = responses.map((response) => bindings.get(response)?.get(node));
        const used = each.flatMap((one) => (one === undefined ? [] : [one]));
        const isFree = used.every(
          (one) => one.tag !== "input" && !isCollective(one) && !slots.has(one),
        );
        if (!isFree || used.length < 2 || new Set(used).size < used.length) continue;
        each.forEach((one, position) => {
          if (one !== undefined) slots.set(one, next.example + position);
        });
        next.example += responses.length;
      }
    }
  }

  function placeSlots(moments: readonly Moment[]): void {
    placeBlocks(moments);
    for (const { groups } of moments) {
      for (const group of groups) {
        if (group.some((node) => alongOf(node) === "token")) continue;
        for (const node of group)
          operands.set(node, isInMemory(node) ? slotOf(node.args[0]) : next.example++);
        // results of neighbours are neighbours
        for (const node of group.toSorted((a, b) => operands.get(a)! - operands.get(b)!)) {
          slots.set(node, node.tag === "sort" ? next.example++ : next.scalar++);
          blocks.set(node, slots.get(node)!);
        }
      }
    }
    for (const { examples, scalars } of moments)
      for (const store of [...examples, ...scalars]) targets.set(store, placeOf(store));
  }

  function placeOf({ node, target, space }: Store): number {
    switch (target.kind) {
      case "slot":
        return target.slot;
      case "operand": {
        const slot = operands.get(target.of)!;
        if (!slots.has(node) && spaceOf(node) === space) slots.set(node, slot);
        return slot;
      }
      case "kept":
        if (!slots.has(node)) slots.set(node, next.example++);
        return slots.get(node)!;
      case "field":
        return target.field;
    }
  }

  return {
    term: (node) => terms.get(node),
    slot: slotOf,
    operand: (node) => operands.get(node)!,
    block: (node) => blocks.get(node)!,
    target: (store) => (store.target.kind === "field" ? store.target.field : targets.get(store)!),
    placeTerms,
    placeSlots,
    sizes: () => ({ terms: next.term, exampleSlots: next.example, scalarSlots: next.scalar }),
  };
}
