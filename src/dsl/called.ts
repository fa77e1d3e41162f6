// A name for a term of a formula, as papers give one with "where w = …".

import { callTerm } from "../core/words.ts";
import type { Axes } from "./axes.ts";
import { checkName } from "./check.ts";
import type { Expr } from "./expr.ts";
import { operand } from "./facade.ts";

/**
 * The same term, by a name: code that is written of the formula (`prefc emit`) calls it so, and gives it a line of its own.
 * @throws PrefcError name-not-a-string, name-empty, name-too-long, not-an-expression, dtype-mismatch
 */
export const called = <A extends Axes>(name: string, e: Expr<A>): Expr<A> => {
  const term = operand("called", "the expression", e);
  callTerm(term.node, checkName("called", name));
  return term as Expr<A>;
};
