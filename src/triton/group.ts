// What the kernels of some statistics have to do, at the level of blocks: the passes over a row that leave the statistics, those
// that only the gradient needs, and the pass that writes it. The same algebra makes it that makes the passes of every kernel.

import { gradientBlock, onlineBlock, totalBlock } from "../block/passes.ts";
import type { BlockPass } from "../block/block.ts";
import { gradient } from "../ad/gradient.ts";
import { logitsOf, type ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { simplify } from "../rewrite/simplify.ts";
import { anyResponse } from "../seam/relabel.ts";
import type { Statistic } from "../seam/statistics.ts";
import { derive } from "../stream/derive.ts";
import type { FieldSpec } from "../stream/fields.ts";
import { stages, type OnlinePass, type TotalPass } from "../stream/stages.ts";
import { slopeInput, templateOf, weighted } from "../torch/rows.ts";

export interface Passes {
  /** Each statistic, over fields that passes leave. */
  readonly statistics: readonly Node[];
  readonly forward: readonly BlockPass[];
  /** Passes that need the slopes of the statistics. */
  readonly backward: readonly BlockPass[];
  /** Null where no statistic is differentiated. */
  readonly gradient: BlockPass | null;
  /** What fills a value of the row, over fields and slopes. */
  readonly filled: ReadonlyMap<string, Node>;
  /** What the fields are. */
  readonly fields: ReadonlyMap<Node, FieldSpec>;
}

const blockOf = (pass: OnlinePass | TotalPass): BlockPass =>
  pass.kind === "online" ? onlineBlock(pass) : totalBlock(pass);

/** @throws PrefcError emit-beyond-a-row, unsupported-index for what no pass over one row can be */
export function passesOf(statistics: readonly Statistic[], inPlace: boolean = false): Passes {
  const live = statistics.filter(({ differentiated }) => differentiated);
  const z = logitsOf("policy" satisfies ModelName, anyResponse);
  const rows = simplify(statistics.map(templateOf)).roots;
  const slopes =
    live.length === 0 ? [] : simplify(gradient(simplify([weighted(live)]).roots[0]!, [z])).roots;
  const along = slopes.filter((node) => !(node.tag === "const" && node.value === 0));
  const derivation = derive(
    rows,
    along.map((node) => ({ input: z, node })),
  );
  const { passes, outputs, gradients } = stages(
    derivation,
    derivation.forms.map((form) => ({ model: "policy", response: anyResponse, form })),
  );
  const filled = new Map([...outputs.values()].flat().map(({ field, node }) => [field, node]));
  // what a slope reaches waits for the gradient
  const late = new Set<Node>(live.map(slopeInput));
  const isLate = (nodes: readonly Node[]): boolean =>
    topological(nodes).some((node) => late.has(node));
  const forward: BlockPass[] = [];
  const backward: BlockPass[] = [];
  for (const pass of passes) {
    const needs = pass.kind === "online" ? [] : pass.slots.map((slot) => filled.get(slot)!);
    if (isLate(needs)) {
      backward.push(blockOf(pass));
      for (const [node, { spec }] of derivation.fields)
        if (spec.kind === "total" && pass.kind === "total" && spec.index === pass.index)
          late.add(node);
    } else forward.push(blockOf(pass));
  }
  const [last] = gradients;
  return {
    statistics: simplify(derivation.rows).roots,
    forward,
    backward,
    gradient: last === undefined ? null : gradientBlock(last, inPlace),
    filled,
    fields: new Map([...derivation.fields].map(([node, { spec }]) => [node, spec])),
  };
}
