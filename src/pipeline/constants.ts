// Kernels compute in f32, where a constant may leave the range of numbers that the interpreter holds. The complaint names
// numbers that the objective's author wrote: a product of constants that the compiler made is told by what it is made of.

import { fail, PrefcError } from "../core/error.ts";
import { topological, type Node } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import { spellNumber } from "../core/spell.ts";

/** How many constants a sentence names. */
const mostNamed = 3;

/** The real constants below the roots that could make one so large, the most extreme first. */
function extremes(roots: readonly Node[]): readonly number[] {
  const values = topological(roots).flatMap((node) =>
    node.tag === "const" && node.dtype === "f32" && node.value !== 0 ? [node.value] : [],
  );
  const size = (value: number): number => Math.abs(Math.log(Math.abs(value)));
  return values
    .filter((value) => size(value) > Math.log(1e3))
    .toSorted((a, b) => size(b) - size(a))
    .slice(0, mostNamed);
}

/**
 * Makes something of an objective in which constants become single floats.
 * @param written what the author wrote
 * @throws PrefcError "constant-exceeds-f32", which names numbers among those
 */
export function withConstants<T>(objective: string, written: readonly Node[], make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof PrefcError) || error.code !== "constant-exceeds-f32") throw error;
    const named = extremes(written).map(spellNumber);
    const what =
      named.length === 1
        ? `the constant ${named[0]} is, or makes, a number`
        : `the constants ${named.join(", ")} are, or make together, a number`;
    return fail(
      "constant-exceeds-f32",
      `Objective ${cite(objective)}: ${named.length === 0 ? "its constants make together a number" : what} outside the range of f32, in which kernels compute; rescale the expression.`,
    );
  }
}
