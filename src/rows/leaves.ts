// Where a map finds its values: parameters, fields of passes, data of tokens and examples, extents, and what earlier steps
// stored. A token reads what is stored per example for its own response.

import {
  isList,
  isOtherAxis,
  isTokenAxis,
  listAlong,
  responseOf,
  rowsAlong,
  rowsOfList,
} from "../core/axis.ts";
import type { Count, Iota, Node } from "../core/node.ts";
import { rounded, widened } from "../kernel/arithmetic.ts";
import * as buffers from "../kernel/buffer.ts";
import * as k from "../kernel/kernel.ts";
import type { Statement, Value, Variable } from "../kernel/kernel.ts";
import * as at from "./places.ts";
import { isOtherValue, isPairLoop, isWithinPairs } from "./pairs.ts";
import { singlesOf, spaceOf, type RowProgram } from "./program.ts";
import type { MapStep, Result, RowSteps } from "./steps.ts";
import { isOwnLeaf, responseWithin } from "./moments.ts";

export interface Finder {
  /** The value of a node that is found in memory, or null where it is to be computed. */
  readonly leaf: (node: Node) => Value | null;
  /** The value of a node at another example. */
  readonly elsewhere: (node: Node, position: Value) => Value;
  /** The response of an example that the row at hand belongs to. */
  readonly owner: () => Variable;
  /** The same in a loop over the responses of an example, of which `row` is the other one. */
  readonly besides: (row: Value) => (node: Node) => Value | null;
  /** The same statements, for the tokens of the responses that compute a result. */
  readonly guarded: (result: Result, statements: readonly Statement[]) => readonly Statement[];
  /** The parts of the token's place that were asked for. */
  readonly used: ReadonlySet<Variable>;
}

/** @param first the response whose expressions stand for those of all that compute a value alike */
export function finder(
  step: MapStep,
  first: string,
  program: RowProgram,
  { memory, timing }: RowSteps,
): Finder {
  const { over, moment } = step;
  const { responses } = program;
  const used = new Set<Variable>();
  const use = (part: Variable): Variable => {
    used.add(part);
    return part;
  };
  const singles = singlesOf(program);
  /** Whether the rows at hand are tokens of lists, whose owner is the row of a response. */
  const nested = over === "token" && isList(first);
  /** The first response of the first list, by its row. */
  const firstRow = at.firstToken(k.times(k.u32(2 * singles - responses.length), at.examples));
  const numberOf = (response: string): Value => k.u32(responses.indexOf(response));

  /** Where a value per example lies, for an example or for this one. */
  const perExample = (node: Node, position: Value | null): Value => {
    if (over !== "token") return at.slot(k.u32(memory.slot(node)), position ?? at.example);
    const slots = [...step.bindings].flatMap(([response, binding]) => {
      const own = binding.get(node);
      return own === undefined ? [] : [[response, memory.slot(own)] as const];
    });
    // a single value that reads an example is the same for all responses
    const [, least] = slots[0] ?? [null, memory.slot(node)];
    if (slots.every(([, slot]) => slot === least))
      return at.slot(k.u32(least), position ?? use(at.example));
    const block = slots.map(([response, slot]) => slot - responses.indexOf(response));
    if (block.every((base) => base === block[0])) {
      const base = k.u32(block[0]!);
      return position === null && !nested
        ? at.slot(base, use(at.owner))
        : at.slot(k.plus(base, use(at.response)), position ?? use(at.example));
    }
    const slot = slots.reduceRight(
      (otherwise, [response, own]) =>
        k.choose(k.infix(use(at.response), "==", numberOf(response)), k.u32(own), otherwise),
      k.u32(least),
    );
    return at.slot(slot, position ?? use(at.example));
  };

  const extent = ({ axis }: Count): Value | null => {
    if (axis === "batch") return at.real(at.examples);
    if (axis === "vocab") return at.real(at.vocab);
    if (isTokenAxis(axis) && isList(responseOf(axis))) {
      const begin = at.firstOfList(singles, at.token, firstRow);
      const end = at.firstOfList(singles, k.plus(at.token, k.u32(1)), firstRow);
      return at.real(k.minus(end, begin));
    }
    if (over === "token") return at.real(at.tokensOf(use(at.owner)));
    const rows = isOtherAxis(axis) ? rowsOfList(listAlong(axis)) : rowsAlong(axis);
    const item = at.among(numberOf(rows!), at.examples, at.example);
    return at.real(at.tokensOf(item));
  };
  const index = ({ axis }: Iota): Value | null => {
    if (axis === "batch") return at.whole(over === "token" ? use(at.example) : at.example);
    if (rowsAlong(axis) === null) return null;
    const begin = nested
      ? at.firstOfList(singles, use(at.owner), firstRow)
      : at.firstToken(use(at.owner));
    return at.whole(k.minus(at.token, begin));
  };
  const load = (node: Node): Value => {
    if (spaceOf(node) === "scalar") return at.scalar(k.u32(memory.slot(node)));
    if (spaceOf(node) === "example") return perExample(node, null);
    return atRow(node, responseWithin(node) === first ? at.token : use(at.owner));
  };
  /** A value per row, from memory. */
  const atRow = (node: Node, row: Value): Value =>
    node.tag === "input"
      ? widened(at.field(program.rowField(node), row))
      : at.term(k.u32(memory.term(node)!), row);

  const leaf = (node: Node): Value | null => {
    const space = spaceOf(node);
    if (over === "token" && space === "example" && !isOwnLeaf(node, first))
      return restored(node, load(node));
    if (nested && space === "token" && responseWithin(node) !== first)
      return restored(node, load(node));
    switch (node.tag) {
      case "param":
        return k.param(program.paramSlot(node), "pair");
      case "input":
        if (space === "token" && node.dtype === "i32")
          return at.whole(k.load(buffers.labels, at.token));
        return load(node);
      case "iota":
        return index(node);
      case "count":
        return extent(node);
      case "const":
        return null;
      case "reduce":
        return isPairLoop(node) && !timing.isLoaded(node, moment)
          ? null
          : restored(node, load(node));
      case "sort":
        return restored(node, load(node));
      case "unary":
      case "binary":
      case "select":
      case "stop":
      case "at":
        return timing.isLoaded(node, moment) && spaceOf(node) !== "scalar"
          ? restored(node, load(node))
          : null;
    }
  };

  const besides =
    (row: Value) =>
    (node: Node): Value | null => {
      if (isOtherValue(node)) return restored(node, atRow(node.args[0], row));
      if (node.tag === "iota" && isOtherAxis(node.axis))
        return at.whole(k.minus(row, at.firstToken(use(at.owner))));
      return isWithinPairs(node) ? null : leaf(node);
    };

  return {
    leaf,
    besides,
    owner: () => use(at.owner),
    elsewhere: (node, position) => restored(node, perExample(node, k.convert("u32", position))),
    guarded: ({ responses: own, place }, statements) => {
      // a pair that no other response uses may be computed for its tokens as well
      const all = nested ? responses.length - singles : singles;
      if (over !== "token" || place.kind !== "field" || own.length === all) return statements;
      const isOwn = own.map((response) => k.infix(use(at.response), "==", numberOf(response)));
      return [
        k.when(
          isOwn.reduce((a, b) => k.infix(a, "||", b)),
          statements,
        ),
      ];
    },
    used,
  };
}

/** Memory holds reals; whole numbers and truth values are told by them. */
function restored({ dtype }: Node, v: Value): Value {
  if (dtype === "bool") return k.infix(rounded(v), "!=", k.f32(0));
  return dtype === "i32" ? at.whole(rounded(v)) : v;
}
