// Checks stages before they are lowered: what a pass, a row program or a gradient reads was left by something earlier, for the
// same response, and nothing between passes ranges over the vocabulary. A failure is a bug of the passes that made them.

import { fail } from "../core/error.ts";
import { topological, type Node } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import { fieldKey } from "./fields.ts";
import type { GradientPass, OnlinePass, Stages, TotalPass } from "./stages.ts";

/**
 * @param ends what the last row program leaves beside the gradient's values
 * @throws PrefcError "stages-ill-formed"
 */
export function verifyStages(stages: Stages, ends: readonly Node[]): void {
  const { passes, outputs, gradients, lastRound } = stages;
  const left = new Set<string>();
  for (let round = 1; round <= lastRound; round++) {
    for (const pass of passes.filter((one) => one.round === round)) {
      if (pass.kind === "total") requireAll(pass.slots, pass.responses, left, "a later pass");
      for (const field of fieldsLeft(pass))
        for (const response of pass.responses) left.add(placeOf(field, response));
    }
    const made = outputs.get(round) ?? [];
    const roots = [...made.map(({ node }) => node), ...(round === lastRound ? ends : [])];
    for (const root of roots) {
      if (root.axes.includes("vocab")) broken("a value between passes ranges over the vocabulary");
    }
    for (const node of topological(roots)) {
      if (node.tag !== "input" || node.datum.kind !== "field") continue;
      const { key, response } = node.datum;
      requireAll([key], [response], left, `the row program of round ${round}`);
    }
    for (const { field, response } of made) {
      const place = placeOf(field, response);
      if (left.has(place)) broken(`${place} is left twice`);
      left.add(place);
    }
  }
  for (const pass of gradients)
    requireAll(fieldsRead(pass), pass.responses, left, "the gradient pass");
}

const placeOf = (field: string, response: string): string =>
  `the field ${cite(field)} of ${cite(response)}`;

const fieldsLeft = (pass: OnlinePass | TotalPass): readonly string[] =>
  pass.kind === "online"
    ? pass.fields.map(fieldKey)
    : [fieldKey({ kind: "total", index: pass.index })];

function fieldsRead({ terms, atLabel, opaqueSlots }: GradientPass): readonly string[] {
  const models = terms.flatMap(({ powers, maximal }) => [
    ...powers.flatMap(({ model, d, k }) => (d === 0 && k === 0 ? [] : [model])),
    ...maximal,
  ]);
  return [
    atLabel,
    ...opaqueSlots,
    ...terms.map(({ slot }) => slot),
    ...[...new Set(models)].map((model) => fieldKey({ kind: "maximum", model })),
  ];
}

function requireAll(
  fields: readonly string[],
  responses: readonly string[],
  left: ReadonlySet<string>,
  reader: string,
): void {
  for (const response of responses)
    for (const field of fields) {
      const place = placeOf(field, response);
      if (!left.has(place)) broken(`${reader} reads ${place}, which nothing earlier leaves`);
    }
}

const broken = (what: string): never =>
  fail(
    "stages-ill-formed",
    `The stages are ill formed: ${what}; this is a bug of prefc, so please report it with the objective.`,
  );
