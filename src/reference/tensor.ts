// Values of expressions as tables. An expression over a set of axes is a function of those index variables;
// its tensor lists that function once for every point of the index space. A ragged token axis is flattened in
// the order of the response's offsets, so {batch, token.w, vocab} is stored as [tokens of w, vocab]. The
// possible spaces are {}, {batch}, {vocab}, {batch, vocab}, {batch, token.R} and {batch, token.R, vocab}.

import type { Batch, LogitsTensor } from "../batch/batch.ts";
import { ofModel } from "../core/datum.ts";
import { isTokenAxis, responseOf, tokenAxis, type Axis, type TokenAxis } from "../core/axis.ts";

/** A dense table over `axes`, outermost axis first, in float64; booleans are 0 and 1. */
export interface Tensor {
  readonly axes: readonly Axis[];
  readonly data: Float64Array;
  /** Entries of its vocabulary axis, where they are not those of the batch. */
  readonly vocab?: number;
}

/**
 * A value for every index variable. `token` is the position in the flattened order of whichever response's
 * tokens the expression at hand ranges over: an expression never ranges over two.
 */
export interface Environment {
  batch: number;
  token: number;
  vocab: number;
}

/** Where the tokens of each example of a token axis lie: example b owns offsets[b] … offsets[b+1]−1. */
export function offsetsOf(axis: TokenAxis, batch: Batch): Uint32Array {
  return batch.responses[responseOf(axis)]!.offsets;
}

/** The values that an index variable takes in an environment, as a half-open range. */
export function rangeOf(axis: Axis, place: Environment, batch: Batch): readonly [number, number] {
  if (axis === "batch") return [0, batch.examples];
  if (axis === "vocab") return [0, batch.vocab];
  const offsets = offsetsOf(axis, batch);
  return [offsets[place.batch]!, offsets[place.batch + 1]!];
}

/** The field of an environment that holds an index variable. */
export function fieldOf(axis: Axis): keyof Environment {
  return isTokenAxis(axis) ? "token" : axis;
}

/** How many numbers a tensor over these axes holds. */
export function sizeOf(axes: readonly Axis[], batch: Batch): number {
  const token = axes.find(isTokenAxis);
  const columns = axes.includes("vocab") ? batch.vocab : 1;
  if (token !== undefined) return offsetsOf(token, batch)[batch.examples]! * columns;
  return (axes.includes("batch") ? batch.examples : 1) * columns;
}

/** Lists a function of the index variables `axes` (in canonical order) once for every point of their space. */
export function tabulate(
  axes: readonly Axis[],
  batch: Batch,
  value: (place: Environment) => number,
): Tensor {
  const data = new Float64Array(sizeOf(axes, batch));
  const place: Environment = { batch: 0, token: 0, vocab: 0 };
  let written = 0;
  const visit = (depth: number): void => {
    const axis = axes[depth];
    if (axis === undefined) {
      data[written++] = value(place);
      return;
    }
    const [from, to] = rangeOf(axis, place, batch);
    const field = fieldOf(axis);
    for (let index = from; index < to; index++) {
      place[field] = index;
      visit(depth + 1);
    }
  };
  visit(0);
  return axes.includes("vocab") ? { axes, data, vocab: batch.vocab } : { axes, data };
}

/** Reads a tensor in an environment. Index variables that it does not have make no difference. */
export function reader(tensor: Tensor, batch: Batch): (place: Environment) => number {
  const { axes, data, vocab: width = batch.vocab } = tensor;
  const ragged = axes.some(isTokenAxis);
  const rows = axes.includes("batch");
  if (axes.includes("vocab")) {
    if (ragged) return (place) => data[place.token * width + place.vocab]!;
    if (rows) return (place) => data[place.batch * width + place.vocab]!;
    return (place) => data[place.vocab]!;
  }
  if (ragged) return (place) => data[place.token]!;
  if (rows) return (place) => data[place.batch]!;
  return () => data[0]!;
}

/** The same function listed over more axes. */
export function expand(tensor: Tensor, axes: readonly Axis[], batch: Batch): Tensor {
  return axes.length === tensor.axes.length ? tensor : tabulate(axes, batch, reader(tensor, batch));
}

/**
 * The gradient of a logits tensor, [rows, vocab]. `gradients` holds, by input name, the gradient with respect to
 * each response's logits, over at most [batch, token.R, vocab]; each goes to the rows that the response reads
 * and rows that no response reads are zero. Names that the tensor does not carry are left out.
 */
export function scatterRows(
  target: LogitsTensor,
  gradients: Readonly<Record<string, Tensor>>,
  batch: Batch,
): Float64Array {
  const width = batch.vocab;
  const out = new Float64Array(target.rows * width);
  for (const [name, gradient] of Object.entries(gradients)) {
    const binding = batch.inputs[name];
    if (binding?.height !== "logits" || binding.tensor !== target) continue;
    const { response } = ofModel(name)!;
    const { data } = expand(gradient, ["batch", tokenAxis(response), "vocab"], batch);
    binding.rowIndex.forEach((row, token) => {
      for (let v = 0; v < width; v++) out[row * width + v]! += data[token * width + v]!;
    });
  }
  return out;
}
