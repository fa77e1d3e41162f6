// The variables of a pass that reads: what a lane keeps of its part of a row, what a block or a vector of it adds, and what
// lanes hand to each other. Each is made once and known by what it is for; no two files agree on a name.

import type { Accumulator, BlockPass } from "../block/block.ts";
import { maximumOf } from "../block/meaning.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import * as k from "./kernel.ts";
import type { Lanes, Scalar, Value, Variable } from "./kernel.ts";
import { lowest } from "./row.ts";

type OfModel = (model: ModelName, lanes: Lanes) => Variable;
const perModel = (prefix: string, type: Scalar = "f32"): OfModel =>
  k.family((model: ModelName, lanes: Lanes) => k.variable(`${prefix}_${model}`, type, lanes));
type Single = (model: ModelName) => Variable;
const ofRow = (prefix: string, type: Scalar = "f32"): Single => {
  const own = perModel(prefix, type);
  return (model) => own(model, 1);
};

/** The point that a model's entries are measured from. */
export const pointOf: Single = ofRow("m");
/** How far above it entries may lie. */
export const slackOf: Single = ofRow("slack");
/** What the point is to be raised to, what it becomes, and by how much it was moved. */
export const topOf: Single = ofRow("top");
const nextOf: Single = ofRow("next");
export const shiftOf: Single = ofRow("shift");
/** The variables by which a reference point is raised. */
export type Raising = Readonly<Record<"top" | "next" | "shift", Single>>;
export const raising: Raising = { top: topOf, next: nextOf, shift: shiftOf };
/** The same where a block raises it once more inside their scope. */
export const raisingTogether: Raising = {
  top: ofRow("together_top"),
  next: ofRow("together_next"),
  shift: ofRow("together_shift"),
};
/** The largest bits of what is no usable logit, by component and of all components. */
export const badOf: OfModel = perModel("bad", "u32");
export const worstOf: Single = ofRow("worst", "u32");

/** A vector of a block by its number, or the one that is added with care. */
export type Position = number | "careful";
type AtPosition = (model: ModelName, position: Position, lanes: Lanes) => Variable;
const atPosition = (prefix: string): AtPosition =>
  k.family((model: ModelName, position: Position, lanes: Lanes) =>
    k.variable(`${prefix}_${model}_${position}`, "f32", lanes),
  );
/** An entry, its distance from the point, and the exponential of that. */
export const entryAt: AtPosition = atPosition("z");
export const offsetAt: AtPosition = atPosition("x");
export const exponentialAt: AtPosition = atPosition("e");

const perName = (prefix: string): ((name: string, lanes: Lanes) => Variable) =>
  k.family((name: string, lanes: Lanes) => k.variable(`${prefix}${name}`, "f32", lanes));
const [whole, laneOwn, partOwn, blockSum, carefulSum, moved] = [
  perName(""),
  perName("lane_"),
  perName("part_"),
  perName("sum_"),
  perName("careful_"),
  perName("new_"),
] as [Named, Named, Named, Named, Named, Named];
type Named = (name: string, lanes: Lanes) => Variable;

type Kept = Pick<Accumulator, "name">;
/** What a lane keeps: of one component, of its vectors, and of those of a chunk of blocks. */
export const keptOf = ({ name }: Kept): Variable => whole(name, 1);
export const laneOf = ({ name }: Kept, lanes: Lanes): Variable => laneOwn(name, lanes);
export const partOf = ({ name }: Kept, lanes: Lanes): Variable => partOwn(name, lanes);
/** What a block adds, or a vector that is added with care. */
export const sumOf = ({ name }: Kept, lanes: Lanes, [first]: readonly Position[]): Variable =>
  (first === "careful" ? carefulSum : blockSum)(name, lanes);
/** What it becomes when two parts of a row are combined. */
export const newOf = ({ name }: Kept): Variable => moved(name, 1);

/** One number that a lane holds when its part of the row is read, and what it stands for. */
export interface State {
  readonly variable: Variable;
  readonly start: Value;
  readonly source: Node;
}

/** All of them: points, the worst entries, and what is added up. */
export function stateOf({ models, accumulators }: BlockPass): readonly State[] {
  const of = (variable: Variable, start: Value, source: Node): State => ({
    variable,
    start,
    source,
  });
  return [
    ...models.map((model) => of(pointOf(model), k.f32(lowest), maximumOf(model))),
    ...models.map((model) => of(worstOf(model), k.u32(0), maximumOf(model))),
    ...accumulators.map((one) => of(keptOf(one), k.f32(one.start), one.holds)),
  ];
}
/** Whether sums are rounded, so that they are added up in parts; a count is not. */
export const isRounded = ({ shape }: Accumulator): boolean => shape.kind !== "ties";
