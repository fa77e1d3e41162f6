// The part of a file that reads logits: a custom operator of torch that makes statistics tile by tile, and makes them again
// for their gradient, so that nothing of the size of the logits is kept beside that gradient.

import type { ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import type { Statistic } from "../seam/statistics.ts";
import type { Uses } from "./formula.ts";
import { namer } from "./names.ts";
import { rowFunctions } from "./rows.ts";

/** Statistics that are read from the logits of one model, or of both where one of them is made of both. */
export interface RowGroup {
  readonly name: string;
  readonly models: readonly ModelName[];
  readonly statistics: readonly Statistic[];
}

/** The models that statistics are made of: the policy, the reference, and others by name. */
export function modelsOf(statistics: readonly Statistic[]): readonly ModelName[] {
  const read = new Set(statistics.flatMap(({ models }) => models));
  const first = ["policy", "ref"].filter((model) => read.has(model));
  return [...first, ...[...read].filter((model) => !first.includes(model)).toSorted()];
}

/** Groups statistics by the logits that they are made of: models that one statistic is made of are read together. */
export function rowGroups(statistics: readonly Statistic[]): readonly RowGroup[] {
  const many = modelsOf(statistics.filter(({ models }) => models.length > 1));
  const isMany = ({ models }: Statistic): boolean => models.some((model) => many.includes(model));
  const names = namer();
  const group = (
    name: string,
    models: readonly ModelName[],
    own: readonly Statistic[],
  ): readonly RowGroup[] =>
    own.length === 0 ? [] : [{ name: names.fresh(name), models, statistics: own }];
  return [
    ...group("both", many, statistics.filter(isMany)),
    ...modelsOf(statistics).flatMap((model) =>
      group(
        model,
        [model],
        statistics.filter((one) => !isMany(one) && one.models[0] === model),
      ),
    ),
  ];
}

const machinery = `
def tiles(logits, mask):
    """Rows with tokens of the mask that fit a cache; on a device all tokens, because to find them would wait for it."""
    size = max(1, (2 ** 16 if mask.is_cpu else 2 ** 26) // logits[0].shape[-1])
    tokens = torch.arange(mask.shape[1], device=mask.device)
    return [(row, part) for row in range(len(mask)) for part in (tokens[mask[row]] if mask.is_cpu else tokens).split(size)]

def each(work, logits, ids, mask, dtype):
    """Work on every tile, of whose logits it has a copy. A processor does as many tiles at a time as torch has threads:
    threads that share each operation wait for each other at each. -inf is the least number, of probability 0 as well."""
    def of(tile):
        row, part = tile
        with torch.no_grad():
            z = [torch.index_select(x[row], 0, part).to(dtype).clamp_(min=torch.finfo(dtype).min) for x in logits]
            if not mask.is_cpu:
                z = [torch.where(mask[row, part][:, None], x, 0) for x in z]
            work(row, part, z, ids[row, part].clamp(0, logits[0].shape[-1] - 1).long())
    threads, every = torch.get_num_threads(), tiles(logits, mask)
    if not mask.is_cpu or threads == 1 or logits[0].numel() < 2 ** 20:
        return [of(tile) for tile in every]
    try:
        with concurrent.futures.ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(of, every))
    finally:
        torch.set_num_threads(threads)

def operator(name, outputs, kept, statistics, slopes):
    """Makes an operator of logits: the statistics [outputs, rows, tokens] in 32 bits or more, and their gradient. Outputs
    after those that are read are kept for the gradient."""
    if hasattr(torch.ops.prefc, name):  # this very text was run before
        return getattr(torch.ops.prefc, name)
    @torch.library.custom_op(f"prefc::{name}", mutates_args=())
    def values(logits: List[torch.Tensor], ids: torch.Tensor, mask: torch.Tensor, numbers: List[float]) -> torch.Tensor:
        made = fake(logits, ids, mask, numbers).zero_()
        def work(row, part, z, y):
            made[:, row, part] = torch.stack(statistics(*z, y, *numbers))
        each(work, logits, ids, mask, made.dtype)
        return made
    @values.register_fake
    def fake(logits, ids, mask, numbers):
        return ids.new_empty(outputs, *ids.shape, dtype=torch.promote_types(logits[0].dtype, torch.float32))
    @torch.library.custom_op(f"prefc::{name}_gradient", mutates_args=())
    def gradient(slope: torch.Tensor, logits: List[torch.Tensor], ids: torch.Tensor, mask: torch.Tensor,
            numbers: List[float], kept: torch.Tensor) -> torch.Tensor:
        made = torch.empty_like(logits[0], memory_format=torch.contiguous_format)
        for row in range(len(mask)):
            made[row, ~mask[row]] = 0
        def work(row, part, z, y):
            made[row].index_copy_(0, part, slopes(*z, y, *numbers, *kept[:, row, part], *slope[:, row, part]).to(made.dtype))
        each(work, logits, ids, mask, slope.dtype)
        return made
    gradient.register_fake(lambda slope, logits, ids, mask, numbers, kept:
        torch.empty_like(logits[0], memory_format=torch.contiguous_format))
    def setup(ctx, inputs, output):
        logits, ids, mask, ctx.numbers = inputs
        ctx.save_for_backward(output, ids, mask, *logits)
    def backward(ctx, slope):
        output, ids, mask, *logits = ctx.saved_tensors
        made = gradient(slope[:len(output) - kept], logits, ids, mask, ctx.numbers, output[len(output) - kept:])
        return [made] + [None] * (len(logits) - 1), None, None, None if ctx.numbers else []
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
export function fingerprint(text: string): string {
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
  logits: (model: ModelName) => string,
  masks: readonly string[],
  uses: Uses,
): LogitsPart {
  uses.modules.add("List");
  uses.modules.add("concurrent.futures");
  const definitions: string[] = [...machinery, ""];
  const calls: string[] = [];
  const mask = masks.map((one) => (masks.length > 1 ? `(${one} > 0)` : `${one} > 0`)).join(" | ");
  for (const { name, models, statistics } of groups) {
    const params = paramsOf(statistics).map((node) => ({ node, name: argument(node) }));
    const { statistics: made, slopes, kept } = rowFunctions(name, models, statistics, params, uses);
    definitions.push(...made, "", ...(slopes.length === 0 ? [] : [...slopes, ""]));
    const derivative = slopes.length === 0 ? "None" : `${name}_slopes`;
    definitions.push(
      `${name}_operator = operator("${objective}_${name}_${fingerprint([...made, ...slopes].join("\n"))}", ${statistics.length + kept}, ${kept}, ${name}_statistics, ${derivative})`,
      "",
    );
    const names = statistics.map(nameOf).join(", ");
    // what is data has no gradient to be asked for
    const data = slopes.length === 0 ? ".detach()" : "";
    const tensors = models.map((model) => logits(model) + data).join(", ");
    const numbers = params.map((one) => one.name).join(", ");
    calls.push(
      `${names}${statistics.length === 1 ? "," : ""} = torch.unbind(${name}_operator([${tensors}], ids, ${mask}, [${numbers}])${kept === 0 ? "" : `[:${statistics.length}]`})`,
    );
  }
  return { definitions, calls };
}
