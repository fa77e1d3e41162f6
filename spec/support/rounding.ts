// What floats lose of the numbers that they are given: the units in which errors are counted. What an operation adds by itself
// is in its row (src/core/operators); docs/notes/0013 gives the reasons.
export { flushed, unit, type Precision } from "../../src/core/operators/precision.ts";

/** What a single float loses of a number: half a unit. */
export const rounded: number = 2 ** -24;
