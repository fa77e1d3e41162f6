// The options of writing an objective for PyTorch, each with what it accepts.

import { fail } from "../core/error.ts";
import type { ModelName } from "../core/inputs.ts";
import { listNames } from "../core/names.ts";
import { checkOptions, type KindsOf } from "../core/options.ts";
import { cite } from "../core/quote.ts";
import { requireObjective, type Objective } from "../dsl/objective.ts";
import { emitHeights, type EmitHeight } from "./height.ts";

export interface EmitOptions {
  /** What the function is handed over: logits, statistics of each token, or log-probabilities of sequences. */
  readonly from: EmitHeight;
  /** The statistics that are handed out, by name; all that are needed when left out. Read from statistics. */
  readonly statistics?: readonly string[];
  /** Models of which one log-probability a sequence is handed over, such as a cached reference. */
  readonly sequences?: readonly ModelName[];
  /** Whether metrics are computed, or which; true. */
  readonly metrics?: boolean | readonly string[];
  /** Whether functions that make statistics of a tile of logits are written as well, for whoever brings the logits; false. */
  readonly tiles?: boolean;
  /** Options that the objective was made with, for the header. */
  readonly options?: string;
  /** prefc's version, for the header. */
  readonly version?: string;
  /** The hash of a text, for the header. */
  readonly hash?: (text: string) => string;
}
const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.every((name) => typeof name === "string");
const listed = { expected: "a list of names", fits: isNames };
const text = {
  expected: "a string",
  fits: (value: unknown): boolean => typeof value === "string",
};
const emitOptions: KindsOf<EmitOptions> = {
  from: emitHeights,
  statistics: listed,
  sequences: listed,
  metrics: {
    expected: "true, false or a list of names",
    fits: (value) => typeof value === "boolean" || isNames(value),
  },
  tiles: "boolean",
  options: text,
  version: text,
  hash: { expected: "a function", fits: (value) => typeof value === "function" },
};

/** @throws PrefcError not-an-objective, unknown-option, option-value */
export function checkEmit(objective: Objective, options: EmitOptions): void {
  requireObjective("emitTorch", objective);
  checkOptions("emitTorch", emitOptions, options, { example: '{ from: "logits" }' });
  if (options.from === undefined) {
    fail(
      "option-value",
      `emitTorch: the option from is left out; give one of ${listNames(emitHeights)}.`,
    );
  }
  const models = ["policy", "ref", ...objective.models];
  const unknown = options.sequences?.find((model) => !models.includes(model));
  if (unknown !== undefined) {
    fail(
      "option-value",
      `emitTorch: sequences names the model ${cite(unknown)}; ${cite(objective.name)} has ${listNames(models)}.`,
    );
  }
}
