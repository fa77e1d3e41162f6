// What a running pass does with the entries that a lane has loaded. Almost every block of a row is plain: no entry far
// above the reference point m, no NaN, no infinity, not the label. One unsigned maximum over the bits of slack − (z − m)
// tells, because a negative difference, an infinity and a NaN all have bits from those of infinity upwards. A block is summed
// as if it were plain before that is known, so that arithmetic goes on while entries are loaded. If it was not plain its sums
// are dropped and it is loaded again, one vector at a time, with the label and −Infinity masked.
//
// m is the label's logit until an entry exceeds it, and then an entry that none exceeds by more than the slack: moments are
// about m, and need it near the largest entry and no nearer. Where an objective asks for the maximum itself the slack is 0.

import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { weighted } from "./absent.ts";
import * as k from "./kernel.ts";
import type { Lanes, Statement, Value, Variable } from "./kernel.ts";
import * as meaning from "./meaning.ts";
import { factor, shiftMoment, type Moment } from "./moment.ts";
import * as row from "./row.ts";
import { fold, tree } from "./span.ts";

const { name } = row;

/** What a lane keeps of its part of a row: maxima by model, moments, and how many entries reach a maximum. */
export interface Kept {
  readonly models: readonly ModelName[];
  /** Models whose reference point must be the maximum itself. */
  readonly exact: readonly ModelName[];
  readonly moments: readonly Moment[];
  readonly ties: readonly ModelName[];
  readonly lanes: Lanes;
}

/** The bits of the vector of logits at a position of the row. */
export type Load = (model: ModelName, at: Value) => Value;

const running = (model: ModelName): Variable => name(`m_${model}`);
const slack = (model: ModelName): Variable => name(`slack_${model}`);

/** How far entries may lie above the reference point once it was raised: e^{d·slack} stays far from the largest number. */
function mostSlack({ moments }: Kept): Value {
  const degrees = moments.flatMap(({ powers }) => powers.map(({ d }) => d));
  return k.f32(Math.min(4, 16 / Math.max(1, ...degrees)));
}

/** The reference point of a model, and how far entries may lie above it: not at all, until it is raised. */
export const startAt = ({ exact }: Kept, model: ModelName, start: Value): readonly Statement[] => [
  k.varValue(running(model), start),
  ...(exact.includes(model) ? [] : [k.varValue(slack(model), k.f32(0))]),
];

/** Adds a block of vectors, or runs `careful` where it is not plain. */
export function addBlock(
  kept: Kept,
  count: number,
  { loads, bits: bitsOf }: ReturnType<typeof row.loadBlock>,
  isSpecial: Value,
  careful: readonly Statement[],
): readonly Statement[] {
  const { lanes } = kept;
  const positions = Array.from({ length: count }, (_, j) => j);
  const offsets = kept.models.flatMap((model) =>
    k.about(
      meaning.centred(model),
      positions.map((j) => {
        const z = row.asReal(bitsOf(model, j));
        const m = k.splat(running(model), lanes);
        return k.letValue(offset(kept, model, j), k.minus(z, m));
      }),
    ),
  );
  const bits = kept.models.flatMap((model) => {
    const most = k.splat(kept.exact.includes(model) ? k.f32(0) : slack(model), lanes);
    return positions.map((j) => row.bitsOf(k.minus(most, offset(kept, model, j))));
  });
  const worst = name("worst", "u32");
  const notPlain = k.infix(worst, ">=", row.infinityBits);
  return [
    ...loads,
    ...offsets,
    ...sumsOf(kept, positions),
    k.letValue(worst, fold(tree(bits, k.maximum), k.maximum)),
    k.when(k.infix(notPlain, "||", isSpecial), careful, addSums(kept, positions)),
  ];
}

/** Which entries of a vector count as −Infinity, by component. */
export interface Masks {
  readonly masked: Value;
  /** Which belong to the row, when others may be in the vector; what those hold is not looked at. */
  readonly inside: Value | null;
}

/** Adds one vector, whatever it holds. */
export function addCarefully(
  kept: Kept,
  at: Value,
  load: Load,
  { masked: isMasked, inside }: Masks,
): readonly Statement[] {
  const { lanes } = kept;
  const before = kept.models.flatMap((model): readonly Statement[] => {
    const bits = name(`bits_${model}`, "u32", lanes);
    const size = name(`size_${model}`, "u32", lanes);
    const z = name(`z_${model}`, "f32", lanes);
    const top = name(`top_${model}`);
    const bad = name(`bad_${model}`, "u32", lanes);
    const known = k.choose(row.isNegativeInfinity(bits), k.splat(k.u32(0), lanes), size);
    const unusable = k.infix(size, ">=", k.splat(row.infinityBits, lanes));
    const masked = k.infix(unusable, "|", isMasked);
    const x = k.maximum(k.minus(z, k.splat(running(model), lanes)), farthest(lanes));
    return k.about(meaning.centred(model), [
      k.letValue(
        bits,
        inside === null
          ? load(model, at)
          : k.choose(inside, load(model, at), k.splat(k.u32(0xff800000), lanes)),
      ),
      k.letValue(size, row.magnitude(bits)),
      k.assign(bad, k.maximum(bad, known)),
      k.letValue(z, k.choose(masked, k.splat(k.f32(row.absent), lanes), row.asReal(bits))),
      k.letValue(top, fold(z, k.maximum)),
      ...raise(kept, model, ["lane", "part"]),
      k.letValue(offset(kept, model, "careful"), x),
    ]);
  });
  return [
    ...before,
    ...sumsOf(kept, ["careful"]),
    ...addSums(kept, ["careful"]),
    ...weighted(kept.moments, lanes, isMasked, inside),
  ];
}

/** Raises a lane's running maximum to the largest of its subgroup, between chunks, when no part is open; of exact ones. */
export function raiseTogether(kept: Kept, model: ModelName): readonly Statement[] {
  const top = name(`top_${model}`);
  return k.about(meaning.maximumOf(model), [
    k.letValue(top, k.subgroup("max", running(model))),
    ...raise(kept, model, ["lane"]),
  ]);
}

/**
 * Moves everything that is kept from the reference point of a model to `top`, if that is too far above. Selects and not a
 * branch, which is slower; and not a factor e^0, which is not 1 to the last bit on every adapter.
 */
function raise(kept: Kept, model: ModelName, prefixes: readonly string[]): readonly Statement[] {
  const { moments, ties, lanes, exact } = kept;
  const [m, top] = [running(model), name(`top_${model}`)];
  const [next, shift] = [name(`next_${model}`), name(`shift_${model}`)];
  const isExact = exact.includes(model);
  const most = isExact ? m : k.plus(m, slack(model));
  const isHigher = k.infix(shift, "<", k.f32(0));
  const shifts = (other: ModelName): Value | null => (other === model ? shift : null);
  const moved = (source: Node, own: Variable, value: Value): readonly Statement[] =>
    k.about(source, [k.assign(own, k.choose(isHigher, value, own))]);
  const ordered = moments
    .filter(({ powers }) => powers.some((power) => power.model === model))
    .toSorted((a, b) => degree(b) - degree(a)); // each uses lower powers before they are moved themselves
  return k.about(meaning.maximumOf(model), [
    k.letValue(next, k.choose(k.infix(top, ">", most), top, m)),
    k.letValue(shift, k.minus(m, next)),
    ...prefixes.flatMap((prefix) => {
      const read = (moment: Moment): Variable => name(`${prefix}_${moment.name}`, "f32", lanes);
      return ordered.flatMap((moment) =>
        moved(
          meaning.momentOf(moment.powers),
          read(moment),
          shiftMoment(moment, read, shifts, lanes, moments),
        ),
      );
    }),
    ...(ties.includes(model)
      ? moved(meaning.tiesOf(model), name(`lane_ties_${model}`, "f32", lanes), nothing(lanes))
      : []),
    ...(isExact ? [] : [k.assign(slack(model), k.choose(isHigher, mostSlack(kept), slack(model)))]),
    k.assign(m, next),
  ]);
}
const degree = (moment: Moment): number => moment.powers.reduce((sum, power) => sum + power.k, 0);

/** A vector of a block by its number, or the one that is added with care. */
export type Position = number | "careful";

/** z − m of the entries at a position. */
const offset = ({ lanes }: Kept, model: ModelName, j: Position): Variable =>
  name(`x_${model}_${j}`, "f32", lanes);
const nothing = (lanes: Lanes): Value => k.splat(k.f32(0), lanes);
/** Below everything that has an exponential, so that e^x x is 0 and not a NaN. */
const farthest = (lanes: Lanes): Value => k.splat(k.f32(row.absent), lanes);

/** The sums of everything that is kept over the entries whose offsets are known. */
function sumsOf(kept: Kept, positions: readonly Position[]): readonly Statement[] {
  const { lanes } = kept;
  const x = (model: ModelName, j: Position): Value => offset(kept, model, j);
  const e = (model: ModelName, j: Position): Variable => name(`e_${model}_${j}`, "f32", lanes);
  const sum = (source: Node, own: string, terms: readonly Value[]): readonly Statement[] =>
    k.about(source, [k.letValue(sumOf(kept, own, positions), tree(terms, k.plus))]);
  const powers = kept.moments.flatMap((moment) => moment.powers);
  return [
    ...kept.models
      .filter((model) => powers.some((power) => power.model === model && power.d > 0))
      .flatMap((model) =>
        k.about(
          meaning.exponential(model),
          positions.map((j) => k.letValue(e(model, j), k.exp(x(model, j)))),
        ),
      ),
    ...kept.moments.flatMap((moment) =>
      sum(
        meaning.momentOf(moment.powers),
        moment.name,
        positions.map((j) =>
          moment.powers
            .map((power) => factor(power, x(power.model, j), e(power.model, j)))
            .reduce(k.times),
        ),
      ),
    ),
    ...kept.ties.flatMap((model) =>
      sum(
        meaning.tiesOf(model),
        `ties_${model}`,
        positions.map((j) => {
          const isTop = k.infix(x(model, j), "==", nothing(lanes));
          return k.choose(isTop, k.splat(k.f32(1), lanes), nothing(lanes));
        }),
      ),
    ),
  ];
}

/** The sum over a block, or over a vector that is added with care. */
const sumOf = ({ lanes }: Kept, own: string, [first]: readonly Position[]): Variable =>
  name(first === "careful" ? `careful_${own}` : `sum_${own}`, "f32", lanes);

/** Adds those sums to what is kept. */
function addSums(kept: Kept, positions: readonly Position[]): readonly Statement[] {
  const { moments, ties, lanes } = kept;
  const add = (source: Node, variable: string, own: string): readonly Statement[] => {
    const total = name(variable, "f32", lanes);
    return k.about(source, [k.assign(total, k.plus(total, sumOf(kept, own, positions)))]);
  };
  return [
    ...moments.flatMap(({ name: own, powers }) =>
      add(meaning.momentOf(powers), `part_${own}`, own),
    ),
    ...ties.flatMap((model) => add(meaning.tiesOf(model), `lane_ties_${model}`, `ties_${model}`)),
  ];
}
