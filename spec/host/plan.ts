// Runs a whole plan on the host, without a device: the dispatches of a run in their order, each over buffers that hold what the
// runtime would have put there.
import type { Batch, LogitsTensor, Params } from "../../src/batch/batch.ts";
import { dtypeOf, vocabOf } from "../../src/batch/logits.ts";
import { parameterValue } from "../../src/batch/params.ts";
import { gradientName, type Program } from "../../src/pipeline/pipeline.ts";
import { runKernel } from "../../src/host/run.ts";
import type { Role } from "../../src/kernel/kernel.ts";
import { statusWords } from "../../src/kernel/status.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { gridOf, listDispatches, type Dispatch } from "../../src/runtime/run/dispatches.ts";
import { stack } from "../../src/runtime/run/stack.ts";

type Words = Uint32Array<ArrayBuffer>;
export type HostResults = ReadonlyMap<string, Float32Array | Float64Array | Uint16Array>;
export interface HostOptions {
  readonly params?: Params;
  /** The least binding, so that rows are cut into windows; all of them fit. */
  readonly maxBinding?: number;
  readonly subgroupSize?: number;
  /** Whether the gradient of a tensor is written over its logits. */
  readonly inPlace?: boolean;
}

const wordsIn = (array: ArrayBufferView): Words => {
  const words = new Uint32Array(Math.ceil(array.byteLength / 4));
  new Uint8Array(words.buffer).set(
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  );
  return words;
};
const singles = (words: Words): Float32Array<ArrayBuffer> => new Float32Array(words.buffer);

/** The logits of a tensor as they are stored, with nothing after the last row. */
function stored(tensor: LogitsTensor, vocab: number): Words {
  const data = tensor.data as Float32Array | Float64Array | Uint16Array;
  const used = data.subarray(0, tensor.rows * vocab);
  return wordsIn(used instanceof Float64Array ? Float32Array.from(used) : used);
}
const pairs = (values: ArrayLike<number>): Float32Array =>
  Float32Array.from({ length: 2 * values.length }, (_, i) => {
    const value = values[i >> 1]!;
    return i % 2 === 0 ? value : value - Math.fround(value);
  });

/** What a run leaves, by the names of results.ts, and the status. */
export function runPlan(
  program: Program,
  plan: Plan,
  batch: Batch,
  { params = {}, maxBinding = Infinity, subgroupSize = 4, inPlace = false }: HostOptions = {},
): { readonly results: HostResults; readonly status: Words } {
  const stacked = stack(batch, plan.responses);
  const { tokens } = stacked;
  const limits = { maxBinding, alignment: 4 };
  const dispatches = listDispatches(plan, batch, stacked, limits, () => inPlace);
  const fixed: Record<string, Words> = {
    ragged: wordsIn(stacked.ragged),
    labels: wordsIn(stacked.labels),
    rows: new Uint32Array(plan.rowFields.length * tokens),
    terms: new Uint32Array(Math.max(1, plan.terms) * tokens * 2),
    examples: new Uint32Array(Math.max(1, plan.exampleSlots) * batch.examples * 2),
    scalars: new Uint32Array(Math.max(1, plan.scalarSlots) * 2),
    status: new Uint32Array(statusWords(plan.models.length)),
    parts: new Uint32Array(Math.max(1, plan.partWords * tokens)),
  };
  const valuesOf = (input: string): ArrayLike<number> => {
    const binding = batch.inputs[input];
    if (binding === undefined || binding.height === "logits") throw new Error(`no ${input}`);
    return binding.values;
  };
  for (const { input, response, slot } of plan.tokenUploads) {
    const base = stacked.bases[plan.responses.indexOf(response!)]!;
    singles(fixed["rows"]!).set(valuesOf(input), slot * tokens + base);
  }
  for (const { input, slot } of plan.exampleUploads)
    singles(fixed["examples"]!).set(pairs(valuesOf(input)), slot * batch.examples * 2);

  const logits = new Map<unknown, Words>();
  const gradients = new Map<string, { tensor: LogitsTensor; words: Words }>();
  const logitsOf = (tensor: LogitsTensor): Words => {
    const known = logits.get(tensor.data);
    if (known !== undefined) return known;
    const words = stored(tensor, vocabOf(tensor, batch));
    logits.set(tensor.data, words);
    return words;
  };
  const gradientOf = (tensor: LogitsTensor): Words => {
    const known = gradients.get(tensor.name);
    if (known !== undefined) return known.words;
    const words = inPlace ? logitsOf(tensor) : new Uint32Array(logitsOf(tensor).length);
    gradients.set(tensor.name, { tensor, words });
    return words;
  };
  /** The rows of a window; windows begin at whole words. */
  const windowed = (words: Words, tensor: LogitsTensor, firstRow: number): Words => {
    const bytes = dtypeOf(tensor) === "f32" ? 4 : 2;
    return words.subarray((firstRow * vocabOf(tensor, batch) * bytes) / 4);
  };
  const bufferOf = (role: Role, { group, window, partners }: Dispatch): Words => {
    const placeOf = (model: string): number =>
      group!.tensors.findIndex((entry) => entry.model === model);
    switch (role.kind) {
      case "tokenOf":
        return wordsIn(group!.tokenOf);
      case "rowOf":
        return wordsIn(partners[placeOf(role.model) - 1]!.rowOf);
      case "logits": {
        const place = placeOf(role.model);
        const { tensor } = group!.tensors[place]!;
        const { firstRow } = place === 0 ? window : partners[place - 1]!.window;
        return windowed(logitsOf(tensor), tensor, firstRow);
      }
      case "gradient": {
        const { tensor } = group!.tensors[0]!;
        return windowed(gradientOf(tensor), tensor, window.firstRow);
      }
      default:
        return fixed[role.kind]!;
    }
  };
  for (const dispatch of dispatches) {
    const { kernel, group, window } = dispatch;
    const grid = gridOf(dispatch);
    const uses = kernel.bindings.filter(({ access }) => access !== "uniform");
    runKernel(kernel, {
      buffers: Object.fromEntries(uses.map(({ name, role }) => [name, bufferOf(role, dispatch)])),
      uniforms: {
        examples: batch.examples,
        tokens,
        vocab: group === null ? batch.vocab : vocabOf(group.tensors[0]!.tensor, batch),
        "first row": window.firstRow,
        rows: window.rows,
        "grid width": grid[0],
        "work reads": dispatch.step.work?.from ?? 0,
        "work writes": dispatch.step.work?.to ?? 0,
        "work count": dispatch.step.work?.count ?? 0,
        "work grid width": grid[0],
      },
      params: plan.params.map((param) => parameterValue(param, params)),
      grid,
      subgroupSize,
    });
  }

  const results = new Map<string, Float32Array | Float64Array | Uint16Array>();
  const pairAt = (words: Words, at: number): number =>
    singles(words)[2 * at]! + singles(words)[2 * at + 1]!;
  const metrics = Object.keys(program.metrics);
  plan.scalars.forEach((name, slot) => {
    // after the loss and the metrics come the next values of the state, which say so in their names, and gradients of parameters
    const isGradient = program.paramGradients.some(({ param }) => gradientName(param) === name);
    const isMetric = slot > 0 && slot <= metrics.length;
    const own = isMetric ? `metric ${name}` : isGradient ? `gradient ${name}` : name;
    results.set(own, Float64Array.of(pairAt(fixed["scalars"]!, slot)));
  });
  const perExample = (slot: number): Float64Array =>
    Float64Array.from({ length: batch.examples }, (_, example) =>
      pairAt(fixed["examples"]!, slot * batch.examples + example),
    );
  if (plan.perExample !== null) results.set("perExample", perExample(plan.perExample));
  for (const { input, response, slot } of plan.highGradients) {
    const base = response === null ? 0 : stacked.bases[plan.responses.indexOf(response)]!;
    const end = response === null ? 0 : stacked.bases[plan.responses.indexOf(response) + 1]!;
    results.set(
      `gradient ${input}`,
      response === null
        ? perExample(slot)
        : singles(fixed["rows"]!).slice(slot * tokens + base, slot * tokens + end),
    );
  }
  for (const [name, { tensor, words }] of gradients) {
    const length = tensor.rows * vocabOf(tensor, batch);
    const data =
      dtypeOf(tensor) === "f32"
        ? singles(words).slice(0, length)
        : new Uint16Array(words.buffer).slice(0, length);
    results.set(`gradient ${name}`, data);
  }
  return { results, status: fixed["status"]! };
}
