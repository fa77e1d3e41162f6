// The part of a file that reads logits: a custom operator of torch that makes statistics tile by tile, and makes them again
// for their gradient, so that nothing of the size of the logits is kept beside that gradient.

import type { ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import type { Statistic } from "../seam/statistics.ts";
import type { Uses } from "./formula.ts";
import { rowFunctions } from "./rows.ts";

/** Statistics that are read from the logits of one model, or of both where one of them is made of both. */
export interface RowGroup {
  readonly name: string;
  readonly models: readonly ModelName[];
  readonly statistics: readonly Statistic[];
}

/** Groups statistics by the logits that they are made of. */
export function rowGroups(statistics: readonly Statistic[]): readonly RowGroup[] {
  const both = statistics.some(({ models }) => models.length > 1);
  if (both) return [{ name: "both", models: ["policy", "ref"], statistics }];
  return (["policy", "ref"] as const).flatMap((model) => {
    const own = statistics.filter(({ models }) => models[0] === model);
    return own.length === 0 ? [] : [{ name: model, models: [model], statistics: own }];
  });
}

const logitsArgument: Readonly<Record<ModelName, string>> = {
  policy: "logits",
  ref: "ref_logits",
};

const machinery = `
def tile(x, mask, rows, dtype):
    """The logits of some rows; an entry of -inf is the least number of its type, which has probability 0 as well."""
    at = rows // mask.shape[1], rows % mask.shape[1]
    z = torch.clamp(x[at].to(dtype), min=torch.finfo(dtype).min)
    return z if mask.is_cpu else torch.where(mask[at][:, None], z, 0)

def tiles(logits, ids, mask, dtype):
    """The rows of the mask in tiles that fit a cache; on a device all rows, because to find them would wait for it."""
    vocab = logits[0].shape[-1]
    rows = torch.arange(mask.numel(), device=mask.device)
    for part in (rows[mask.flatten()] if mask.is_cpu else rows).split(max(1, (2 ** 18 if mask.is_cpu else 2 ** 26) // vocab)):
        yield part, [tile(x, mask, part, dtype) for x in logits], ids.flatten()[part].clamp(0, vocab - 1).long()

def operator(name, outputs, statistics, slopes):
    """Makes an operator of logits: the statistics [outputs, rows, tokens] in 32 bits or more, and their gradient."""
    if hasattr(torch.ops.prefc, name):  # this very text was run before
        return getattr(torch.ops.prefc, name)
    @torch.library.custom_op(f"prefc::{name}", mutates_args=())
    def values(logits: List[torch.Tensor], ids: torch.Tensor, mask: torch.Tensor, numbers: List[float]) -> torch.Tensor:
        made = fake(logits, ids, mask, numbers).zero_().flatten(1)
        for rows, z, y in tiles(logits, ids, mask, made.dtype):
            made[:, rows] = torch.stack(statistics(*z, y, *numbers))
        return made.view(outputs, *ids.shape)
    @values.register_fake
    def fake(logits, ids, mask, numbers):
        return ids.new_empty(outputs, *ids.shape, dtype=torch.promote_types(logits[0].dtype, torch.float32))
    @torch.library.custom_op(f"prefc::{name}_gradient", mutates_args=())
    def gradient(slope: torch.Tensor, logits: List[torch.Tensor], ids: torch.Tensor, mask: torch.Tensor,
            numbers: List[float]) -> torch.Tensor:
        made, slope = torch.zeros_like(logits[0]), slope.flatten(1)
        for rows, z, y in tiles(logits, ids, mask, slope.dtype):
            made[rows // mask.shape[1], rows % mask.shape[1]] = slopes(*z, y, *numbers, *slope[:, rows]).to(made.dtype)
        return made
    gradient.register_fake(lambda slope, logits, ids, mask, numbers: torch.empty_like(logits[0]))
    def setup(ctx, inputs, output):
        logits, ids, mask, ctx.numbers = inputs
        ctx.save_for_backward(ids, mask, *logits)
    def backward(ctx, slope):
        ids, mask, *logits = ctx.saved_tensors
        made = [gradient(slope, logits, ids, mask, ctx.numbers)] + [None] * (len(logits) - 1)
        return made, None, None, None if ctx.numbers else []
    if slopes is not None:
        values.register_autograd(backward, setup_context=setup)
    return values
`
  .trim()
  .split("\n");

/** Parameters that statistics are made with, such as an exponent. */
export function paramsOf(
  statistics: readonly Statistic[],
): readonly (Node & { readonly tag: "param" })[] {
  const below = topological(statistics.flatMap(({ definitions }) => Object.values(definitions)));
  return below.filter((node): node is Node & { readonly tag: "param" } => node.tag === "param");
}

/** FNV-1a in 32 bits: operators of torch are known by name in the whole process, so equal names must mean equal text. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let position = 0; position < text.length; position++)
    hash = Math.imul(hash ^ text.charCodeAt(position), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

export interface LogitsPart {
  /** Functions and operators, before the formula. */
  readonly definitions: readonly string[];
  /** Lines that make the statistics of the formula. */
  readonly calls: readonly string[];
}

/** Writes what stands between logits and the formula; `nameOf` gives the local name of a statistic. */
export function logitsPart(
  groups: readonly RowGroup[],
  objective: string,
  nameOf: (statistic: Statistic) => string,
  argument: (node: Node) => string,
  masks: readonly string[],
  uses: Uses,
): LogitsPart {
  uses.modules.add("List");
  const definitions: string[] = [...machinery, ""];
  const calls: string[] = [];
  const mask = masks.map((one) => (masks.length > 1 ? `(${one} > 0)` : `${one} > 0`)).join(" | ");
  for (const { name, models, statistics } of groups) {
    const params = paramsOf(statistics).map((node) => ({ node, name: argument(node) }));
    const { statistics: made, slopes } = rowFunctions(name, models, statistics, params, uses);
    definitions.push(...made, "", ...(slopes.length === 0 ? [] : [...slopes, ""]));
    const derivative = slopes.length === 0 ? "None" : `${name}_slopes`;
    definitions.push(
      `${name}_operator = operator("${objective}_${name}_${fingerprint([...made, ...slopes].join("\n"))}", ${statistics.length}, ${name}_statistics, ${derivative})`,
      "",
    );
    const names = statistics.map(nameOf).join(", ");
    // what is data has no gradient to be asked for
    const data = slopes.length === 0 ? ".detach()" : "";
    const tensors = models.map((model) => logitsArgument[model] + data).join(", ");
    const numbers = params.map((one) => one.name).join(", ");
    calls.push(
      `${names}${statistics.length === 1 ? "," : ""} = torch.unbind(${name}_operator([${tensors}], ids, ${mask}, [${numbers}]))`,
    );
  }
  return { definitions, calls };
}
