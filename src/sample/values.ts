// The numbers of inputs above logits in a random batch: what an objective declares of them, else what is likely. Log-
// probabilities are negative, rewards have either sign, and numbers of the user's own are positive, since a weight is
// likelier than a logarithm of something negative.

import type { Binding, ResponseTokens } from "../batch/batch.ts";
import { rowsAmong } from "../core/axis.ts";
import type { Input } from "../core/node.ts";
import type { NumberKind, Values } from "../dsl/index.ts";
import type { Random } from "./random.ts";

type Draw = () => number;

const ofKind = (random: Random): Readonly<Record<NumberKind, Draw>> => ({
  real: () => 1.5 * random.normal(),
  positive: () => 0.1 + 1.8 * random.uniform(),
  probability: () => 0.02 + 0.96 * random.uniform(),
  logp: () => -3 * random.uniform() - 0.05,
});

/** How far from its only bound a number is drawn. */
const reach = 2;
/** How often a bound itself is drawn. */
const atBound = 0.1;

/** Draws what is declared. A number that is above another one is drawn as the distance from it. */
function declaredDraw(values: Values, random: Random): Draw {
  const { from, to, oneOf, kind } = values;
  if (oneOf !== undefined) return () => oneOf[random.integer(0, oneOf.length - 1)]!;
  if (kind !== undefined) return ofKind(random)[kind];
  if (from === undefined && to === undefined) return ofKind(random).positive;
  const [least, most] = [from ?? to! - reach, to ?? from! + reach];
  return () => {
    const u = random.uniform();
    if (u < atBound && from !== undefined) return from;
    if (u > 1 - atBound && to !== undefined) return to;
    return least + (most - least) * random.uniform();
  };
}

/** What was drawn of an input, for a report. */
export function describeValues(values: Values | undefined): string {
  if (values === undefined)
    return "0.1 to 1.9 and, where a branch asks for it, either sign; declare what it may be";
  const { from, to, oneOf, above, kind } = values;
  if (oneOf !== undefined) return `one of ${oneOf.join(", ")}`;
  if (above !== undefined) return `above ${above}`;
  if (kind !== undefined) return `kind ${kind}`;
  if (from === undefined) return `up to ${to!}`;
  return to === undefined ? `from ${from}` : `from ${from} to ${to}`;
}

export interface ValueNeeds {
  readonly tokens: Readonly<Record<string, ResponseTokens>>;
  readonly examples: number;
  readonly values?: Values | undefined;
  /** Whether numbers of which nothing is declared may have either sign. */
  readonly signed?: boolean;
  /** What was drawn before, for inputs that are above another one. */
  readonly drawn?: Readonly<Record<string, Binding>>;
}

/** Values for an input above logits. */
export function randomValues(
  input: Input,
  { tokens, examples, values, signed = false, drawn = {} }: ValueNeeds,
  random: Random,
): Binding {
  const { datum } = input;
  const response = rowsAmong(input.axes);
  const lower = values?.above === undefined ? undefined : drawn[values.above];
  const above = (example: number): number =>
    lower?.height === "example" ? lower.values[example]! : 0;
  const own =
    values !== undefined
      ? declaredDraw(values, random)
      : ofKind(random)[signed ? "real" : "positive"];
  if (response !== null) {
    const usual = datum.kind === "reward" ? ofKind(random).real : own;
    const draw = "model" in datum ? ofKind(random).logp : usual;
    const { offsets, labels } = tokens[response]!;
    const numbers = new Float32Array(labels.length);
    // the owners of a list's tokens are responses
    for (let example = 0; example + 1 < offsets.length; example++)
      for (let token = offsets[example]!; token < offsets[example + 1]!; token++)
        numbers[token] = above(example) + draw();
    return { height: "token", values: numbers };
  }
  const offsets = datum.kind === "logps" ? tokens[datum.response]?.offsets : undefined;
  const draw = (example: number): number => {
    if (offsets !== undefined) {
      return -(offsets[example + 1]! - offsets[example]!) * (0.5 + 2 * random.uniform());
    }
    return datum.kind === "reward" ? random.normal() : above(example) + own();
  };
  return { height: "example", values: Float32Array.from({ length: examples }, (_, n) => draw(n)) };
}
