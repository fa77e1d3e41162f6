// What a running pass does with the entries that a lane has loaded. Almost every block of a row is plain: no entry far
// above the reference point m, no NaN, no infinity, not the label. One unsigned maximum over the bits of slack − (z − m)
// tells, because a negative difference, an infinity and a NaN all have bits from those of infinity upwards. A block is summed
// as if it were plain before that is known, so that arithmetic goes on while entries are loaded. If it was not plain its sums
// are dropped and it is loaded again, one vector at a time, with the label and −Infinity masked.
//
// m is the label's logit until an entry exceeds it, and then an entry that none exceeds by more than the slack: moments are
// about m, and need it near the largest entry and no nearer. Where an objective asks for the maximum itself the slack is 0.

import type { Accumulator, BlockPass, Point } from "../block/block.ts";
import * as meaning from "../block/meaning.ts";
import { degreeOf, moved, pointsOf } from "../block/moments.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { weighted, type Masks } from "./absent.ts";
import { leavesOf, lowered, uses, type Leaves } from "./entries.ts";
import * as k from "./kernel.ts";
import type { Lanes, Statement, Value } from "./kernel.ts";
import * as row from "./row.ts";
import { fold, tree } from "./span.ts";
import * as state from "./state.ts";
import { offsetAt, pointOf, slackOf, topOf, type Position } from "./state.ts";

/** What a lane keeps of its part of a row, in vectors of so many components. */
export interface Kept {
  readonly pass: BlockPass;
  readonly lanes: Lanes;
}

/** The bits of the vector of logits at a position of the row. */
export type Load = (model: ModelName, at: Value) => Value;

const isMaximum = ({ is }: Point): boolean => is === "maximum";
/** Whether the point of a model is to be the largest of its entries. */
export const isExact = (kept: Kept, model: ModelName): boolean => isMaximum(pointFor(kept, model));
const pointFor = ({ pass }: Kept, model: ModelName): Point =>
  pass.points.find((point) => point.model === model)!;

/** The reference point of a model, and how far entries may lie above it: not at all until it is raised, unless it `isRaised`. */
export function startAt(
  kept: Kept,
  model: ModelName,
  start: Value,
  isRaised: Value = k.literal("bool", 0),
): readonly Statement[] {
  const point = pointFor(kept, model);
  const none = k.f32(0);
  const slack = isRaised.kind === "literal" ? none : k.choose(isRaised, k.f32(point.slack), none);
  return [
    k.varValue(pointOf(model), start),
    ...(isMaximum(point) ? [] : [k.varValue(slackOf(model), slack)]),
  ];
}

/** Whether a block has the label, which makes it one that is not plain; or where it is, to be masked there. */
type LabelIn = { readonly inBlock: Value } | { readonly at: readonly Value[] };

/** Adds a block of vectors, or runs `careful` where it is not plain. */
export function addBlock(
  kept: Kept,
  count: number,
  { loads, bits: bitsOf }: ReturnType<typeof row.loadBlock>,
  label: LabelIn,
  careful: readonly Statement[],
): readonly Statement[] {
  const { lanes, pass } = kept;
  const positions = Array.from({ length: count }, (_, j) => j);
  const offsets = pass.models.flatMap((model) =>
    k.about(
      meaning.centred(model),
      positions.map((j) => {
        const entry = row.asReal(bitsOf(model, j));
        const z = "at" in label ? k.choose(label.at[j]!, farthest(lanes), entry) : entry;
        return k.letValue(offsetAt(model, j, lanes), k.minus(z, k.splat(pointOf(model), lanes)));
      }),
    ),
  );
  const bits = pass.models.flatMap((model) => {
    const most = k.splat(isExact(kept, model) ? k.f32(0) : slackOf(model), lanes);
    return positions.map((j) => row.bitsOf(k.minus(most, offsetAt(model, j, lanes))));
  });
  const notPlain = k.infix(worst, ">=", row.infinityBits);
  return [
    ...loads,
    ...offsets,
    ...sumsOf(kept, positions),
    k.letValue(worst, fold(tree(bits, k.maximum), k.maximum)),
    k.when(
      "at" in label ? notPlain : k.infix(notPlain, "||", label.inBlock),
      careful,
      addSums(kept, positions),
    ),
  ];
}
const worst = k.variable("worst", "u32");

/** Adds one vector, whatever it holds. */
export function addCarefully(
  kept: Kept,
  at: Value,
  load: Load,
  { masked: isMasked, inside }: Masks,
): readonly Statement[] {
  const { lanes, pass } = kept;
  const before = pass.models.flatMap((model): readonly Statement[] => {
    const bits = k.variable(`bits_${model}`, "u32", lanes);
    const size = k.variable(`size_${model}`, "u32", lanes);
    const z = state.entryAt(model, "careful", lanes);
    const bad = state.badOf(model, lanes);
    const known = k.choose(row.isNegativeInfinity(bits), k.splat(k.u32(0), lanes), size);
    const unusable = k.infix(size, ">=", k.splat(row.infinityBits, lanes));
    const masked = k.infix(unusable, "|", isMasked);
    const x = k.maximum(k.minus(z, k.splat(pointOf(model), lanes)), farthest(lanes));
    return k.about(meaning.centred(model), [
      k.letValue(
        bits,
        inside === null
          ? load(model, at)
          : k.choose(inside, load(model, at), k.splat(row.negativeInfinityBits, lanes)),
      ),
      k.letValue(size, row.magnitude(bits)),
      k.assign(bad, k.maximum(bad, known)),
      k.letValue(z, k.choose(masked, k.splat(k.f32(row.absent), lanes), row.asReal(bits))),
      k.letValue(topOf(model), fold(z, k.maximum)),
      ...raise(kept, model, [state.laneOf, state.partOf]),
      k.letValue(offsetAt(model, "careful", lanes), x),
    ]);
  });
  return [
    ...before,
    ...sumsOf(kept, ["careful"]),
    ...addSums(kept, ["careful"]),
    ...weighted(pass, lanes, leavesAt(kept, "careful"), { masked: isMasked, inside }),
  ];
}

/** Raises a lane's reference point to the largest of its subgroup, between chunks. Only exact maxima are raised so. */
export function raiseTogether(kept: Kept, model: ModelName): readonly Statement[] {
  return k.about(meaning.maximumOf(model), [
    k.letValue(state.raisingTogether.top(model), k.subgroup("max", pointOf(model))),
    ...raise(kept, model, [state.laneOf], state.raisingTogether),
  ]);
}

/** The variables of an accumulator that hold sums. */
type Held = (accumulator: Accumulator, lanes: Lanes) => k.Variable;

/**
 * Moves everything that is kept from the reference point of a model to `top`, if that is too far above. Selects and not a
 * branch, which is slower; and not a factor e^0, which is not 1 to the last bit on every adapter.
 */
function raise(
  { pass, lanes }: Kept,
  model: ModelName,
  helds: readonly Held[],
  by: state.Raising = state.raising,
): readonly Statement[] {
  const [m, top, next, shift] = [pointOf(model), by.top(model), by.next(model), by.shift(model)];
  const point = pointFor({ pass, lanes }, model);
  const most = isMaximum(point) ? m : k.plus(m, slackOf(model));
  const isHigher = k.infix(shift, "<", k.f32(0));
  const ordered = pass.accumulators
    .filter(({ shape }) => pointsOf(shape).includes(model))
    .toSorted((a, b) => degreeOf(b.shape) - degreeOf(a.shape)); // each uses lower powers before they are moved themselves
  const move = (held: Held, one: Accumulator): readonly Statement[] => {
    const own = held(one, lanes);
    const sums = pass.accumulators.map((other) => [other.holds, held(other, lanes)] as const);
    const leaves = leavesOf(new Map<Node, Value>([...sums, [meaning.shiftOf(model), shift]]));
    const after = moved(one, (other) => other === model, pass.accumulators, true);
    const value = k.choose(isHigher, k.splat(lowered(after, leaves), lanes), own);
    return k.about(one.holds, [k.assign(own, value)]);
  };
  const rounded = ordered.filter(state.isRounded);
  const counts = ordered.filter((one) => !state.isRounded(one));
  return k.about(meaning.maximumOf(model), [
    k.letValue(next, k.choose(k.infix(top, ">", most), top, m)),
    k.letValue(shift, k.minus(m, next)),
    ...helds.flatMap((held) => rounded.flatMap((one) => move(held, one))),
    ...counts.flatMap((one) => move(state.laneOf, one)),
    ...(isMaximum(point)
      ? []
      : [k.assign(slackOf(model), k.choose(isHigher, k.f32(point.slack), slackOf(model)))]),
    k.assign(m, next),
  ]);
}

/** Below everything that has an exponential, so that e^x x is 0 and not a NaN. */
const farthest = (lanes: Lanes): Value => k.splat(k.f32(row.absent), lanes);

/** The entries at a position: their distances from the points, and the exponentials of those. */
function leavesAt({ pass, lanes }: Kept, position: Position): Leaves {
  return leavesOf(
    new Map(
      pass.models.flatMap((model) => [
        [meaning.exponential(model), state.exponentialAt(model, position, lanes)] as const,
        [meaning.centred(model), offsetAt(model, position, lanes)] as const,
      ]),
    ),
  );
}

/** The sums of everything that is kept over the entries whose offsets are known. */
function sumsOf(kept: Kept, positions: readonly Position[]): readonly Statement[] {
  const { pass, lanes } = kept;
  const withExponential = pass.models.filter((model) =>
    pass.accumulators.some(({ entry }) => uses(entry, meaning.exponential(model))),
  );
  return [
    ...withExponential.flatMap((model) =>
      k.about(
        meaning.exponential(model),
        positions.map((j) =>
          k.letValue(state.exponentialAt(model, j, lanes), k.exp(offsetAt(model, j, lanes))),
        ),
      ),
    ),
    ...pass.accumulators.flatMap((one) => {
      const terms = positions.map((j) => lowered(one.entry, leavesAt(kept, j)));
      return k.about(one.holds, [
        k.letValue(state.sumOf(one, lanes, positions), tree(terms, k.plus)),
      ]);
    }),
  ];
}

/** Adds those sums to what is kept. */
function addSums({ pass, lanes }: Kept, positions: readonly Position[]): readonly Statement[] {
  return pass.accumulators.flatMap((one) => {
    const total = (state.isRounded(one) ? state.partOf : state.laneOf)(one, lanes);
    return k.about(one.holds, [k.assign(total, k.plus(total, state.sumOf(one, lanes, positions)))]);
  });
}
