// The seam between a model and the loss, for people: a line for each statistic that a trainer has to hand out, and which of the
// trainers that are known do.

import type { Explanation } from "./json.ts";
import { aligned, broken } from "./units.ts";

const width = 98;
const longestFormula = 60;

/** Lines for the statistics and the trainers, indented as the explanation's are. */
export function statisticLines({
  statistics,
  trainers,
}: Pick<Explanation, "statistics" | "trainers">): readonly string[] {
  const rows = statistics.map(({ name, formula, models, responses, differentiated, needed }) => [
    name,
    models.join(" and "),
    responses.join(", "),
    !needed ? "metrics only" : differentiated ? "differentiated" : "not differentiated",
    formula.length > longestFormula ? `${formula.slice(0, longestFormula - 1)}…` : formula,
  ]);
  const fits = trainers.map(
    ({ trainer, version, lacks }) =>
      `${trainer} ${version}: ${lacks.length === 0 ? "yes" : lacks.join(" and ")}`,
  );
  const lines = rows.length === 0 ? ["nothing"] : aligned(rows);
  return [
    ...lines,
    "handed out by",
    ...broken(fits.join("; "), width - 2).map((line) => `  ${line}`),
  ].map((line) => `  ${line}`.trimEnd());
}
