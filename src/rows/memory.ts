// Where the values of a row program lie between its steps: pairs of floats for each token (terms), for each example and of
// the whole batch (slots). What belongs to one response of an example has a block of as many slots as there are
// responses, so that a token finds that of its own response by the number of its response. What one step adds up are neighbours.

import { isList } from "../core/axis.ts";
import type { Node } from "../core/node.ts";
import { isCollective, singlesOf, spaceOf, type RowProgram } from "./program.ts";
import type { TokenWork } from "./shared.ts";
import type { Moment } from "./steps.ts";
import { isInMemory, type Collective } from "./moments.ts";
import type { Store } from "./timing.ts";

export interface Memory {
  /** Where a value per token lies, if it does. */
  term(node: Node): number | undefined;
  /** Where a value per example, or a single one, lies. */
  slot(node: Node): number;
  /** Where the operand of a collective value along the batch lies. */
  operand(node: Collective): number;
  /** Where a store puts its value. */
  target(store: Store): number;
  placeTerms(work: TokenWork): void;
  placeSlots(moments: readonly Moment[]): void;
  sizes(): { readonly terms: number; readonly exampleSlots: number; readonly scalarSlots: number };
}

/** So many slots between operands are added up in vain, which takes less than another dispatch. */
const mostBetween = 4;

/** Collective values whose operands are neighbours, or nearly so. */
export function neighbours(
  group: readonly Collective[],
  operand: (node: Collective) => number,
): readonly (readonly Collective[])[] {
  const runs: Collective[][] = [];
  for (const node of group.toSorted((a, b) => operand(a) - operand(b))) {
    const last = runs.at(-1)?.at(-1);
    if (last !== undefined && operand(node) - operand(last) <= 1 + mostBetween)
      runs.at(-1)!.push(node);
    else runs.push([node]);
  }
  return runs;
}

export function memoryOf(program: RowProgram): Memory {
  const { responses } = program;
  const singles = singlesOf(program);
  const terms = new Map<Node, number>();
  const slots = new Map<Node, number>();
  const operands = new Map<Collective, number>();
  const targets = new Map<Store, number>();
  const slotOf = (node: Node): number =>
    node.tag === "input" ? program.exampleSlot(node) : slots.get(node)!;
  const next = {
    term: 0,
    example: program.firstExampleSlot,
    scalar: program.firstScalarSlot,
  };

  /** What is kept of tokens, and the blocks of what is added up along them; those of one operation follow each other. */
  function placeTerms({ values }: TokenWork): void {
    const op = ({ store: { target } }: (typeof values)[number]): string =>
      target.kind === "operand" ? target.of.op : "";
    for (const { store: first, members } of values.toSorted((a, b) =>
      op(a) < op(b) ? -1 : Number(op(a) > op(b)),
    )) {
      if (first.target.kind === "field") continue;
      // what is added up along the tokens of a list is a value per response, a row of its own
      const isRow = first.target.kind !== "operand" || isList(first.response!);
      const place = isRow ? next.term++ : next.example;
      for (const [response, store] of members) {
        const { node, target } = store;
        targets.set(store, place);
        if (target.kind === "operand" && isRow) terms.set(target.of, place);
        else if (target.kind === "operand")
          slots.set(target.of, place + responses.indexOf(response));
        else if (!terms.has(node) && spaceOf(node) === "token") terms.set(node, place);
      }
      if (!isRow) next.example += singles;
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
    for (const { groups, last } of moments) {
      for (const group of [...groups, ...last]) {
        for (const node of group)
          operands.set(node, isInMemory(node) ? slotOf(node.args[0]) : next.example++);
        // results lie as their operands do
        for (const run of neighbours(group, (node) => operands.get(node)!)) {
          const [first] = run as [Collective];
          const spread = 1 + operands.get(run.at(-1)!)! - operands.get(first)!;
          const base = first.tag === "sort" ? next.example : next.scalar;
          for (const node of run)
            slots.set(node, base + operands.get(node)! - operands.get(first)!);
          if (first.tag === "sort") next.example += spread;
          else next.scalar += spread;
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
    target: (store) => (store.target.kind === "field" ? store.target.field : targets.get(store)!),
    placeTerms,
    placeSlots,
    sizes: () => ({ terms: next.term, exampleSlots: next.example, scalarSlots: next.scalar }),
  };
}
