// Central differences at a few entries of an input, to fourth order. They know no derivative rule, so they check the
// derivation of a gradient; what is stopped keeps the value it has at the batch.

import type { Batch, Params } from "../batch/batch.ts";
import type { Input, Node, Param } from "../core/node.ts";
import { paramSlope, slopes } from "../reference/differences.ts";
import type { Tensor } from "../reference/tensor.ts";

/** Steps from the largest; the first one whose two estimates agree is taken, so that a kink nearby does not count. */
const steps = [1e-3, 1e-4, 1e-5] as const;
const agreement = 1e-6;

/** A scalar as a function of the entries of one input, at a batch. */
export interface Differences {
  /** d root / d entry, for a position in the flattened order of the input's axes. */
  readonly at: (position: number) => Slope;
}

/** A slope, and how much of it the rounding of the root over the step may be. */
export interface Slope {
  readonly slope: number;
  readonly rounding: number;
}

/** Values of the root are right to a few units of float64; so many are assumed. */
const units = 8;

/** What the rounding of the root makes of a difference of fourth order over a step: (4·fine + coarse)/3, fine over h. */
const roundingOver = (step: number, root: number): number =>
  (3 * units * Number.EPSILON * Math.abs(root)) / step;

/** Differences of a scalar with respect to one input. `scale` is the size of gradient that counts as not small. */
export function differences(
  root: Node,
  input: Input,
  batch: Batch,
  params: Params,
  held: ReadonlyMap<Node, Tensor>,
  { largest: scale, loss }: { readonly largest: number; readonly loss: number },
): Differences {
  const slope = slopes(root, input, batch, params, held);
  return {
    at: (position) => {
      let extrapolated = 0;
      let rounding = 0;
      for (const h of steps) {
        rounding = roundingOver(h, loss);
        const [coarse, fine] = [slope(position, h), slope(position, h / 2)];
        extrapolated = (4 * fine - coarse) / 3;
        const near = agreement * Math.max(scale, Math.abs(fine)) + rounding;
        if (Math.abs(fine - coarse) <= near) break;
      }
      return { slope: extrapolated, rounding };
    },
  };
}

/** d root / d parameter, to fourth order. */
export function paramDifference(
  root: Node,
  param: Param,
  batch: Batch,
  params: Params,
  held: ReadonlyMap<Node, Tensor>,
): number {
  const slope = paramSlope(root, param, batch, params, held);
  const h = steps[1] * Math.max(1, Math.abs(params[param.name] ?? param.initial ?? 0));
  return (4 * slope(h / 2) - slope(h)) / 3;
}
