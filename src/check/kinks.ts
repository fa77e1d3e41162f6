// What a check does where a batch lies on a kink. Differences are taken of the loss with its decisions frozen, so the slope that
// is taken is checked and not blamed. Where the argument is rounding noise, an engine may take either side, and a gradient
// may be off by what the sides differ by.

import type { Batch, Params } from "../batch/batch.ts";
import { PrefcError } from "../core/error.ts";
import type { Input, Node } from "../core/node.ts";
import { kinksAt, type Kinks } from "../kinks/find.ts";
import { frozenAt, type Frozen } from "../kinks/frozen.ts";
import { toldKinks, type ToldKink } from "../kinks/told.ts";
import { stoppedValues } from "../reference/differences.ts";
import type { Tensor } from "../reference/tensor.ts";

/** How far the loss and each entry of its slopes may be off where engines take different sides. */
export interface Slack {
  readonly loss: number;
  readonly slopes: ReadonlyMap<Input, Tensor>;
}
/** Where nothing is undecided. */
export const noSlack: Slack = { loss: 0, slopes: new Map() };

/** A loss at a batch that may lie on kinks. */
export interface AtKinks {
  /** What differences are taken of. */
  readonly frozen: Frozen;
  readonly slack: Slack;
  readonly kinks: readonly ToldKink[];
}

/** The kinks of a loss that a batch lies on; none where the loss is not defined, which a comparison will say. */
export function atKinks(loss: Node, batch: Batch, params: Params): AtKinks {
  const none: Kinks = { kinks: [], contests: [] };
  let found = none;
  try {
    found = kinksAt(loss, batch, params);
  } catch (error) {
    if (!(error instanceof PrefcError)) throw error;
  }
  const isSmooth = found.kinks.length === 0 && found.contests.length === 0;
  return {
    frozen: isSmooth
      ? { loss, decided: new Map(), held: stoppedValues(loss, batch, params) }
      : frozenAt(loss, found, batch, params),
    slack: slackOf(found),
    kinks: toldKinks(found, batch),
  };
}

/** The sum of what the sides of all undecided kinks differ by. */
function slackOf({ kinks }: Kinks): Slack {
  const slopes = new Map<Input, Tensor>();
  let loss = 0;
  const undecided = kinks.filter(({ isNoise }) => isNoise).map(({ differs }) => differs);
  for (const differs of new Set(undecided)) {
    loss += differs.loss;
    for (const [input, { axes, data }] of differs.slopes) {
      const known = slopes.get(input)?.data;
      const sum = data.map((x, entry) => Math.abs(x) + (known?.[entry] ?? 0));
      slopes.set(input, { axes, data: sum });
    }
  }
  return { loss, slopes };
}

/** A computed number moved towards the right one by as much as the side of a kink may change it. */
export const movedBySides = (computed: number, right: number, slack: number): number =>
  right + Math.sign(computed - right) * Math.max(0, Math.abs(computed - right) - slack);
