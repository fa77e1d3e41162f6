// The last step of every adapter: data under the names that the core gives its inputs, checked as a whole. The
// names come from the constructors of the core, so an adapter cannot misspell one.

import { listOfRows } from "../core/axis.ts";
import { exampleInput, idsOf, logpsInput, rewardInput } from "../core/inputs.ts";
import { fail } from "../core/error.ts";
import type { Node } from "../core/node.ts";
import type { Batch, Binding } from "./batch.ts";
import { checkBatch } from "./check.ts";
import { memberPath } from "../core/json.ts";
import { fieldOf, modelsAt } from "./models.ts";
import { partsOf } from "./record.ts";
import { reals, type Numbers } from "./numbers.ts";
import { cite } from "../core/quote.ts";

/** An input of the core with its data. */
export type Entry = readonly [input: Node, data: Binding];

/** One list per response. "chosen" and "rejected" are accepted for "w" and "l". */
export type ByResponse = Readonly<Record<string, Numbers>>;

/** Numbers that may accompany any batch, each list with one number per example. */
export interface Extras {
  /** log π(y | x) of a model computed beforehand: then its logits need not be brought. */
  readonly [modelLogps: `${string}_logps`]: ByResponse | undefined;
  readonly ref_logps?: ByResponse;
  /** log π(y | x) of the policy, when a loss is wanted of sequence log-probabilities alone. */
  readonly policy_logps?: ByResponse;
  /** Scores of a reward model. */
  readonly rewards?: ByResponse;
  /** Any other number per example by name, such as a margin or a sample weight. */
  readonly examples?: Readonly<Record<string, Numbers>>;
}

/** The data of a per-example input. */
export const perExample = (values: Numbers, what: string): Binding => ({
  height: "example",
  values: reals(values, what),
});

const trlNames: ReadonlyMap<string, string> = new Map([
  ["chosen", "w"],
  ["rejected", "l"],
]);

function byResponse(
  given: ByResponse | undefined,
  what: string,
  responses: readonly string[],
  input: (response: string) => Node,
): readonly Entry[] {
  return partsOf(given, what).map(([key, values]): Entry => {
    const response = responses.includes(key) ? key : (trlNames.get(key) ?? key);
    if (!responses.includes(response)) {
      fail(
        "missing-response",
        `${what} is given for ${cite(key)}, but the batch has the responses ${responses.map((name) => cite(name)).join(", ")}; name one of them.`,
      );
    }
    return [input(response), perExample(values, memberPath(what, key))];
  });
}

/** Numbers per example as inputs of the core. */
export function examplesOf(given: Extras["examples"]): readonly Entry[] {
  return partsOf(given, "examples").map(([name, values]): Entry => [
    exampleInput(name),
    perExample(values, memberPath("examples", name)),
  ]);
}

/** The accompanying numbers as inputs of the core. */
export function entriesOf(extras: Extras, responses: readonly string[]): readonly Entry[] {
  return [
    ...modelsAt<ByResponse>(extras, "logps").flatMap(([model, given]) =>
      byResponse(given, fieldOf(model, "logps"), responses, (response) =>
        logpsInput(model, response),
      ),
    ),
    ...byResponse(extras.rewards, "rewards", responses, rewardInput),
    ...examplesOf(extras.examples),
  ];
}

/**
 * A batch with these inputs.
 * @throws PrefcError as `checkBatch` does.
 */
export function assemble(shape: Omit<Batch, "inputs">, entries: readonly Entry[]): Batch {
  const inputs = Object.fromEntries(
    entries.map(([input, data]) => [input.tag === "input" ? input.name : "", data]),
  );
  const batch: Batch = { ...shape, inputs };
  checkBatch(batch, [
    ...Object.keys(shape.responses)
      .filter((name) => listOfRows(name) === null)
      .map(idsOf),
    ...entries.map(([input]) => input),
  ]);
  return batch;
}
