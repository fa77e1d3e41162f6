// What the functions from which objectives are put together take: models, responses, what a formula is given, expressions and
// functions. TypeScript refuses anything else; this says it in a sentence to those who write JavaScript.

import { fail } from "../core/error.ts";
import { describe } from "./check.ts";
import { isExpr } from "./facade.ts";

const has = (value: unknown, ...names: readonly string[]): boolean =>
  typeof value === "object" && value !== null && names.every((name) => name in value);

interface Kind {
  readonly fits: (value: unknown) => boolean;
  /** What to give. */
  readonly example: string;
}

/** What an argument may be. */
export type ArgumentKind =
  | "model"
  | "models"
  | "given"
  | "responses"
  | "expression"
  | "function"
  | "anything";

const kinds: Readonly<Record<ArgumentKind, Kind>> = {
  model: {
    fits: (value) => has(value, "logits", "logp", "logps"),
    example: "a model, e.g. policy",
  },
  models: {
    fits: (value) => has(value, "policy", "ref"),
    example: "the models, e.g. what a formula is given",
  },
  given: {
    fits: (value) => has(value, "policy", "y"),
    example: "what a formula is given",
  },
  responses: {
    fits: (value) => has(value, "w", "l"),
    example: "the responses, e.g. y of what a formula is given",
  },
  expression: {
    fits: (value) => isExpr(value),
    example: "an expression",
  },
  function: {
    fits: (value) => typeof value === "function",
    example: "a function",
  },
  anything: { fits: () => true, example: "anything" },
};

const ordinals = ["first", "second", "third", "fourth"];

/**
 * The same function, with a look at its arguments first.
 * @throws PrefcError argument-kind, from the function that is returned
 */
export const taking = <F extends (...args: never[]) => unknown>(
  name: string,
  expected: readonly ArgumentKind[],
  inner: F,
): F =>
  ((...args: never[]) => {
    expected.forEach((kind, position) => {
      const { fits, example } = kinds[kind];
      if (fits(args[position])) return;
      fail(
        "argument-kind",
        `${name}: the ${ordinals[position]} argument is ${describe(args[position])}; give ${example}.`,
      );
    });
    return inner(...args);
  }) as F;
