// The loop over the other responses of an example, for values of pairs of them.

import type { Reduce } from "../core/node.ts";
import { pairs } from "../kernel/arithmetic.ts";
import * as k from "../kernel/kernel.ts";
import type { Value } from "../kernel/kernel.ts";
import { scope, type Looped } from "../kernel/scalar.ts";
import { combine, identity } from "./collect.ts";
import type { Finder } from "./leaves.ts";
import * as at from "./places.ts";
import type { ReduceOp } from "./steps.ts";

/** Adds up, or takes the largest of, a value of pairs: of the response at hand with each of its example. */
export function overOthers(
  node: Reduce,
  find: Finder,
  fresh: { next: number },
  emit: Parameters<Looped>[1],
): Value {
  const op: ReduceOp = node.op === "max" ? "max" : "sum";
  const total = k.variable(`v${fresh.next++}`, "pair");
  const row = k.variable(`v${fresh.next++}`, "u32");
  const inner = scope(find.besides(row), fresh, pairs);
  const value = inner.value(node.args[0]);
  const owner = find.owner();
  emit([
    k.varValue(total, identity(op)),
    k.loop(row, at.firstToken(owner), at.firstToken(k.plus(owner, k.u32(1))), k.u32(1), [
      ...inner.statements,
      k.assign(total, combine(op, total, at.inPairs(value))),
    ]),
  ]);
  return total;
}
