// Checks a layout before kernels are made: every value that stages hand on has a place, no two have one, and places
// lie inside their buffers. A failure is a bug of the lowering.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { fieldKey } from "../stream/fields.ts";
import type { Stages } from "../stream/stages.ts";
import type { ValueLayout } from "./layout.ts";

/** @throws PrefcError "layout-ill-formed", "value-not-laid-out" */
export function verifyLayout(laid: ValueLayout, stages: Stages): void {
  const { rowFields, exampleSlots, tokenUploads, exampleUploads, highGradients, perExample, each } =
    laid;
  const ofTokens = highGradients.filter(({ response }) => response !== null);
  const ofExamples = highGradients.filter(({ response }) => response === null);
  const slots = [
    ...exampleUploads.map(({ slot }) => slot),
    ...ofExamples.map(({ slot }) => slot),
    ...(perExample === null ? [] : [perExample]),
    ...each.map(({ slot }) => slot),
  ];
  if (new Set(rowFields).size < rowFields.length) broken("a field has two places");
  rowFields.forEach((field, place) => {
    if (laid.fieldIndex(field) !== place) broken(`the field ${cite(field)} is not where it stands`);
  });
  if (new Set(slots).size < slots.length) broken("two values of an example have one slot");
  if (slots.some((slot) => slot >= exampleSlots)) broken("a slot lies outside its buffer");
  if ([...tokenUploads, ...ofTokens].some(({ slot }) => slot >= rowFields.length))
    broken("a field lies outside its buffer");
  for (const pass of stages.passes) {
    if (pass.kind === "online") for (const spec of pass.fields) laid.fieldIndex(fieldKey(spec));
    else for (const slot of pass.slots) laid.fieldIndex(slot);
  }
  for (const outputs of stages.outputs.values())
    for (const { field } of outputs) laid.fieldIndex(field);
}

const broken = (what: string): never =>
  fail(
    "layout-ill-formed",
    `The layout of values is ill formed: ${what}; this is a bug of prefc, so please report it with the objective.`,
  );
