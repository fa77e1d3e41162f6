// What a step of a row program moves and leaves, for explanations.

import { operandsOf, type Kernel, type Statement, type Value } from "../kernel/kernel.ts";
import type { Plan, Work } from "../plan/plan.ts";
import type { ExactShape } from "./shape.ts";

const word = 4;

/** Values that a step of a row program reads and writes. */
export function workBytes({ step, over, count }: Work, kernel: Kernel, shape: ExactShape): number {
  const { examples, totalRows } = shape;
  const items = Object.keys(shape.rows).length * examples;
  const places = { token: totalRows, item: items, example: examples, one: 1 };
  switch (step.kind) {
    case "map": {
      const widths = { rows: 1, labels: 1, ragged: 1, terms: 2, examples: 2, scalars: 2 };
      const touched = memoriesTouched(kernel.body).map(
        (name) => widths[name as keyof typeof widths] ?? 0,
      );
      return word * places[over] * touched.reduce((sum, words) => sum + words, 0);
    }
    case "reduce":
      return step.along === "token"
        ? 2 * word * count * (totalRows + items)
        : 2 * word * count * (examples + 1);
    case "order":
      return 4 * word * examples;
  }
}

/** The buffers of all loads and stores, one by one. */
function memoriesTouched(statements: readonly Statement[]): readonly string[] {
  const loads = (value: Value): readonly string[] => [
    ...(value.kind === "load" ? [value.buffer.name] : []),
    ...operandsOf(value).flatMap(loads),
  ];
  return statements.flatMap((statement): readonly string[] => {
    switch (statement.kind) {
      case "let":
      case "var":
        return loads(statement.value);
      case "assign":
        return [...loads(statement.target), ...loads(statement.value)];
      case "if":
        return memoriesTouched([...statement.body, ...(statement.otherwise ?? [])]);
      case "for":
        return memoriesTouched(statement.body);
      case "atomic":
      case "barrier":
      case "return":
        return [];
    }
  });
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
    const along = step.along === "token" ? "the tokens of each response" : "the batch";
    return many(step.count, step.op === "sum" ? "sum" : "maximum value", `over ${along}`);
  }
  if (step.over === "scalar") return plan.scalars;
  if (step.over === "token") {
    const fields = step.results.flatMap(({ place: { kind, index } }) =>
      kind === "field" ? [index] : [],
    );
    const high = fields.flatMap((field) => gradient(field, true));
    const own = new Set(fields.filter((field) => gradient(field, true).length === 0)).size;
    const kept = step.results.length - fields.length;
    return [
      ...high,
      ...many(own, "value", `per token for the ${next} pass`),
      ...many(kept, "value", "per token for later steps"),
    ];
  }
  const slots = step.results.map(({ place }) => place.index);
  const high = slots.flatMap((slot) => gradient(slot, false));
  const losses = slots.includes(plan.perExample ?? -1) ? ["the loss of each example"] : [];
  const kept = slots.length - high.length - losses.length;
  return [...losses, ...high, ...many(kept, "value", "per example for later steps")];
}
