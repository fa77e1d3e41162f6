// What a pass that writes needs of its row, and the value that it writes at some entries: an expression over the entries, their
// distances from the points and their exponentials. The loop over the row evaluates it for vectors, boundary.ts for single
// entries.

import type { BlockPass } from "../block/block.ts";
import * as meaning from "../block/meaning.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { entryOf } from "../stream/skeleton.ts";
import { bothOf, leavesOf, lowered, uses } from "./entries.ts";
import { atEntry } from "./entry.ts";
import * as k from "./kernel.ts";
import type { Lanes, Statement, Value, Variable } from "./kernel.ts";
import * as row from "./row.ts";
import { entryAt, exponentialAt, offsetAt, pointOf } from "./state.ts";

/** The values that the row brings, in their order. */
const givenOf = k.family((position: number) => k.variable(`c_${position}`));
/** The label's entry, which is a value of the row too. */
export const atLabel: Variable = k.variable("at_label");
/** What is written at a vector of a block. */
export const writtenAt: (j: number, lanes: Lanes) => Variable = k.family(
  (j: number, lanes: Lanes) => k.variable(`g_${j}`, "f32", lanes),
);
/** The values that bound what is written. */
export const coefficientsOf = ({ given }: BlockPass): readonly Variable[] =>
  given.flatMap(({ leaf }, position) => (isSlot(leaf) ? [] : [givenOf(position)]));
const isSlot = (leaf: Node): boolean => leaf.tag === "input" && leaf.datum.kind === "slot";

/** Loads what the row brings: points, coefficients and slots, and the label's entry. */
export function openGiven(
  { points, given, write }: BlockPass,
  fieldIndex: (field: string) => number,
): readonly Statement[] {
  const read = (field: string): Value => row.fieldAt(fieldIndex(field));
  return [
    ...points.flatMap(({ model, is }) =>
      typeof is === "string"
        ? []
        : k.about(meaning.maximumOf(model), [k.letValue(pointOf(model), read(is.field))]),
    ),
    ...given.flatMap(({ field }, position) =>
      k.about(meaning.slotOf(field), [k.letValue(givenOf(position), read(field))]),
    ),
    ...(write === null
      ? []
      : k.about(meaning.slotOf(write.atLabel), [k.letValue(atLabel, read(write.atLabel))])),
  ];
}

/** Loads the logits of a position and takes their exponentials; `bits` are those of one model. */
export function openEntry(
  { models, points, accumulators, write }: BlockPass,
  j: number,
  lanes: Lanes,
  bits: (model: ModelName) => Value,
): readonly Statement[] {
  const expressions = [
    ...accumulators.map(({ entry }) => entry),
    ...(write === null ? [] : [write.entry]),
  ];
  return models.flatMap((model): readonly Statement[] => {
    const [z, x] = [entryAt(model, j, lanes), offsetAt(model, j, lanes)];
    const loaded = k.about(entryOf(model), [k.letValue(z, row.finite(bits(model)))]);
    if (!points.some((point) => point.model === model)) return loaded;
    const distance = k.letValue(x, k.minus(z, k.splat(pointOf(model), lanes)));
    const e = meaning.exponential(model);
    return [
      ...loaded,
      ...k.about(meaning.centred(model), [distance]),
      ...(expressions.some((expression) => uses(expression, e))
        ? k.about(e, [k.letValue(exponentialAt(model, j, lanes), k.exp(x))])
        : []),
    ];
  });
}

/** The value of an expression at a position; `entry` is the number of a single entry, for parts outside the normal form. */
export function valueAt(
  { models, given, opaque }: BlockPass,
  expression: Node,
  at: { readonly j: number; readonly lanes: Lanes; readonly entry: Value },
  paramValue: (name: string) => Value,
  names: { next: number },
): { readonly statements: readonly Statement[]; readonly value: Value } {
  const { j, lanes, entry } = at;
  const brought = leavesOf(
    new Map<Node, Value>(given.map(({ leaf }, position) => [leaf, givenOf(position)])),
  );
  const apart = atEntry(
    opaque,
    {
      logit: (model) => entryAt(model, j, lanes),
      given: brought,
      param: paramValue,
      entry,
      label: row.label,
    },
    names,
  );
  const entries = leavesOf(
    new Map<Node, Value>([
      ...opaque.map((part, position) => [part, apart.values[position]!] as const),
      ...models.flatMap((model) => [
        [meaning.exponential(model), exponentialAt(model, j, lanes)] as const,
        [meaning.centred(model), offsetAt(model, j, lanes)] as const,
      ]),
    ]),
  );
  return { statements: apart.statements, value: lowered(expression, bothOf(entries, brought)) };
}

/** Leaves what is written at a position in a variable of its own. */
export function writtenValue(
  pass: BlockPass,
  at: Parameters<typeof valueAt>[2],
  paramValue: (name: string) => Value,
  names: { next: number },
): readonly Statement[] {
  const { entry, source } = pass.write!;
  const { statements, value } = valueAt(pass, entry, at, paramValue, names);
  const written = k.letValue(writtenAt(at.j, at.lanes), k.splat(value, at.lanes));
  return [...statements, ...k.about(source, [written])];
}
