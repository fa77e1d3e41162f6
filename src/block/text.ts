// The printed form of a pass over blocks: what a row brings, what each entry adds, how two parts of a row become one, and what
// is left or written. It knows nothing of lanes; a printer for another language writes the same lines in its own words.

import { match, P } from "ts-pattern";
import { input, withArgs } from "../core/build.ts";
import type { Node } from "../core/node.ts";
import { printExpression } from "../core/print.ts";
import type { Accumulator, BlockPass, Point } from "./block.ts";
import * as meaning from "./meaning.ts";
import { moved } from "./moments.ts";

/** Expressions of a pass are short; deeper ones are cut with an ellipsis. */
const depth = 400;
type Text = (node: Node) => string;

/** Expressions with short names for what a pass computes once: x and e of an entry, xy and ey of the label's, sums, shifts. */
function textOf({ models, given, accumulators }: BlockPass): Text {
  const names = new Map<Node, string>([
    ...given.map(({ leaf }, position) => [leaf, `c${position}`] as const),
    ...accumulators.map(({ holds, name }) => [holds, name] as const),
    ...models.flatMap((model) => [
      [meaning.exponential(model), `e.${model}`] as const,
      [meaning.centred(model), `x.${model}`] as const,
      [meaning.labelExponential(model), `ey.${model}`] as const,
      [meaning.labelCentred(model), `xy.${model}`] as const,
      [meaning.labelOf(model), `zy.${model}`] as const,
      [meaning.maximumOf(model), `m.${model}`] as const,
      [meaning.shiftOf(model), `d.${model}`] as const,
    ]),
  ]);
  const renamed = (node: Node): Node => {
    const name = names.get(node);
    if (name !== undefined) return input({ kind: "named", name }, node.axes);
    return node.args.length === 0 ? node : withArgs(node, node.args.map(renamed));
  };
  return (node) => printExpression(renamed(node), depth);
}

const pointText = ({ model, is, slack }: Point): string =>
  match(is)
    .with("maximum", () => `point m.${model}: the largest entry`)
    .with(
      "near",
      () => `point m.${model}: the label's entry until one lies more than ${slack} above`,
    )
    .with({ field: P.string }, ({ field }) => `point m.${model}: row[${field}]`)
    .exhaustive();

function accumulatorText(
  one: Accumulator,
  family: readonly Accumulator[],
  text: Text,
): readonly string[] {
  const { name, start, combine, entry, shape } = one;
  const move = match(shape)
    .with({ kind: "fixed" }, () => [])
    .with({ kind: P.union("moment", "ties") }, () => [
      `  moved by d: ${text(moved(one, () => true, family))}`,
    ])
    .exhaustive();
  return [`${combine} ${name} from ${start}: ${text(entry)}`, ...move];
}

export function printBlock(pass: BlockPass): string {
  const { name, models, given, points, accumulators, weighted, left, write } = pass;
  const text = textOf(pass);
  const label = pass.isLabelApart ? ", the label's entry apart" : "";
  return [
    `pass ${name}: entries of ${models.join(" and ")}${label}`,
    ...given.map(({ leaf, field }) => `given ${text(leaf)} = row[${field}]`),
    ...points.map(pointText),
    ...accumulators.flatMap((one) => accumulatorText(one, accumulators, text)),
    ...weighted.map(({ model, others }) => {
      const where = others.length === 0 ? "" : ` where ${others.map(text).join(" and ")}`;
      return `no masked entry of ${model}${where}`;
    }),
    ...left.map(({ field, value }) => `row[${field}] = ${text(value)}`),
    ...(write === null
      ? []
      : [`write ${write.model}: ${text(write.entry)}`, `at the label: row[${write.atLabel}]`]),
    "",
  ].join("\n");
}
