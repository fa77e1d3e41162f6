// Parts of a batch put together: what each result is averaged over, counted on the host, and the average of averages.

import type { Batch, Params } from "../batch/batch.ts";
import type { Average } from "../pipeline/averages.ts";
import type { Program } from "../pipeline/pipeline.ts";
import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { describe } from "../core/describe.ts";
import { isOptionsObject } from "../core/options.ts";
import { evaluate } from "../reference/interpret.ts";
import type { Value } from "./api.ts";

/** How many examples or tokens the loss and each metric of a batch are averaged over; null where one is no average. */
export function countsOf({ averages }: Program, batch: Batch, params: Params): Value["counts"] {
  const counted = Object.entries(averages).flatMap(([name, average]) =>
    average.kind === "average" ? [[name, average.count] as const] : [],
  );
  const nodes = [...new Set(counted.map(([, node]) => node))];
  const values = evaluate(nodes, batch, params).map(({ data }) => data[0]!);
  const counts = new Map(counted.map(([name, node]) => [name, values[nodes.indexOf(node)]!]));
  return Object.fromEntries(Object.keys(averages).map((name) => [name, counts.get(name) ?? null]));
}

/** @throws PrefcError parts-missing, loss-not-additive */
export function combinedOf(
  { averages, source }: Program,
  parts: readonly Value[],
): Pick<Value, "loss" | "metrics" | "counts"> {
  checkParts(averages, parts);
  const { loss: whole } = averages;
  if (whole!.kind !== "average")
    return fail(
      "loss-not-additive",
      `combined: the loss of ${cite(source.name)} does not follow from those of parts, since it depends on ${
        whole!.kind === "batch" ? whole!.over : `averages over ${whole!.over}`
      }; run the whole batch at once.`,
    );
  const metrics = new Map<string, number>();
  const counts = new Map<string, number | null>();
  for (const [name, average] of Object.entries(averages)) {
    if (average.kind !== "average") {
      if (average.kind === "sum") counts.set(name, null);
      continue;
    }
    const total = parts.reduce((sum, part) => sum + part.counts[name]!, 0);
    const of = (part: Value): number => (name === "loss" ? part.loss : part.metrics[name]!);
    // a part that counts nothing says nothing
    const weighed = parts.reduce((sum, part) => sum + of(part) * part.counts[name]!, 0);
    metrics.set(name, total === 0 ? of(parts[0]!) : weighed / total);
    counts.set(name, total);
  }
  for (const [name, average] of Object.entries(averages))
    if (average.kind === "sum" && average.of.every(([, other]) => metrics.has(other)))
      metrics.set(
        name,
        average.of.reduce((sum, [sign, other]) => sum + sign * metrics.get(other)!, 0),
      );
  const { loss, ...rest } = Object.fromEntries(metrics);
  return { loss: loss!, metrics: rest, counts: Object.fromEntries(counts) };
}

function checkParts(averages: Readonly<Record<string, Average>>, parts: unknown): void {
  const wrong = Array.isArray(parts) ? parts.find((part) => !isValue(part, averages)) : parts;
  if (Array.isArray(parts) && parts.length > 0 && parts.every((part) => isValue(part, averages)))
    return;
  const what =
    Array.isArray(parts) && parts.length === 0
      ? "there are no parts"
      : Array.isArray(parts)
        ? `a part is ${describe(wrong, "an object without the results of this objective")}`
        : `the parts are ${describe(wrong)}`;
  fail(
    "parts-missing",
    `combined: ${what}; give a list of what value or valueAndGrad of this compiled objective returned.`,
  );
}

const isValue = (part: unknown, averages: Readonly<Record<string, Average>>): boolean =>
  isOptionsObject(part) &&
  typeof part["loss"] === "number" &&
  isOptionsObject(part["metrics"]) &&
  isOptionsObject(part["counts"]) &&
  Object.keys(averages).every((name) => Object.hasOwn(part["counts"] as object, name));
