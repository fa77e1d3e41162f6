// Products of single floats with a factor that may be infinite (block/infinite.ts) ask whether the other one is 0; all others
// stay what they are. Pairs of floats always ask.

import * as k from "./kernel.ts";
import type { Value } from "./kernel.ts";

/** The least normal single float: what is smaller may be flushed to 0 by one operation and not by the next. */
const leastNormal = 2 ** -126;
const isNoNumber = (v: Value): Value => {
  const word = (n: number): Value => k.splat(k.u32(n), v.lanes);
  return k.infix(k.infix(k.bits("u32", v), "&", word(0x7fffffff)), ">", word(0x7f800000));
};

/** The larger or the smaller of two single floats; what is no number is never left out, as a driver may do. */
export function extremumWithUndefined(op: "maximum" | "minimum", a: Value, b: Value): Value {
  return k.choose(isNoNumber(a), a, k.choose(isNoNumber(b), b, k.binary(op, a, b)));
}

/** a · b of single floats, of which `b` may be infinite: 0 where `a` is, whatever `b` is. */
export function productWithInfinite(a: Value, b: Value): Value {
  const isNothing = k.infix(k.unary("abs", a), "<", k.splat(k.f32(leastNormal), a.lanes));
  return k.choose(isNothing, k.splat(k.f32(0), a.lanes), k.times(a, b));
}
