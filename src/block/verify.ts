// Checks a pass over blocks before kernels are made of it: it reads only models that it names and values that it is given, its
// results are values of the row, and no two of them have one name. A failure is a bug of the lowering.

import { fail } from "../core/error.ts";
import { topological, type Node } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import { verify } from "../core/verify.ts";
import { labelInput } from "../stream/skeleton.ts";
import type { BlockPass } from "./block.ts";
import { shiftOf } from "./meaning.ts";

/** @throws PrefcError "block-ill-formed", "ill-formed-term" */
export function verifyBlock(pass: BlockPass): void {
  const { name, models, given, points, accumulators, weighted, left, write, opaque } = pass;
  const broken = (what: string): never =>
    fail(
      "block-ill-formed",
      `The pass ${cite(name)} is ill formed: ${what}; this is a bug of prefc, so please report it with the objective.`,
    );
  const distinct = (what: string, names: readonly unknown[]): void => {
    if (new Set(names).size < names.length) broken(`two ${what} are one`);
  };
  distinct("models", models);
  distinct(
    "points",
    points.map(({ model }) => model),
  );
  distinct(
    "accumulators",
    accumulators.map((one) => one.name),
  );
  distinct(
    "given values",
    given.map(({ leaf }) => leaf),
  );
  distinct(
    "fields",
    left.map(({ field }) => field),
  );
  if (write !== null && !models.includes(write.model))
    broken(`it writes the gradient of ${cite(write.model)}, which it does not read`);

  const ofRow = [...accumulators.map(({ holds }) => holds), ...left.map(({ value }) => value)];
  // a total of a later pass is named by the term that is added up, which ranges over the vocabulary as its entries do
  const named = new Set(accumulators.map(({ holds }) => holds));
  if (left.some(({ value }) => value.axes.includes("vocab") && !named.has(value)))
    broken("a value of the row ranges over the vocabulary");
  const roots: readonly Node[] = [
    ...ofRow,
    ...accumulators.map(({ entry }) => entry),
    ...weighted.flatMap(({ others }) => others),
    ...(write === null ? [] : [write.entry]),
    ...opaque,
  ];
  verify(roots, name);
  const known = new Set<Node>([
    labelInput,
    ...given.map(({ leaf }) => leaf),
    ...models.map(shiftOf),
    // what a later pass adds up is named by the term that asked for it, as the objective has it
    ...topological(accumulators.map(({ holds }) => holds)),
  ]);
  for (const node of topological(roots)) {
    if (node.tag !== "input" || known.has(node)) continue;
    if (node.datum.kind === "entry" && models.includes(node.datum.model)) continue;
    broken(`it reads ${cite(node.name)}, which it is not given`);
  }
}
