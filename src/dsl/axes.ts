// The axes of the surface language: what an expression ranges over, as a record. The keys are the names a
// researcher writes ("batch", "response", "token", "vocab"); the value of `token` says whose tokens they are, so that
// values of two responses cannot be mixed. This file also finds the core axis that such a name stands for.

import { axisKinds, describeAxis, kindOf, type Axis, type AxisKind } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import { cite, describe } from "./check.ts";

/** What an expression ranges over. A key that is absent is an index variable that it does not need. */
export interface Axes {
  readonly batch?: "batch";
  readonly response?: string;
  readonly other?: string;
  readonly token?: string;
  readonly vocab?: "vocab";
}

/** One number per example. */
export type PerExample = { batch: "batch" };
/** One number per response of the list R. */
export type PerEach<R extends string> = { batch: "batch"; response: R };
/** One number per pair of responses of the list R. */
export type PerPair<R extends string> = { batch: "batch"; response: R; other: R };
/** One number per completion token of each response of the list R. */
export type PerEachToken<R extends string> = { batch: "batch"; response: R; token: R };
/** One number per completion token of each response of the list R and vocabulary entry. */
export type PerEachVocab<R extends string> = PerEachToken<R> & { vocab: "vocab" };
/** One number per completion token of response R. */
export type PerToken<R extends string> = { batch: "batch"; token: R };
/** One number per completion token of response R and vocabulary entry. */
export type PerVocab<R extends string> = { batch: "batch"; token: R; vocab: "vocab" };

/** How an axis is called in the surface language. */
export type AxisName = AxisKind & keyof Axes;

const isAxisName = (value: unknown): value is AxisName => axisKinds.some((name) => name === value);

/** The surface name of a core axis. */
export const nameOf: (axis: Axis) => AxisName = kindOf;

/** The core axis that a name stands for among these axes, or undefined if it is not among them. */
export const axisNamed = (name: AxisName, axes: readonly Axis[]): Axis | undefined =>
  axes.find((axis) => nameOf(axis) === name);

const quoted = axisKinds.map((name) => cite(name));
const alternatives = `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)!}`;

/** Checks that a value names an axis; `where` begins the sentence of the error. */
export function axisName(where: string, value: unknown): AxisName {
  if (isAxisName(value)) return value;
  return fail(
    "unknown-axis",
    `${where}: the axis is ${describe(value)}; write ${alternatives} first and the expression after it.`,
  );
}

/** Fails when two sides of an operator range over the tokens of different responses. */
export function checkSameTokens(
  where: string,
  sides: readonly (readonly [string, readonly Axis[]])[],
): void {
  const known = new Map<AxisName, readonly [side: string, axis: Axis]>();
  for (const [side, axes] of sides) {
    for (const axis of axes) {
      const name = nameOf(axis);
      const [other, first] = known.get(name) ?? [side, axis];
      known.set(name, [other, first]);
      if (first === axis) continue;
      fail(
        "token-axes-differ",
        `${where}: ${name} axes differ (${other} ranges over ${describeAxis(first)}, ${side} over ${describeAxis(axis)}); ` +
          `reduce one side first, e.g. sum(${cite(name)}, …).`,
      );
    }
  }
}

/** A list of axes for a sentence: `batch and the tokens of "w"`, or `nothing`. */
export function listAxes(axes: readonly Axis[]): string {
  const words = axes.map(describeAxis);
  const last = words.pop();
  if (last === undefined) return "nothing";
  return words.length === 0 ? last : `${words.join(", ")} and ${last}`;
}
