// The fields of a batch that bring what a model says: `policy_logits`, `ref_logps`, `teacher_logp`, for a model of any name.

import { isModel, type Height, type ModelName } from "../core/datum.ts";
import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";

const fieldShape = /^(.+)_(logits|logps?)$/;

/** Whether a field brings a model at one of these heights. */
export const bringsModel = (field: string, heights: readonly Height[]): boolean =>
  heights.some((height) => fieldShape.exec(field)?.[2] === height);

/** The name of the field that brings a model at a height. */
export const fieldOf = <M extends ModelName, H extends Height>(model: M, height: H): `${M}_${H}` =>
  `${model}_${height}`;

/**
 * The models that a record brings at a height, with what it brings, the policy first; `where` precedes the names of the
 * fields in sentences.
 * @throws PrefcError "model-name"
 */
export function modelsAt<T>(
  data: object,
  height: Height,
  where = "",
): readonly (readonly [model: ModelName, given: T])[] {
  const found = Object.entries(data).flatMap(([field, given]): [ModelName, T][] => {
    const [, model, at] = fieldShape.exec(field) ?? [];
    if (model === undefined || at !== height || given === undefined) return [];
    if (!isModel(model)) {
      fail(
        "model-name",
        `${where}${cite(field)}: a model cannot be called ${cite(model)}; take words of letters and digits joined by "_" that mean nothing else here, such as "teacher".`,
      );
    }
    return [[model, given as T]];
  });
  return found.toSorted(([a], [b]) => Number(b === "policy") - Number(a === "policy"));
}
