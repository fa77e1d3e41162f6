// What owns the rows that a map is over: responses of examples, or, of the tokens of lists, responses of those.

import { isList } from "../core/axis.ts";
import * as k from "../kernel/kernel.ts";
import type { Statement, Variable } from "../kernel/kernel.ts";
import * as at from "./places.ts";
import { singlesOf, type RowProgram } from "./program.ts";
import type { MapStep } from "./steps.ts";

/** Whether a map is over the tokens of lists. */
export const isNested = ({ over, results: [first] }: MapStep): boolean =>
  over === "token" && isList(first?.responses[0] ?? "");

/** The example and the response of the tokens at hand, as far as they are used. */
export function partsOfOwner(
  used: ReadonlySet<Variable>,
  program: RowProgram,
  nested: boolean,
): readonly Statement[] {
  const item = nested ? at.outer : at.owner;
  // the lists come in the order in which their responses do
  const lists = program.responses.length - singlesOf(program);
  const numbered = k.infix(item, "/", at.examples);
  const parts = [
    [at.example, k.infix(item, "%", at.examples)],
    [at.response, nested ? k.plus(numbered, k.u32(lists)) : numbered],
  ] as const;
  const wanted = parts.filter(([part]) => used.has(part));
  return [
    ...(nested && wanted.length > 0
      ? [k.letValue(at.outer, at.ownerOf(singlesOf(program), at.owner))]
      : []),
    ...wanted.map(([part, value]) => k.letValue(part, value)),
  ];
}
