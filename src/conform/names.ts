// The objectives that recorded files name, as expressions of the language. To teach `prefc conform` another one, add a
// row to the family that it belongs to; nothing else knows names.

import { fail } from "../core/error.ts";
import { didYouMean } from "../core/names.ts";
import type { Params } from "../batch/batch.ts";
import type { Objective } from "../dsl/index.ts";
import { authors } from "./families/authors.ts";
import { contrasts } from "./families/contrasts.ts";
import { discopop } from "./families/discopop.ts";
import { halos } from "./families/halos.ts";
import { lossesElsewhere } from "./families/elsewhere.ts";
import { others } from "./families/others.ts";
import { sampledLosses } from "./families/sampled.ts";
import { samples } from "./families/samples.ts";
import { shifted } from "./families/shifted.ts";
import { trl } from "./families/trl.ts";
import { unpairedLosses } from "./families/unpaired.ts";
import { wpoForms } from "./families/wpo.ts";
import type { Golden } from "./golden.ts";
import { readSettings } from "./keys.ts";
import { naming, pairs, type Layout } from "./layout.ts";
import { pairQuantities, type Quantities } from "./quantities.ts";
import { answersTo, type Row } from "./row.ts";
import { cite } from "../core/quote.ts";

/** The first row that answers to a name is taken, so a row of one name may stand before a pattern of many. */
export const rows: readonly Row[] = [
  ...trl,
  ...lossesElsewhere,
  ...wpoForms,
  ...authors,
  ...halos,
  ...discopop,
  ...shifted,
  ...contrasts,
  ...samples,
  ...sampledLosses,
  ...unpairedLosses,
  ...others,
];

/** What a golden file asks for. */
export interface Reading {
  readonly objective: Objective;
  readonly params: Readonly<Record<string, number>>;
  readonly layout: Layout;
  /** The state that the step begins with; the initial one where there is none. */
  readonly state?: Params;
  /** Recorded outputs that have an expression, by their recorded names. */
  readonly quantities: Quantities;
  /** Why the file is no specification, if it is none. */
  readonly defect: string | null;
  /** What cancellation in the source's float64 leaves unknown of the recorded gradient. */
  readonly lost: number;
}

/**
 * The objective, parameters and layout of a file.
 * @throws PrefcError "golden-unknown-objective", "golden-unknown-parameter" or "golden-malformed", naming the file.
 */
export function interpretGolden(golden: Golden): Reading {
  const { file, objective: name } = golden;
  const row = rows.find((candidate) => answersTo(candidate, name));
  if (row === undefined) {
    const known = rows.flatMap(({ names }) => names.filter((text) => typeof text === "string"));
    return fail(
      "golden-unknown-objective",
      `${file}: the objective ${cite(name)} is not known; add a row for it in src/conform/families.${didYouMean(name, known)}`,
    );
  }
  const keys = typeof row.keys === "function" ? row.keys(golden.params, name) : row.keys;
  const settings = readSettings(keys, golden.params);
  return naming(file, () => {
    const params = { ...settings.params, ...row.params?.(golden) };
    const options = { ...settings.options, ...row.variant?.(golden) };
    const given = new Set(Object.keys(params));
    const objective = row.objective(options, given);
    const quantities: Quantities = { ...pairQuantities, ...row.quantities?.(options, given) };
    return {
      objective,
      params,
      layout: row.layout ?? pairs,
      quantities,
      defect: row.defect ?? null,
      lost: row.lost?.(golden) ?? 0,
    };
  });
}
