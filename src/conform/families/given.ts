// Layouts of pairs that bring more than sequences: numbers recorded with each example or with each token.

import type { Batch, Binding, LogitsBinding } from "../../batch/batch.ts";
import { exampleInput, logitsOf, tokenInput } from "../../core/inputs.ts";
import type { Node } from "../../core/node.ts";
import type { Golden } from "../golden.ts";
import { pairs, type Layout } from "../layout.ts";
import { member, tensor } from "../place.ts";

/** Inputs of the core with their data. */
export type Entries = readonly (readonly [input: Node, data: Binding])[];

export const nameOf = (input: Node): string => (input.tag === "input" ? input.name : "");

/** Pairs, and what `more` reads from the file. */
const pairsAnd =
  (more: (golden: Golden, batch: Batch) => Entries): Layout =>
  (golden) => {
    const { batch, gradient } = pairs(golden);
    const inputs = Object.fromEntries(
      more(golden, batch).map(([input, data]) => [nameOf(input), data]),
    );
    return { batch: { ...batch, inputs: { ...batch.inputs, ...inputs } }, gradient };
  };

/** Numbers per example under their recorded names. */
export const withExamples = (...names: readonly string[]): Layout =>
  pairsAnd(({ inputs, shapes: { examples } }) =>
    names.map((name) => [
      exampleInput(name),
      { height: "example", values: tensor(member(inputs, name), [examples]) },
    ]),
  );

/** A number for each row, chosen ones first, as one number per example for either response. */
export const withRows = (recorded: string, chosen: string, rejected: string): Layout =>
  pairsAnd(({ inputs, shapes: { examples } }) => {
    const values = tensor(member(inputs, recorded), [2 * examples]);
    return [
      [exampleInput(chosen), { height: "example", values: values.subarray(0, examples) }],
      [exampleInput(rejected), { height: "example", values: values.subarray(examples) }],
    ];
  });

/** A number for each position, as one for the token at it; logits at a position predict the token after it. */
export const withTokens = (recorded: string, name: string): Layout =>
  pairsAnd(({ inputs, shapes: { examples, length } }, batch) => {
    const values = tensor(member(inputs, recorded), [2 * examples, length]);
    return ["w", "l"].map((response) => {
      const { rowIndex } = batch.inputs[nameOf(logitsOf("policy", response))] as LogitsBinding;
      const own = Float64Array.from(rowIndex, (row) => values[row + 1]!);
      return [tokenInput(name, response), { height: "token", values: own }];
    });
  });
