// An objective as one file of PyTorch whose statistics are made by kernels of Triton: the file of src/torch, with one read of each
// model's logits forward, and one read and one write backward. Kernels are printed from the passes of the block level, so that
// no objective is known here by name.

import type { Objective } from "../dsl/objective.ts";
import { emitTorch, type Emitted, type EmitOptions, type FromLogits } from "../torch/emit.ts";
import { fingerprint, logitsPart, paramsOf } from "../torch/operator.ts";
import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { deviceLines, type DeviceFunction } from "./helpers.ts";
import { kernelsOf } from "./kernel.ts";
import { importsOf, machinery } from "./machinery.ts";

const part: typeof logitsPart = (groups, objective, nameOf, argument, logits, masks, uses) => {
  for (const module of ["os", "types"]) uses.modules.add(module);
  const tiles = logitsPart(groups, objective, nameOf, argument, logits, masks, uses);
  const used = new Set<DeviceFunction>();
  const mask = masks.map((one) => (masks.length > 1 ? `(${one} > 0)` : `${one} > 0`)).join(" | ");
  const kernels = groups.map(({ name, models, statistics }) => {
    const params = paramsOf(statistics).map((node) => ({ node, name: argument(node) }));
    const { lines, kept, hasGradient } = kernelsOf(name, models, statistics, params, used);
    const operator = `${objective}_${name}_fused_${fingerprint(lines.join("\n"))}`;
    const backward = hasGradient ? `${name}_backward` : "None";
    return {
      lines: [
        ...lines,
        `${name}_fused = fused_operator(${JSON.stringify(operator)}, ${statistics.length}, ${kept}, ${name}_forward, ${backward})`,
        `${name}_rows = either(${statistics.length}, ${name}_operator, ${name}_fused)`,
        "",
      ],
      call: (() => {
        const names = statistics.map(nameOf).join(", ");
        const data = hasGradient ? "" : ".detach()";
        const tensors = models.map((model) => logits(model) + data).join(", ");
        const numbers = params.map((one) => one.name).join(", ");
        const where = hasGradient ? "in_place" : "False";
        return `${names}${statistics.length === 1 ? "," : ""} = torch.unbind(${name}_rows([${tensors}], ids, ${mask}, [${numbers}], fused, ${where}))`;
      })(),
    };
  });
  return {
    definitions: [
      ...tiles.definitions,
      ...machinery,
      "",
      ...deviceLines(used),
      ...kernels.flatMap(({ lines }) => lines),
    ],
    calls: kernels.map(({ call }) => call),
  };
};

/**
 * Emits an objective with kernels of Triton. @throws PrefcError option-value for another height than logits, and what
 * emitTorch throws
 */
export function emitTriton(objective: Objective, options: EmitOptions): Emitted {
  if (options.from !== "logits")
    fail(
      "option-value",
      `emit triton: --from is ${cite(options.from)}, and kernels are made of what reads logits; give --from logits, or emit torch.`,
    );
  const how: FromLogits = {
    part,
    language: "PyTorch and Triton",
    imports: importsOf(objective.name),
    parameters: ["fused=None", "in_place=False"],
    meaning:
      " fused: whether kernels run, by default on a GPU; in_place: whether the gradient takes the place of the logits.",
  };
  return emitTorch(objective, options, how);
}
