// Axes are named index variables. "batch" ranges over examples, "vocab" over vocabulary entries and
// "token.R" over the completion tokens of response R. A token axis is ragged: its extent depends on the
// example, so whatever ranges over it ranges over the batch as well.

import { fail } from "./error.ts";
import { cite } from "./quote.ts";

export type TokenAxis = `token.${string}`;
export type Axis = "batch" | "vocab" | TokenAxis;

/** The token axis of a response. */
export function tokenAxis(response: string): TokenAxis {
  return `token.${response}`;
}

export function isTokenAxis(axis: Axis): axis is TokenAxis {
  return axis.startsWith("token.");
}

/** The response whose tokens a token axis ranges over. */
export function responseOf(axis: TokenAxis): string {
  return axis.slice("token.".length);
}

/** The axes that the extent of an axis depends on. */
export function extentAxes(axis: Axis): readonly Axis[] {
  return isTokenAxis(axis) ? ["batch"] : [];
}

const rank = (axis: Axis): number => (axis === "batch" ? 0 : isTokenAxis(axis) ? 1 : 2);

/** The one order in which sets of axes are stored: batch, tokens by name, vocab. */
export function compareAxes(a: Axis, b: Axis): number {
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Union of sets of axes, closed under raggedness and in canonical order. */
export function unionAxes(...sets: readonly (readonly Axis[])[]): readonly Axis[] {
  const all = new Set<Axis>();
  for (const set of sets) {
    for (const axis of set) {
      all.add(axis);
      for (const needed of extentAxes(axis)) all.add(needed);
    }
  }
  return [...all].toSorted(compareAxes);
}

/** How an axis is named in a sentence for a person. */
export function describeAxis(axis: Axis): string {
  return isTokenAxis(axis) ? `the tokens of ${cite(responseOf(axis))}` : axis;
}

/** Fails unless the set could be the index space of an expression: tokens of one response at most. */
export function checkAxes(axes: readonly Axis[], where: string): void {
  const tokens = axes.filter(isTokenAxis);
  const [first, second] = tokens;
  if (first !== undefined && second !== undefined) {
    fail(
      "token-axes-differ",
      `${where}: token axes differ (one side ranges over ${describeAxis(first)}, the other over ${describeAxis(second)}); ` +
        `reduce one side first, e.g. sum("token", …).`,
    );
  }
}
