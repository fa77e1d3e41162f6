// Values of expressions as tables. An expression over a set of axes is a function of those index variables;
// its tensor lists that function once for every point of the index space. A ragged token axis is flattened in
// the order of the response's offsets, so {batch, token.w, vocab} is stored as [tokens of w, vocab]. The responses of a list are
// flattened likewise, and so are pairs of them, example by example.

import type { Batch, LogitsTensor } from "../batch/batch.ts";
import { ofModel } from "../core/datum.ts";
import {
  isList,
  isOtherAxis,
  isResponseAxis,
  isTokenAxis,
  kindOf,
  listAlong,
  responseOf,
  rowsOfList,
  tokenAxis,
  unionAxes,
  type Axis,
  type OtherAxis,
  type ResponseAxis,
  type TokenAxis,
} from "../core/axis.ts";

/** A dense table over `axes`, outermost axis first, in float64; booleans are 0 and 1. */
export interface Tensor {
  readonly axes: readonly Axis[];
  readonly data: Float64Array;
  /** Entries of its vocabulary axis, where they are not those of the batch. */
  readonly vocab?: number;
}

/**
 * A value for every index variable. `token` is the position in the flattened order of whichever response's
 * tokens the expression at hand ranges over: an expression never ranges over two. `response` and `other` are those in the
 * flattened order of the responses of a list.
 */
export interface Environment {
  batch: number;
  response: number;
  other: number;
  token: number;
  vocab: number;
}

/** Where the tokens of each example of a token axis lie: example b owns offsets[b] … offsets[b+1]−1; of a list, each response. */
export function offsetsOf(axis: TokenAxis | ResponseAxis | OtherAxis, batch: Batch): Uint32Array {
  return batch.responses[isTokenAxis(axis) ? responseOf(axis) : rowsOfList(listAlong(axis))]!
    .offsets;
}

/** The values that an index variable takes in an environment, as a half-open range. */
export function rangeOf(axis: Axis, place: Environment, batch: Batch): readonly [number, number] {
  if (axis === "batch") return [0, batch.examples];
  if (axis === "vocab") return [0, batch.vocab];
  const offsets = offsetsOf(axis, batch);
  const owner = isTokenAxis(axis) && isList(responseOf(axis)) ? place.response : place.batch;
  return [offsets[owner]!, offsets[owner + 1]!];
}

/** The field of an environment that holds an index variable. */
export function fieldOf(axis: Axis): keyof Environment {
  return kindOf(axis);
}

/** Where the pairs of responses of each example lie, in the order of the examples. */
function pairOffsets(responses: Uint32Array): readonly number[] {
  const offsets = [0];
  for (let example = 0; example + 1 < responses.length; example++)
    offsets.push(offsets[example]! + (responses[example + 1]! - responses[example]!) ** 2);
  return offsets;
}

/** How many numbers a tensor over these axes holds. */
export function sizeOf(axes: readonly Axis[], batch: Batch): number {
  const token = axes.find(isTokenAxis);
  const columns = axes.includes("vocab") ? batch.vocab : 1;
  if (token !== undefined) return offsetsOf(token, batch).at(-1)! * columns;
  const [response, other] = [axes.find(isResponseAxis), axes.find(isOtherAxis)];
  const responses = response ?? other;
  if (responses !== undefined) {
    const offsets = offsetsOf(responses, batch);
    const isPair = response !== undefined && other !== undefined;
    return (isPair ? pairOffsets(offsets) : offsets).at(-1)! * columns;
  }
  return (axes.includes("batch") ? batch.examples : 1) * columns;
}

/** Lists a function of the index variables `axes` (in canonical order) once for every point of their space. */
export function tabulate(
  axes: readonly Axis[],
  batch: Batch,
  value: (place: Environment) => number,
): Tensor {
  const data = new Float64Array(sizeOf(axes, batch));
  const place: Environment = { batch: 0, response: 0, other: 0, token: 0, vocab: 0 };
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
  const row = rowReader(axes, batch);
  if (row !== null && !ragged) {
    if (axes.includes("vocab")) return (place) => data[row(place) * width + place.vocab]!;
    return (place) => data[row(place)]!;
  }
  if (axes.includes("vocab")) {
    if (ragged) return (place) => data[place.token * width + place.vocab]!;
    if (rows) return (place) => data[place.batch * width + place.vocab]!;
    return (place) => data[place.vocab]!;
  }
  if (ragged) return (place) => data[place.token]!;
  if (rows) return (place) => data[place.batch]!;
  return () => data[0]!;
}

/** The row of a response, or of a pair of them, among those of the whole batch; null where axes have neither. */
function rowReader(axes: readonly Axis[], batch: Batch): ((place: Environment) => number) | null {
  const [response, other] = [axes.find(isResponseAxis), axes.find(isOtherAxis)];
  if (other === undefined) return response === undefined ? null : (place) => place.response;
  if (response === undefined) return (place) => place.other;
  const offsets = offsetsOf(response, batch);
  const pairs = pairOffsets(offsets);
  return (place) => {
    const [from, to] = [offsets[place.batch]!, offsets[place.batch + 1]!];
    return pairs[place.batch]! + (place.response - from) * (to - from) + (place.other - from);
  };
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
    const { data } = expand(gradient, unionAxes([tokenAxis(response), "vocab"]), batch);
    binding.rowIndex.forEach((row, token) => {
      for (let v = 0; v < width; v++) out[row * width + v]! += data[token * width + v]!;
    });
  }
  return out;
}
