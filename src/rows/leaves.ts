// Where a map finds its values: parameters, fields of passes, data of tokens and examples, extents, and what earlier steps
// stored. A token reads what is stored per example for its own response.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import type { Count, Iota, Node } from "../core/node.ts";
import { rounded, widened } from "../kernel/arithmetic.ts";
import * as buffers from "../kernel/buffer.ts";
import * as k from "../kernel/kernel.ts";
import type { Statement, Value, Variable } from "../kernel/kernel.ts";
import * as at from "./places.ts";
import { spaceOf, type RowProgram } from "./program.ts";
import type { MapStep, Result, RowSteps } from "./steps.ts";
import { isOwnLeaf } from "./moments.ts";

export interface Finder {
  /** The value of a node that is found in memory, or null where it is to be computed. */
  readonly leaf: (node: Node) => Value | null;
  /** The value of a node at another example. */
  readonly elsewhere: (node: Node, position: Value) => Value;
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
      return position === null
        ? at.slot(base, use(at.owner))
        : at.slot(k.plus(base, use(at.response)), position);
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
    if (!isTokenAxis(axis)) return null;
    if (over === "token") return at.real(at.tokensOf(use(at.owner)));
    const item = at.among(numberOf(responseOf(axis)), at.examples, at.example);
    return at.real(at.tokensOf(item));
  };
  const index = ({ axis }: Iota): Value | null => {
    if (axis === "batch") return at.whole(over === "token" ? use(at.example) : at.example);
    return isTokenAxis(axis) ? at.whole(k.minus(at.token, at.firstToken(use(at.owner)))) : null;
  };
  const load = (node: Node): Value => {
    if (spaceOf(node) === "scalar") return at.scalar(k.u32(memory.slot(node)));
    if (spaceOf(node) === "example") return perExample(node, null);
    return at.term(k.u32(memory.term(node)!), at.token);
  };

  const leaf = (node: Node): Value | null => {
    if (over === "token" && spaceOf(node) === "example" && !isOwnLeaf(node, first))
      return restored(node, load(node));
    switch (node.tag) {
      case "param":
        return k.param(program.paramSlot(node), "pair");
      case "input":
        if (spaceOf(node) !== "token") return load(node);
        if (node.dtype === "i32") return at.whole(k.load(buffers.labels, at.token));
        return widened(at.field(program.rowField(node)));
      case "iota":
        return index(node);
      case "count":
        return extent(node);
      case "const":
        return null;
      case "reduce":
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

  return {
    leaf,
    elsewhere: (node, position) => restored(node, perExample(node, k.convert("u32", position))),
    guarded: ({ responses: own, place }, statements) => {
      // a pair that no other response uses may be computed for its tokens as well
      if (over !== "token" || place.kind !== "field" || own.length === responses.length)
        return statements;
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
