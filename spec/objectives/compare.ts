// How the specs of the built-in objectives compare an expression with plain numbers.

import fc from "fast-check";
import { expect } from "vitest";
import type { Batch, Params } from "../../src/batch/batch.ts";
import type { Node } from "../../src/core/node.ts";
import type { Objective } from "../../src/dsl/index.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { ragged } from "../support/arbitraries.ts";

/** Both sides are float64 sums of up to a few hundred terms of size up to 160, whose exponentials are compared. */
const tolerance = 1e-10;

export const close = (actual: number, wanted: number): void =>
  expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted)));

export const values = (root: Node, batch: Batch, params: Params = {}): readonly number[] => [
  ...evaluate([root], batch, params)[0]!.data,
];

export const onBatches = (claim: (batch: Batch) => void): void =>
  fc.assert(fc.property(ragged(), claim));

export const expectLosses = (
  objective: Objective,
  batch: Batch,
  wanted: readonly number[],
  params: Params = {},
): void => {
  const actual = values(objective.loss, batch, params);
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((value, index) => close(value, wanted[index]!));
};
