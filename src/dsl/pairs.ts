// Responses of a list beside each other: the value of another response of the same example, and running forms, which join a
// response with those after it or before it, in the order given. Both range over pairs of responses, and memory holds none.

import { isResponseAxis, listAlong, otherAxis } from "../core/axis.ts";
import * as core from "../core/build.ts";
import { fail } from "../core/error.ts";
import type { DType, Node } from "../core/node.ts";
import type { PerEach, PerPair } from "./axes.ts";
import { listAxes } from "./axes.ts";
import { checkOptions, type OptionKinds } from "./check.ts";
import type { AnyExpr, Expr } from "./expr.ts";
import { operand, wrap } from "./facade.ts";
import { along } from "./reductions.ts";

/** A value per response, and the list that it is of; `where` begins the sentence of the error. */
function perEach(where: string, e: AnyExpr): { readonly node: Node; readonly list: string } {
  const axis = e.axes.find(isResponseAxis);
  const isEach = axis !== undefined && e.axes.length === 2;
  return isEach
    ? { node: e.node, list: listAlong(axis) }
    : fail(
        "pairs-per-response",
        `${where}: the expression ranges over ${listAxes(e.axes)}; give one number per response of a list.`,
      );
}

/**
 * The value of the other response of a pair: `other(s).minus(s)` is s_j − s_i for all responses i ("response") and
 * j ("other") of an example. A reduction over "other" ends it.
 * @throws PrefcError "pairs-per-response"
 */
export const other = <R extends string, D extends DType>(
  e: Expr<PerEach<R>, D>,
): Expr<PerPair<R>, D> => {
  const given = operand("other", "the expression", e, ["f32", "i32", "bool"]);
  const { node, list } = perEach("other", given);
  const axis = otherAxis(list);
  const own = given.axes.find(isResponseAxis)!;
  const axes = [own, axis];
  return wrap(node.axes.includes(own) ? core.at(node, own, core.iota(axis)) : node, axes);
};

/** From which end of the list a running form begins. */
export interface RunningOptions {
  /** "start": the responses up to this one; "end": this one and those after it. */
  readonly from: "start" | "end";
}
const kinds: OptionKinds = { from: ["start", "end"] };

interface Running {
  readonly own: Node;
  /** Its value at the other response. */
  readonly others: Node;
  /** Whether the other response is joined with this one. */
  readonly reached: Node;
  readonly bind: (op: "sum" | "max", x: Node) => Node;
}

function running(where: string, axis: unknown, value: unknown, options: RunningOptions): Running {
  const { e, axis: own } = along(where, axis, value);
  const { list } = perEach(where, e);
  const { from } = checkOptions(where, kinds, options, { example: '{ from: "end" }' });
  if (from === undefined) {
    fail("option-value", `${where}: no end is named; give { from: "start" } or { from: "end" }.`);
  }
  const across = otherAxis(list);
  const [here, there] = [core.iota(own), core.iota(across)];
  return {
    own: e.node,
    others: e.node.axes.includes(own) ? core.at(e.node, own, there) : e.node,
    reached: core.binary(from === "end" ? "ge" : "le", there, here),
    bind: (op, x) => core.reduce(op, across, x),
  };
}

export type RunningForm = <R extends string>(
  axis: "response",
  e: Expr<PerEach<R>>,
  options: RunningOptions,
) => Expr<PerEach<R>>;

const zero = core.constant(0);
const sumOf = ({ bind, reached, others }: Running): Node =>
  bind("sum", core.select(reached, others, zero));
// a response is always joined with itself, so that its own value may stand for what is not reached
const maxOf = ({ bind, reached, others, own }: Running): Node =>
  bind("max", core.select(reached, others, own));

/** Σ over a response and those after it, or before it. */
export const runningSum: RunningForm = (axis, e, options) =>
  wrap(sumOf(running("runningSum", axis, e, options)), e.axes);
/** The largest value of a response and those after it, or before it. */
export const runningMax: RunningForm = (axis, e, options) =>
  wrap(maxOf(running("runningMax", axis, e, options)), e.axes);
/**
 * log Σ exp over a response and those after it, or before it, shifted by the largest of them. Plackett and Luce's tail:
 * log Σ_{j ≥ k} e^{s_j} is `runningLogSumExp("response", s, { from: "end" })`.
 */
export const runningLogSumExp: RunningForm = (axis, e, options) => {
  const found = running("runningLogSumExp", axis, e, options);
  // the value does not depend on the shift, so that its gradient is 0
  const top = core.stop(maxOf(found));
  const shifted = core.select(found.reached, core.binary("minus", found.others, top), zero);
  const terms = core.select(found.reached, core.unary("exp", shifted), zero);
  return wrap(core.binary("plus", top, core.unary("log", found.bind("sum", terms))), e.axes);
};
