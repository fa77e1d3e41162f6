// The same file one height lower: what an emitted function is handed over in the place of logits, and under which names. The logits
// of some rows are made, read and forgotten (head.ts), so that whole logits are never there.

import type { ModelName } from "../core/inputs.ts";
import type { Arguments } from "../torch/arguments.ts";
import type { TensorArgument } from "../torch/tensors.ts";

/** The names of what makes the logits of a model. */
export const namesOf = (
  model: ModelName,
): { readonly hidden: string; readonly weight: string; readonly bias: string } => {
  const before = model === "policy" ? "" : `${model}_`;
  return { hidden: `${before}hidden`, weight: `${before}weight`, bias: `${before}bias` };
};
const whose = (model: ModelName): string =>
  ({ policy: "of the policy", ref: "of the reference, data" })[model] ?? `of ${model}, data`;

/** Hidden states and a head where logits were handed over. */
export function handedHidden(given: Arguments, models: readonly ModelName[]): Arguments {
  const tensors = given.tensors.flatMap((own): readonly TensorArgument[] => {
    if (own.source.kind !== "logits") return [own];
    const { model } = own.source;
    const { hidden, weight } = namesOf(model);
    const size = model === "policy" ? "hidden" : `${model} hidden`;
    return [
      {
        name: hidden,
        shape: `rows, tokens, ${size}`,
        whole: true,
        meaning: `what the head makes logits of, ${whose(model)}`,
        source: { kind: "hidden", model },
      },
      {
        name: weight,
        shape: `vocab, ${size}`,
        whole: true,
        meaning: `the head ${whose(model)}`,
        source: { kind: "weight", model },
      },
    ];
  });
  const [first] = models;
  const outside =
    first === undefined ? null : `((ids < 0) | (ids >= ${namesOf(first).weight}.shape[0]))`;
  return { ...given, tensors, outside };
}

/** Parameters of the function beside the tensors. */
export const hiddenParameters = (models: readonly ModelName[]): readonly string[] => [
  ...models.map((model) => `${namesOf(model).bias}=None`),
  "logit_scale=1.0",
  "softcap=0.0",
  "budget=2**30",
  "plan=None",
  "fused=None",
];
export const hiddenMeaning =
  " bias: added to logits; logit_scale: their factor; softcap: c of c · tanh(z / c), 0 for none; budget: bytes for logits and their gradient at a time; plan: 'stored' or 'recomputed' logits, by default as the budget allows; fused: whether kernels run, by default on a GPU.";
