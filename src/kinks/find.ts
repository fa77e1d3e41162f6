// Which kinks a batch lies on. A bend counts where its gap is 0, or so near to 0 that log-probabilities which are known to
// float32 do not decide it, and where its two sides hand different slopes to what is differentiated: min(rA, clip(r)A) at
// r = 1 is no kink, since both sides have one slope.

import { gradient } from "../ad/gradient.ts";
import type { Batch, Params } from "../batch/batch.ts";
import { numbersIn, vocabOf } from "../batch/logits.ts";
import { binary, constant, reduce, select, unary } from "../core/build.ts";
import { PrefcError } from "../core/error.ts";
import { isDifferentiated } from "../core/inputs.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import { isConstant } from "../core/smart.ts";
import { evaluate } from "../reference/interpret.ts";
import { expand, sizeOf, type Tensor } from "../reference/tensor.ts";
import { sided, taken, type Place, type Side } from "./sides.ts";
import { sitesOf, type Bend, type Contest } from "./sites.ts";

/** A bend that a batch lies on. */
export interface Kink extends Place {
  /** Whether float32 does not decide it; else the gap is 0 for every engine. */
  readonly isNoise: boolean;
  /** What the loss and its slopes differ by between the sides, of all bends that turn with this one. */
  readonly differs: Differs;
}
export interface Differs {
  readonly loss: number;
  readonly slopes: ReadonlyMap<Input, Tensor>;
}
export interface Kinks {
  readonly kinks: readonly Kink[];
  readonly contests: readonly Contest[];
}

/** What is left unknown of a log-probability by a kernel, and by a cache in float32. */
const unknown = 2 ** -20;
const cached = 2 ** -22;
/** Several inputs may be off in one direction. */
const margin = 4;
/** Bends that are looked into at most: a formula of thousands of them would take minutes. */
const most = 32;
/** A gap that a move of that size changes by more has a jump below it. */
const aStep = 2 ** -10;
/** A loss that differs by this part of it between two sides of a decision jumps. */
const aJump = 1e-4;
/** A slope below this part of the largest is the rounding of one that is 0. */
const negligible = 1e-12;

/** The batch with one input moved by as much as float32 leaves unknown of it; logits move at the label. */
function moved(batch: Batch, { name, datum }: Input): Batch {
  const binding = batch.inputs[name]!;
  const change = (next: Batch["inputs"][string]): Batch => ({
    ...batch,
    inputs: { ...batch.inputs, [name]: next },
  });
  if (binding.height !== "logits")
    return change({
      ...binding,
      values: Float64Array.from(binding.values, (x) => x * (1 + cached)),
    });
  const numbers = numbersIn(binding.tensor);
  if (numbers === null || datum.kind !== "logits") return batch;
  const { labels } = batch.responses[datum.response]!;
  const vocab = vocabOf(binding.tensor, batch);
  const data = Float64Array.from(numbers);
  binding.rowIndex.forEach((row, token) => (data[row * vocab + labels[token]!]! += unknown));
  return change({ ...binding, tensor: { ...binding.tensor, data, dtype: "f32" } });
}

const inputsBelow = (roots: readonly Node[]): readonly Input[] =>
  topological(roots).filter((node): node is Input => node.tag === "input");

/** What a model says, at any height. */
const isSaid = ({ datum }: Input): boolean => "model" in datum && datum.kind !== "entry";

const largest = (tensors: readonly Tensor[]): number =>
  tensors.reduce((top, { data }) => data.reduce((most, x) => Math.max(most, Math.abs(x)), top), 0);

/** What a gap is, whichever way round it is written, and the sign by which it is that. */
function oriented(gap: Node): readonly [what: string, sign: number] {
  if (gap.tag === "unary" && gap.op === "neg") {
    const [what, sign] = oriented(gap.args[0]);
    return [what, -sign];
  }
  if (gap.tag !== "binary" || gap.op !== "minus") return [`${gap.id}`, 1];
  const [a, b] = gap.args;
  if (isConstant(b, 0)) return oriented(a);
  if (isConstant(a, 0)) return oriented(unary("neg", b));
  return a.id < b.id ? [`${a.id}-${b.id}`, 1] : [`${b.id}-${a.id}`, -1];
}

/**
 * Bends that turn together: log(e^a + e^b) is written as max(a, b) + log(1 + e^−|a − b|), which has two bends and none in all.
 */
function together(bends: readonly Bend[]): readonly (readonly [Bend, sign: number][])[] {
  const groups = new Map<string, [Bend, number][]>();
  for (const bend of bends) {
    const [what, sign] = oriented(bend.gap);
    groups.set(what, [...(groups.get(what) ?? []), [bend, sign]]);
  }
  return [...groups.values()];
}

const apart = (a: Tensor, b: Tensor): Tensor => ({
  ...a,
  data: a.data.map((value, entry) => value - b.data[entry]!),
});

/** The contests that are tied on a batch. */
function tied(contests: readonly Contest[], batch: Batch, params: Params): readonly Contest[] {
  const values = evaluate(
    contests.map(({ node }) => node.args[0]),
    batch,
    params,
  );
  return contests.filter(({ node }, position) => {
    if (node.tag === "sort") {
      const numbers = expand(values[position]!, ["batch"], batch).data;
      return new Set(numbers).size < numbers.length;
    }
    const isTop = binary("eq", node.args[0], node);
    const count = reduce("sum", node.axis, select(isTop, constant(1), constant(0)));
    return evaluate([count], batch, params)[0]!.data.some((tops) => tops > 1);
  });
}

/** How near to 0 each gap has to be for float32 not to decide it. */
function unknowns(
  gaps: readonly Node[],
  values: readonly Tensor[],
  batch: Batch,
  params: Params,
): readonly Float64Array[] {
  const unknownOf = values.map(({ data }) => new Float64Array(data.length));
  for (const input of inputsBelow(gaps).filter(isSaid)) {
    evaluate(gaps, moved(batch, input), params).forEach(({ data }, position) =>
      data.forEach((x, entry) => {
        const change = Math.abs(x - values[position]!.data[entry]!);
        // what a small move changes much jumped over another decision
        const isSmall = change <= aStep * (1 + Math.abs(x));
        if (isSmall) unknownOf[position]![entry]! += margin * change;
      }),
    );
  }
  return unknownOf;
}

/** What the sides of bends that turn together differ by; null where it is nothing. A side that is refused differs by ∞. */
function differing(
  root: Node,
  wanted: readonly Input[],
  places: readonly Place[],
  signs: ReadonlyMap<Bend, number>,
  batch: Batch,
  params: Params,
): Differs | null {
  // at 0 a root hands on a product of 0 and ∞, and beside it a direction that is rounding noise
  if (places.some(({ bend }) => bend.spelling === "sqrt")) return everything(wanted, batch);
  const { loss: either, held } = sided(root, places);
  const roots = [either, ...gradient(either, wanted)];
  const sideOf =
    (way: number): Side =>
    (place, entry) =>
      place.here.data[entry] === 1 ? Number(signs.get(place.bend) === way) : taken(place, entry);
  const valuesOf = (way: number): readonly Tensor[] =>
    evaluate(roots, batch, params, held(sideOf(way))).map((value, n) =>
      expand(value, n === 0 ? [] : wanted[n - 1]!.axes, batch),
    );
  try {
    const [above, below] = [valuesOf(1), valuesOf(-1)];
    const [jump, ...slopes] = above.map((one, n) => apart(one, below[n]!));
    const [loss, size] = [largest([jump!]), largest([above[0]!, below[0]!])];
    const scale = largest([...above.slice(1), ...below.slice(1)]);
    if (loss <= aJump * size && largest(slopes) <= negligible * scale) return null;
    return { loss, slopes: new Map(wanted.map((input, n) => [input, slopes[n]!] as const)) };
  } catch (error) {
    if (!(error instanceof PrefcError)) throw error;
    return everything(wanted, batch);
  }
}

/** A difference without bound, as between the slopes of a root near 0. */
const everything = (wanted: readonly Input[], batch: Batch): Differs => ({
  loss: 0,
  slopes: new Map(
    wanted.map((input) => {
      const data = new Float64Array(sizeOf(input.axes, batch)).fill(Infinity);
      return [input, { axes: input.axes, data }] as const;
    }),
  ),
});

/**
 * The kinks and jumps of a loss that a batch lies on and that change its gradient.
 * @throws PrefcError what `evaluate` throws
 */
export function kinksAt(root: Node, batch: Batch, params: Params): Kinks {
  const wanted = inputsBelow([root]).filter(isDifferentiated);
  const { bends, contests } = sitesOf(
    [root],
    inputsBelow([root]).filter((one) => isSaid(one) || isDifferentiated(one)),
  );
  if (bends.length === 0 && contests.length === 0) return { kinks: [], contests: [] };
  const gaps = bends.map(({ gap }) => gap);
  const values = evaluate(gaps, batch, params);
  const allowed = unknowns(gaps, values, batch, params);
  const isCached = inputsBelow([root]).some(
    (one) => isSaid(one) && one.datum.kind !== "logits" && !isDifferentiated(one),
  );
  const found = bends.flatMap((bend, position) => {
    const gap = values[position]!;
    const near = gap.data.map((x, entry) => Number(Math.abs(x) <= allowed[position]![entry]!));
    if (!near.includes(1)) return [];
    const isNoise = isCached || gap.data.some((x, entry) => near[entry] === 1 && x !== 0);
    return [{ bend, gap, isNoise, here: { ...gap, data: near } }];
  });
  const groups = together(found.map(({ bend }) => bend)).slice(0, most);
  const kinks = groups.flatMap((group) => {
    const own = group.map(([bend]) => found.find((one) => one.bend === bend)!);
    const differs = differing(root, wanted, own, new Map(group), batch, params);
    return differs === null ? [] : own.map((one) => ({ ...one, differs }));
  });
  return { kinks, contests: tied(contests, batch, params) };
}

/** How many places a table has over these axes. */
export const placesOf = ({ here }: Kink, batch: Batch): readonly [on: number, of: number] => [
  here.data.reduce((sum, x) => sum + x, 0),
  sizeOf(here.axes, batch),
];
