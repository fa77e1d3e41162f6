// Makes the scalars that are known when an objective runs: hyper-parameters, some of which are learned, and what one step of
// training leaves for the next.

import { fail } from "./error.ts";
import { intern } from "./intern.ts";
import type { Node, Param } from "./node.ts";
import { cite } from "./quote.ts";
import { inRange, narrowed, rangeText, type NumberRange } from "./range.ts";

/** A hyper-parameter; the gradient is taken with respect to it where it is `learned`. */
export function param(
  name: string,
  initial?: number,
  range: NumberRange = {},
  learned: boolean = false,
): Node {
  if (initial !== undefined && !Number.isFinite(initial)) {
    fail(
      "parameter-not-finite",
      `param ${cite(name)}: the default ${initial} is not finite; give a finite number or none.`,
    );
  }
  const bounds = narrowed(range);
  if (initial !== undefined && !inRange(bounds, initial)) {
    fail(
      "parameter-out-of-range",
      `param ${cite(name)}: the default is ${initial}; give a number ${rangeText(bounds)}.`,
    );
  }
  return scalar("param", name, initial, bounds, learned);
}

/** What the step before has left under this name; `initial` before the first step. */
export function state(name: string, initial: number): Node {
  if (!Number.isFinite(initial)) {
    fail(
      "state-not-finite",
      `state ${cite(name)}: the initial value ${initial} is not finite; give a finite number.`,
    );
  }
  return scalar("state", name, initial);
}

const scalar = (
  kind: Param["kind"],
  name: string,
  initial: number | undefined,
  range: NumberRange = {},
  learned: boolean = false,
): Node =>
  intern(JSON.stringify([kind, name, initial ?? null, range, learned]), {
    tag: "param",
    kind,
    name,
    initial,
    range: Object.freeze(range),
    learned,
    dtype: "f32",
    axes: [],
    args: [],
  });
