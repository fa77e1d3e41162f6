// Whether a value is an explanation, for callers who write JavaScript.

import { describe } from "../core/describe.ts";
import { fail } from "../core/error.ts";
import { isOptionsObject } from "../core/options.ts";

/** @throws PrefcError not-a-record */
export function requireExplanation(value: unknown): void {
  const isOne =
    isOptionsObject(value) &&
    isOptionsObject(value["value"]) &&
    isOptionsObject(value["valueAndGrad"]);
  if (isOne) return;
  fail(
    "not-a-record",
    `explanationText: the explanation is ${describe(value)}; give what compile(objective).explain() returns.`,
  );
}
