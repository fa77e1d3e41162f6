// The two kernels of some statistics, as Triton: one makes them of a row of logits, the other writes the gradient of the row.

import type { BlockPass } from "../block/block.ts";
import { input } from "../core/build.ts";
import { tokenAxis } from "../core/axis.ts";
import type { ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { anyResponse } from "../seam/relabel.ts";
import type { Statistic } from "../seam/statistics.ts";
import type { FieldSpec } from "../stream/fields.ts";
import { namer } from "../torch/names.ts";
import { atom } from "../torch/piece.ts";
import { slopeInput } from "../torch/rows.ts";
import { broken, filled as paragraph, harmless } from "../torch/frame.ts";
import { write, type Scope } from "./expression.ts";
import { passesOf, type Passes } from "./group.ts";
import type { DeviceFunction } from "./helpers.ts";
import { given, reading, writing } from "./loop.ts";
import { ending, vocabulary } from "./row.ts";

export interface Kernels {
  readonly lines: readonly string[];
  /** How many numbers of each row the gradient is handed beside the slopes. */
  readonly kept: number;
  readonly hasGradient: boolean;
  /** Whether the gradient of an entry needs nothing of others but what is kept, so that any slice of the row will do. */
  readonly isByEntry: boolean;
}
export interface Parameter {
  readonly node: Node;
  readonly name: string;
}

/** What a pass left, as an input. */
const fieldOf = (key: string): Node =>
  input({ kind: "field", key, response: anyResponse }, ["batch", tokenAxis(anyResponse)]);
const isField = (node: Node): boolean => node.tag === "input" && node.datum.kind === "field";

/** Where the n-th number of the program's row lies. */
const placeAt = (n: number): string =>
  n === 0 ? "program" : n === 1 ? "rows + program" : `${n} * rows + program`;

/** Names that lines of kernels use as they are. */
const taken =
  "y v g here inside start top highest bad at_label vocab tokens rows program made kept slope gradient target ids mask tl";

function scopeOf(
  models: readonly ModelName[],
  params: readonly Parameter[],
  used: Set<DeviceFunction>,
): Scope {
  const names = namer();
  for (const name of taken.split(" ")) names.fresh(name);
  for (const model of models)
    for (const word of ["row", "z", "x", "e", "m", "zy", "shift"])
      names.fresh(`${word}${ending(model)}`);
  const known = new Map(
    params.map(({ node, name }) => [node, atom(names.fresh(name), "real")] as const),
  );
  const scope: Scope = { lines: [], names, known, brings: (name) => (used.add(name), name) };
  vocabulary(scope);
  return scope;
}

const argumentOf = (model: ModelName): string =>
  model === "policy" ? "logits" : `${model}_logits`;
const headOf = (models: readonly ModelName[]): string =>
  models
    .flatMap((model) => {
      const name = argumentOf(model);
      return [name, `${name}_rows`, `${name}_tokens`];
    })
    .join(", ");
/** Where the program's row of a tensor begins. */
const placeOf = (name: string): string =>
  `${name} + program // tokens * ${name}_rows + program % tokens * ${name}_tokens`;
const opening = (models: readonly ModelName[]): readonly string[] => [
  ...models.map((model) => `row${ending(model)} = ${placeOf(argumentOf(model))}`),
  "y = tl.load(ids + program)",
];
const indented = (lines: readonly string[], by: number): readonly string[] =>
  lines.flatMap((line) => {
    const own = /^ */.exec(line)![0];
    return broken(line.trimStart(), " ".repeat(4 * by) + own);
  });

/** Fields that passes of the gradient and what fills them read, and that no such pass leaves itself. */
function keptFields({ backward, gradient, filled }: Passes): readonly Node[] {
  if (gradient === null) return [];
  const own = new Set(backward.flatMap(({ left }) => left.map(({ field }) => fieldOf(field))));
  const passes: readonly BlockPass[] = [...backward, gradient];
  const roots = passes.flatMap(({ given: needs, points, write: written }) => [
    ...needs.map(({ field }) => filled.get(field)!),
    ...points.flatMap(({ is }) => (typeof is === "string" ? [] : [fieldOf(is.field)])),
    ...(written === null ? [] : [filled.get(written.atLabel)!]),
  ]);
  return topological(roots).filter((node) => isField(node) && !own.has(node));
}

/** A field by what it is: no running pass of this kernel has the letters of the point and the label's entry. */
function nameOfField(spec: FieldSpec | undefined, { names }: Scope): string {
  switch (spec?.kind) {
    case "maximum":
      return `m${ending(spec.model)}`;
    case "label":
      return `zy${ending(spec.model)}`;
    case "excess":
    case "ties":
      return names.fresh(spec.kind + ending(spec.model));
    case "moment":
    case "total":
      return names.fresh(spec.kind);
    case undefined:
      return names.fresh("field");
  }
}

export function kernelsOf(
  name: string,
  models: readonly ModelName[],
  statistics: readonly Statistic[],
  params: readonly Parameter[],
  used: Set<DeviceFunction>,
): Kernels {
  const passes = passesOf(statistics);
  const kept = keptFields(passes);

  const scope = scopeOf(models, params, used);
  const names = params.map(({ node }) => scope.known.get(node)!.text);
  const numbers = names.map((own) => `${own}, `).join("");
  // Triton's interpreter leaves a number as Python has it, which has none of a tensor's methods
  const single = names.map((own) => `    ${own} = tl.cast(${own}, tl.float32)`);
  for (const pass of passes.forward) {
    scope.lines.push(`# ${pass.name}`);
    given(pass, passes.filled, scope);
    reading(pass, scope, fieldOf);
  }
  const values = write(scope, [...passes.statistics, ...kept]);
  const stores = values.map(({ text }, position) => {
    const [target, at] =
      position < statistics.length ? ["made", position] : ["kept", position - statistics.length];
    return `tl.store(${target} + ${placeAt(at)}, ${text})`;
  });
  const said = statistics.map((one) => `${one.name}: ${harmless(one.formula)}`).join("; ");
  const forward = [
    "@jit",
    ...broken(
      `def ${name}_forward(${headOf(models)}, ids, mask, made, kept, tokens, vocab, rows, ${numbers}BLOCK: tl.constexpr):`,
      "",
    ),
    ...paragraph(`"""One program to a row of logits. Into made: ${said}."""`, "    ").map(
      (line, position) => (position === 0 ? `    ${line}` : line),
    ),
    "    program = tl.program_id(0).to(tl.int64)",
    ...single,
    "    if tl.load(mask + program) != 0:",
    ...indented([...opening(models), ...scope.lines, ...stores], 2),
    "",
  ];
  if (passes.gradient === null)
    return { lines: forward, kept: 0, hasGradient: false, isByEntry: false };

  const back = scopeOf(models, params, used);
  const live = statistics.filter(({ differentiated }) => differentiated);
  for (const one of live) {
    const own = back.names.fresh(`d_${one.name}`);
    const at = statistics.indexOf(one);
    back.lines.push(`${own} = tl.load(slope + ${placeAt(at)}).to(tl.float64)`);
    back.known.set(slopeInput(one), atom(own, "real"));
  }
  kept.forEach((node, at) => {
    const own = nameOfField(passes.fields.get(node), back);
    back.lines.push(`${own} = tl.load(kept + ${placeAt(at)}).to(tl.float64)`);
    back.known.set(node, atom(own, "real"));
  });
  for (const pass of [...passes.backward, passes.gradient]) {
    back.lines.push(`# ${pass.name}`);
    given(pass, passes.filled, back);
    if (pass.write === null) reading(pass, back, fieldOf);
    else writing(pass, "target", back, passes.filled, fieldOf);
  }
  const read =
    passes.gradient.models.length > 1 || passes.backward.length > 0
      ? models
      : passes.gradient.models;
  const backward = [
    "@jit",
    ...broken(
      `def ${name}_backward(${headOf(models)}, ids, mask, slope, kept, gradient, gradient_rows, gradient_tokens, tokens, vocab, rows, ${numbers}BLOCK: tl.constexpr):`,
      "",
    ),
    ...paragraph(
      `"""One program to a row: writes the gradient to its logits of ${live.map((one) => `d_${one.name} · ${one.name}`).join(" + ")}."""`,
      "    ",
    ).map((line, position) => (position === 0 ? `    ${line}` : line)),
    "    program = tl.program_id(0).to(tl.int64)",
    ...single,
    `    target = ${placeOf("gradient")}`,
    "    if tl.load(mask + program) != 0:",
    ...indented([...opening(read), ...back.lines], 2),
    "    else:  # rows outside of completions are not read",
    "        for start in range(0, vocab, BLOCK):",
    "            v = start + tl.arange(0, BLOCK)",
    "            tl.store(target + v, tl.zeros([BLOCK], tl.float32), v < vocab)",
    "",
  ];
  const ofRow = topological([...passes.filled.values(), passes.gradient.write!.entry]);
  const isByEntry =
    passes.backward.length === 0 &&
    passes.gradient.opaque.length === 0 &&
    !ofRow.some(({ tag }) => tag === "count" || tag === "iota");
  return { lines: [...forward, ...backward], kept: kept.length, hasGradient: true, isByEntry };
}
