// What a step of a row program moves and leaves, for explanations.

import { isList, rowsOfList } from "../core/axis.ts";
import { operandsOf, type Kernel, type Statement, type Value } from "../kernel/kernel.ts";
import type { Plan, Work } from "../plan/plan.ts";
import type { Place } from "../rows/steps.ts";
import type { ExactShape } from "./shape.ts";

const word = 4;

/** Values that a step of a row program reads and writes. */
export function workBytes({ step, over, count }: Work, kernel: Kernel, shape: ExactShape): number {
  const { examples, totalRows } = shape;
  const names = Object.keys(shape.rows);
  const items = names.filter((name) => !isList(name)).length * examples;
  const listed = names.reduce(
    (sum, name) => sum + (isList(name) ? shape.rows[rowsOfList(name)]! : 0),
    0,
  );
  const places = { token: totalRows, item: items, listed, example: examples, one: 1 };
  switch (step.kind) {
    case "map": {
      const { once, each } = touched(kernel.body);
      // lanes that add up visit the tokens of a response, or the examples of the batch
      const inner = over === "item" || over === "listed" ? totalRows * wordsOf(each) : 0;
      const before = step.before.reduce((sum, one) => sum + reducedBytes(one.count, examples), 0);
      return word * (places[over] * wordsOf(once) + inner) + before;
    }
    case "reduce":
      return reducedBytes(count, examples);
    case "order":
      return 4 * word * examples;
  }
}

const reducedBytes = (count: number, examples: number): number => 2 * word * count * (examples + 1);

const widths = { rows: 1, labels: 1, ragged: 1, terms: 2, examples: 2, scalars: 2 };
const wordsOf = (names: readonly string[]): number =>
  names.reduce((sum, name) => sum + (widths[name as keyof typeof widths] ?? 0), 0);

/** The buffers of all loads and stores, one by one: of those outside loops and of those in them. */
function touched(statements: readonly Statement[]): {
  readonly once: readonly string[];
  readonly each: readonly string[];
} {
  const loads = (value: Value): readonly string[] => [
    ...(value.kind === "load" ? [value.buffer.name] : []),
    ...operandsOf(value).flatMap(loads),
  ];
  const [once, each]: [string[], string[]] = [[], []];
  for (const statement of statements) {
    switch (statement.kind) {
      case "let":
      case "var":
        once.push(...loads(statement.value));
        break;
      case "assign":
        once.push(...loads(statement.target), ...loads(statement.value));
        break;
      case "if": {
        const inner = touched([...statement.body, ...(statement.otherwise ?? [])]);
        once.push(...inner.once);
        each.push(...inner.each);
        break;
      }
      case "for": {
        const inner = touched(statement.body);
        once.push(...loads(statement.from), ...loads(statement.below));
        each.push(...inner.once, ...inner.each);
        break;
      }
      case "atomic":
      case "barrier":
      case "return":
        break;
    }
  }
  return { once, each };
}

/** @param next what reads the fields of tokens: "next" or "gradient" */
export function workLeaves({ step }: Work, next: string, plan: Plan): readonly string[] {
  const many = (count: number, what: string, of: string): readonly string[] =>
    count === 0 ? [] : [`${count} ${what}${count === 1 ? "" : "s"} ${of}`];
  const gradient = (slot: number, isPerToken: boolean): readonly string[] =>
    plan.highGradients.flatMap(({ input, response, slot: own }) =>
      own === slot && (response !== null) === isPerToken ? [`d loss / d ${input}`] : [],
    );
  if (step.kind === "order") return [`the ${step.op === "rank" ? "ranks" : "order"} of examples`];
  if (step.kind === "reduce") {
    return many(step.count, step.op === "sum" ? "sum" : "maximum value", "over the batch");
  }
  if (step.over === "scalar") return plan.scalars;
  if (step.over === "token") {
    const fields = step.results.flatMap(({ place: { kind, index } }) =>
      kind === "field" ? [index] : [],
    );
    const high = fields.flatMap((field) => gradient(field, true));
    const own = new Set(fields.filter((field) => gradient(field, true).length === 0)).size;
    const countOf = (kind: Place["kind"]): number =>
      step.results.filter(({ place }) => place.kind === kind).length;
    return [
      ...high,
      ...many(own, "value", `per token for the ${next} pass`),
      ...many(countOf("term"), "value", "per token for later steps"),
      ...many(countOf("sum"), "sum", "over the tokens of each response"),
      ...many(countOf("max"), "maximum value", "over the tokens of each response"),
    ];
  }
  const slots = step.results.map(({ place }) => place.index);
  const high = slots.flatMap((slot) => gradient(slot, false));
  const losses = slots.includes(plan.perExample ?? -1) ? ["the loss of each example"] : [];
  const kept = slots.length - high.length - losses.length;
  return [...losses, ...high, ...many(kept, "value", "per example for later steps")];
}
