// The logits tensors that a program reads in a batch, and how each model's are stored: kernels are made for the storage
// type of a model, so all tensors of one model have one type. The policy's may differ from the reference's.

import type { Batch, LogitsTensor } from "../../batch/batch.ts";
import { dtypeOf } from "../../batch/logits.ts";
import { fail } from "../../core/error.ts";
import type { ModelName } from "../../core/inputs.ts";
import type { Input } from "../../core/node.ts";
import type { StorageType } from "../../core/storage.ts";
import { cite } from "../../core/quote.ts";

interface Owned {
  readonly model: ModelName;
  readonly tensor: LogitsTensor;
}

/** The logits tensor of every input that is read as logits. */
export const tensorsOf = (batch: Batch, inputs: readonly Input[]): readonly Owned[] =>
  inputs.flatMap(({ name, datum }): readonly Owned[] => {
    const binding = batch.inputs[name];
    if (binding?.height !== "logits" || datum.kind !== "logits") return [];
    return [{ model: datum.model, tensor: binding.tensor }];
  });

/** Models in one order: the policy and the reference, which every layout has, and then the others by name. */
export const modelsRead = (models: readonly ModelName[]): readonly ModelName[] => [
  ...new Set(["policy", "ref", ...models.toSorted()]),
];

/** The storage type of each model's logits; of a model without any, that of the other. @throws PrefcError dtype-differs */
export function storageTypesOf(
  tensors: readonly Owned[],
): Readonly<Record<ModelName, StorageType>> {
  const typeOf = (model: ModelName): StorageType | undefined => {
    const [first, ...others] = tensors.filter((owned) => owned.model === model);
    if (first === undefined) return undefined;
    const dtype = dtypeOf(first.tensor);
    const other = others.find(({ tensor }) => dtypeOf(tensor) !== dtype);
    if (other === undefined) return dtype;
    return fail(
      "dtype-differs",
      `The ${model} logits ${cite(first.tensor.name)} are stored as ${dtype} and ${cite(other.tensor.name)} as ${dtypeOf(other.tensor)}; give all logits of a model in one dtype.`,
    );
  };
  const models = modelsRead(tensors.map(({ model }) => model));
  const types = models.map(typeOf);
  const usual = types.find((type) => type !== undefined) ?? "f32";
  return Object.fromEntries(models.map((model, position) => [model, types[position] ?? usual]));
}
