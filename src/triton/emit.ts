// An objective as one file of PyTorch whose statistics are made by kernels of Triton: the file of src/torch, with one read of each
// model's logits forward, and one read and one write backward, or the same from hidden states and heads. Kernels are printed from
// the passes of the block level, so that no objective is known here by name.

import { fail } from "../core/error.ts";
import { listNames } from "../core/names.ts";
import { cite } from "../core/quote.ts";
import type { Objective } from "../dsl/objective.ts";
import { emitTorch, type Emitted, type EmitOptions, type FromLogits } from "../torch/emit.ts";
import { fingerprint, logitsPart, paramsOf } from "../torch/operator.ts";
import { rowFunctions } from "../torch/rows.ts";
import { deviceLines, type DeviceFunction } from "./helpers.ts";
import { hiddenMachinery } from "./head.ts";
import { handedHidden, hiddenMeaning, hiddenParameters, namesOf } from "./hidden.ts";
import { kernelsOf } from "./kernel.ts";
import { importsOf, launching, machinery } from "./machinery.ts";

/** Where kernels begin: with logits, or with the hidden states and heads that logits are made of. */
export type TritonHeight = "logits" | "hidden";
export const tritonHeights: readonly TritonHeight[] = ["logits", "hidden"];
export type TritonOptions = Omit<EmitOptions, "from"> & { readonly from: TritonHeight };

type Part = typeof logitsPart;
const unbound = (names: readonly string[], call: string): string =>
  `${names.join(", ")}${names.length === 1 ? "," : ""} = torch.unbind(${call})`;
const onAny = (masks: readonly string[]): string =>
  masks.map((one) => (masks.length > 1 ? `(${one} > 0)` : `${one} > 0`)).join(" | ");

/** Kernels beside the tiles of logits. */
const ofLogits: Part = (groups, objective, nameOf, argument, logits, masks, uses) => {
  for (const module of ["os", "types"]) uses.modules.add(module);
  const tiles = logitsPart(groups, objective, nameOf, argument, logits, masks, uses);
  const used = new Set<DeviceFunction>();
  const kernels = groups.map(({ name, models, statistics }) => {
    const params = paramsOf(statistics).map((node) => ({ node, name: argument(node) }));
    const { lines, kept, hasGradient } = kernelsOf(name, models, statistics, params, used);
    const operator = `${objective}_${name}_fused_${fingerprint(lines.join("\n"))}`;
    const backward = hasGradient ? `${name}_backward` : "None";
    const data = hasGradient ? "" : ".detach()";
    const tensors = models.map((model) => logits(model) + data).join(", ");
    const numbers = params.map((one) => one.name).join(", ");
    const where = hasGradient ? "in_place" : "False";
    return {
      lines: [
        ...lines,
        `${name}_fused = fused_operator(${JSON.stringify(operator)}, ${statistics.length}, ${kept}, ${name}_forward, ${backward})`,
        `${name}_rows = either(${statistics.length}, ${name}_operator, ${name}_fused)`,
        "",
      ],
      call: unbound(
        statistics.map(nameOf),
        `${name}_rows([${tensors}], ids, ${onAny(masks)}, [${numbers}], fused, ${where})`,
      ),
    };
  });
  return {
    definitions: [
      ...tiles.definitions,
      ...launching,
      "",
      ...machinery,
      "",
      ...deviceLines(used),
      ...kernels.flatMap(({ lines }) => lines),
    ],
    calls: kernels.map(({ call }) => call),
  };
};

/** The same kernels and functions of tiles, on logits that are made of some rows at a time. */
const ofHidden: Part = (groups, objective, nameOf, argument, _, masks, uses) => {
  for (const module of ["List", "concurrent.futures", "itertools", "os", "types"])
    uses.modules.add(module);
  const used = new Set<DeviceFunction>();
  const heads = groups.map(({ name, models, statistics }) => {
    const params = paramsOf(statistics).map((node) => ({ node, name: argument(node) }));
    const tiles = rowFunctions(name, models, statistics, params, uses);
    const kernels = kernelsOf(name, models, statistics, params, used);
    const hasSlopes = tiles.slopes.length > 0;
    const lines = [
      ...tiles.statistics,
      "",
      ...(hasSlopes ? [...tiles.slopes, ""] : []),
      ...kernels.lines,
    ];
    const operator = `${objective}_${name}_head_${fingerprint(lines.join("\n"))}`;
    const [slopes, backward] = hasSlopes
      ? [`${name}_slopes`, `${name}_backward`]
      : ["None", "None"];
    const all = models.map(namesOf);
    const list = (of: (own: (typeof all)[number]) => string): string =>
      `[${all.map(of).join(", ")}]`;
    const given = [list((own) => own.hidden), list((own) => own.weight), list((own) => own.bias)];
    const numbers = params.map((one) => one.name).join(", ");
    return {
      lines: [
        ...lines,
        `${name}_head = head_operator(${JSON.stringify(operator)}, ${statistics.length}, (${tiles.kept}, ${name}_statistics, ${slopes}), (${kernels.kept}, ${name}_forward, ${backward}, ${kernels.isByEntry ? "True" : "False"}))`,
        `${name}_rows = with_head(${name}_head, ${hasSlopes ? "False" : "True"})`,
        "",
      ],
      call: unbound(
        statistics.map(nameOf),
        `${name}_rows(${given.join(", ")}, ids, ${onAny(masks)}, [${numbers}], logit_scale, softcap, budget, plan, fused)`,
      ),
    };
  });
  return {
    definitions: [
      ...launching,
      "",
      ...hiddenMachinery,
      "",
      ...deviceLines(used),
      ...heads.flatMap(({ lines }) => lines),
    ],
    calls: heads.map(({ call }) => call),
  };
};

const heights: Readonly<Record<TritonHeight, (name: string) => FromLogits>> = {
  logits: (name) => ({
    part: ofLogits,
    language: "PyTorch and Triton",
    imports: importsOf(name),
    parameters: () => ["fused=None", "in_place=False"],
    meaning:
      " fused: whether kernels run, by default on a GPU; in_place: whether the gradient takes the place of the logits.",
    height: "logits",
    reserved: () => ["fused", "in_place"],
    handed: (given) => given,
    remedy: "find the NaN",
  }),
  hidden: (name) => ({
    part: ofHidden,
    language: "PyTorch and Triton",
    imports: importsOf(name, "hidden states"),
    parameters: hiddenParameters,
    meaning: hiddenMeaning,
    height: "hidden states",
    reserved: (models) => [
      ...models.flatMap((model) => Object.values(namesOf(model))),
      ...hiddenParameters([]).map((one) => one.split("=")[0]!),
    ],
    handed: handedHidden,
    remedy: "find_nan, with hidden states and heads by name, says where",
  }),
};

/**
 * Emits an objective with kernels of Triton, from logits or from hidden states and heads. @throws PrefcError option-value for
 * another height, and what emitTorch throws
 */
export function emitTriton(objective: Objective, options: TritonOptions): Emitted {
  const { from } = options;
  if (!tritonHeights.includes(from))
    fail(
      "option-value",
      `emit triton: --from is ${cite(from)}, and kernels are made of what reads logits; give ${listNames(tritonHeights)}, or emit torch.`,
    );
  return emitTorch(objective, { ...options, from: "logits" }, heights[from](objective.name));
}
