// A batch as an emitted function takes it: rows of all responses one after the other, padded to one length, with a mask on the
// tokens of completions and one on those of prompts. Where a prompt is read, its tokens stand before those of the completion.

import type { Batch, Params } from "../batch/batch.ts";
import { nameOfDatum, type Datum } from "../core/datum.ts";
import { logpsFromLogits, promptOf, type ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import type { Sent } from "../python/worker.ts";
import { evaluate } from "../reference/interpret.ts";
import type { Family } from "../torch/stack.ts";
import type { TensorArgument } from "../torch/tensors.ts";
import type { Emitted } from "../torch/emit.ts";

/** Where the tokens of each response lie. */
export interface Padding {
  readonly rows: number;
  readonly length: number;
  /** Place of each token of a response in [rows, length], in the order of its offsets. */
  readonly places: ReadonlyMap<string, Uint32Array>;
}

type PerResponse = (response: string) => ArrayLike<number> | undefined;

/** Lays the rows of the responses out. */
export function paddingOf({ responses, arguments: { tensors } }: Emitted, batch: Batch): Padding {
  const { examples } = batch;
  const prompts = tensors.some(({ name }) => name === "prompt_mask");
  const inRow = (response: string): readonly string[] =>
    [...(prompts ? [promptOf(response)] : []), response].filter((one) =>
      Object.hasOwn(batch.responses, one),
    );
  const offsetsOf = (response: string): Uint32Array => batch.responses[response]!.offsets;
  const extent = (response: string, example: number): number =>
    inRow(response).reduce(
      (sum, one) => sum + offsetsOf(one)[example + 1]! - offsetsOf(one)[example]!,
      0,
    );
  let length = 1;
  for (const response of responses)
    for (let example = 0; example < examples; example++)
      length = Math.max(length, extent(response, example));
  const places = new Map<string, Uint32Array>();
  responses.forEach((response, position) => {
    const own = inRow(response);
    for (const one of own) places.set(one, new Uint32Array(batch.responses[one]!.labels.length));
    for (let example = 0; example < examples; example++) {
      let place = (position * examples + example) * length;
      for (const one of own) {
        const [from, to] = [offsetsOf(one)[example]!, offsetsOf(one)[example + 1]!];
        for (let token = from; token < to; token++) places.get(one)![token] = place++;
      }
    }
  });
  return { rows: responses.length * examples, length, places };
}

/** Numbers per token of each response, `width` each, over the rows; zero elsewhere. */
function spread(
  { rows, length, places }: Padding,
  values: PerResponse,
  width: number = 1,
): Float64Array {
  const data = new Float64Array(rows * length * width);
  for (const [response, own] of places) {
    const list = values(response);
    if (list === undefined) continue;
    own.forEach((place, token) => {
      for (let v = 0; v < width; v++) data[place * width + v] = list[token * width + v]!;
    });
  }
  return data;
}

/** The inverse: what a tensor over the rows has for each token of a response. */
export const gathered = (
  { places }: Padding,
  response: string,
  data: Float64Array,
  width: number = 1,
): Float64Array => {
  const own = places.get(response) ?? new Uint32Array();
  const values = new Float64Array(own.length * width);
  own.forEach((place, token) =>
    values.set(data.subarray(place * width, (place + 1) * width), token * width),
  );
  return values;
};

/** The tensors that an emitted function is called with. Statistics are what the interpreter says that they are. */
export function tensorsOf(
  emitted: Emitted,
  padding: Padding,
  batch: Batch,
  params: Params,
): Readonly<Record<string, Sent>> {
  const { rows, length } = padding;
  const { examples, vocab } = batch;
  const value = (node: Node): Float64Array => evaluate([node], batch, params)[0]!.data;
  const given = (datum: Datum): ArrayLike<number> | undefined => {
    const binding = batch.inputs[nameOfDatum(datum)];
    return binding === undefined || binding.height === "logits" ? undefined : binding.values;
  };
  const extents = (response: string): ArrayLike<number> => {
    const { offsets } = batch.responses[response]!;
    return Array.from(
      { length: examples },
      (_, example) => offsets[example + 1]! - offsets[example]!,
    );
  };
  const logits = (model: ModelName, response: string): Float64Array | undefined => {
    const binding = batch.inputs[nameOfDatum({ kind: "logits", model, response })];
    if (binding?.height !== "logits") return undefined;
    const { tensor, rowIndex } = binding;
    const values = new Float64Array(rowIndex.length * vocab);
    rowIndex.forEach((row, token) => {
      for (let v = 0; v < vocab; v++)
        values[token * vocab + v] = (tensor.data as Float64Array)[row * vocab + v]!;
    });
    return values;
  };
  const grid = (values: PerResponse, kind: Sent["kind"] = "real"): Sent => ({
    shape: [rows, length],
    values: spread(padding, values),
    kind,
  });
  const perRow = (family: Family, values: PerResponse): Sent => ({
    shape: [rows],
    values: Float64Array.from(
      emitted.responses.flatMap((response) => {
        const own = family === "prompt" ? promptOf(response) : response;
        const known = Object.hasOwn(batch.responses, own) ? values(own) : undefined;
        return Array.from(known ?? new Float64Array(examples));
      }),
    ),
    kind: "real",
  });
  const sent = ({ shape, source }: TensorArgument): Sent => {
    switch (source.kind) {
      case "statistic": {
        const { definitions } = source.statistic;
        return grid((response) =>
          Object.hasOwn(definitions, response) ? value(definitions[response]!) : undefined,
        );
      }
      case "mask":
        return grid((response) => {
          const prompt = !emitted.responses.includes(response);
          return prompt === (source.family === "prompt")
            ? new Float64Array(batch.responses[response]!.labels.length).fill(1)
            : undefined;
        }, "whole");
      case "ids":
        return grid((response) => batch.responses[response]!.labels, "whole");
      // logits are the hidden states of a head that changes nothing
      case "hidden":
      case "logits":
        return {
          shape: [rows, length, vocab],
          values: spread(padding, (response) => logits(source.model, response), vocab),
          kind: "real",
        };
      case "weight":
        return {
          shape: [vocab, vocab],
          values: Float64Array.from({ length: vocab ** 2 }, (_, n) =>
            Number(n % (vocab + 1) === 0),
          ),
          kind: "real",
        };
      case "lengths":
        return perRow(source.family, extents);
      case "logps": {
        const { model } = source;
        return perRow(
          source.family,
          (response) =>
            given({ kind: "logps", model, response }) ??
            (logits(model, response) === undefined
              ? undefined
              : value(logpsFromLogits(model, response))),
        );
      }
      case "data": {
        const { datum } = source;
        if (shape === "examples")
          return { shape: [examples], values: Float64Array.from(given(datum)!), kind: "real" };
        const own: PerResponse = (response) =>
          "response" in datum ? given({ ...datum, response }) : undefined;
        return shape === "rows" ? perRow("completion", own) : grid(own);
      }
    }
  };
  return Object.fromEntries(
    emitted.arguments.tensors.map((argument) => [argument.name, sent(argument)]),
  );
}

/** Parameters and states by the names of the function. */
export const numbersOf = (
  { arguments: { params, states } }: Emitted,
  given: Params,
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...params, ...states].flatMap(({ name, param }) =>
      Object.hasOwn(given, param) ? [[name, given[param]!]] : [],
    ),
  );
