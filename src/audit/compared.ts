// What a trainer recorded, beside the quantities that it is: each number with the place that a sentence gives it.

import { responsesIn, type Step, type Listed, type PerPosition } from "./step.ts";
import { gradientKey, lossesKey, lossKey, sequenceKey, tokenKey, weightKey } from "./quantities.ts";
import type { Computed, Computation } from "./compute.ts";
import type { Reading } from "./reading.ts";

/** A recorded tensor, or the part of one, that is a quantity. */
export interface Recorded {
  /** The quantity. */
  readonly key: string;
  /** What the file calls it. */
  readonly name: string;
  /** The recorded number beside each number of the quantity; undefined where there is none. */
  readonly beside: (reading: Reading, position: number) => number | undefined;
  /** Where a number of the quantity belongs. */
  readonly place: (reading: Reading, position: number) => string;
  readonly unit: number;
}

const called: Readonly<Record<string, string>> = {
  w: "the chosen response",
  l: "the rejected response",
};

/** What is compared of a step, in the order in which a trainer computes it. */
export function recordedOf(step: Step, right: Reading): readonly Recorded[] {
  const { examples } = step;
  const known = (key: string): boolean => right.quantities.has(key);
  const isRight = new Map(
    Object.entries(right.tokens).map(([response, { sequence, position }]) => [
      response,
      new Set(Array.from(sequence, (one, index) => `${one},${position[index]}`)),
    ]),
  );
  const tokens = (
    key: string,
    response: string,
    recorded: PerPosition | undefined,
  ): readonly Recorded[] =>
    recorded === undefined
      ? []
      : [
          {
            key,
            name: recorded.name,
            unit: recorded.unit,
            beside: ({ tokens: all }, at) => {
              const { sequence, position } = all[response]!;
              const [one, place] = [sequence[at]!, position[at]!];
              return isRight.get(response)!.has(`${one},${place}`)
                ? recorded.at(one, place)
                : undefined;
            },
            place: ({ tokens: all }, at) => {
              const { sequence, position, offsets } = all[response]!;
              const example = sequence[at]! % examples;
              return `token ${at - offsets[example]!} of ${called[response]} of example ${example} (position ${position[at]} of sequence ${sequence[at]})`;
            },
          },
        ];
  const perExample = (
    key: string,
    { name, values, unit }: Listed,
    first: number,
    response: string | null,
  ): Recorded => ({
    key,
    name,
    unit,
    beside: (_, at) => values[first + at],
    place: (_, at) => `${response === null ? "" : `${called[response]} of `}example ${at}`,
  });
  const single = (key: string, { name, values, unit }: Listed): Recorded => ({
    key,
    name,
    unit,
    beside: () => values[0],
    place: () => "the batch",
  });
  const paired = (
    keyOf: (response: string) => string,
    listed: Listed | undefined,
  ): readonly Recorded[] =>
    listed === undefined || listed.values.length !== 2 * examples
      ? []
      : responsesIn.map((response, index) =>
          perExample(keyOf(response), listed, index * examples, response),
        );
  const { weights, losses, loss } = step.listed;
  const all: readonly Recorded[] = [
    ...["policy", "ref"].flatMap((model) => [
      ...responsesIn.flatMap((response) =>
        tokens(
          tokenKey(model, response),
          response,
          step.perPosition[`${model as "policy"} token logps`],
        ),
      ),
      ...paired(
        (response) => sequenceKey(model, response),
        step.listed[`${model as "policy"} logps`],
      ),
    ]),
    ...paired(weightKey, weights),
    ...(weights?.values.length === examples ? [perExample(weightKey(null), weights, 0, null)] : []),
    ...(losses === undefined ? [] : [perExample(lossesKey, losses, 0, null)]),
    ...(loss === undefined ? [] : [single(lossKey, loss)]),
    ...step.metrics.map((metric) => single(metric.name, metric)),
  ];
  const slopes = responsesIn.flatMap((response) =>
    tokens(gradientKey(response), response, step.perPosition["gradient of token logps"]),
  );
  return [...all.filter(({ key }) => known(key)), ...slopes];
}

/** Two numbers that should be the same. */
export interface Pair {
  readonly place: string;
  readonly recorded: number;
  readonly computed: number;
  readonly off: number;
  readonly allowed: number;
}
/** A quantity beside what was recorded of it. */
export interface Comparison {
  readonly key: string;
  readonly name: string;
  /** How many numbers were compared. */
  readonly count: number;
  /** The first that departs; null where all agree. */
  readonly departs: Pair | null;
  /** How many depart. */
  readonly departures: number;
  /** The pair that is farthest apart in parts of what is allowed. */
  readonly worst: Pair | null;
}

/** The values of a quantity, of which those of slopes are found by their term. */
function valuesOf(
  key: string,
  reading: Reading,
  { quantities, slopes }: Computation,
): Omit<Computed, "axes"> | null {
  const plain = quantities.get(key);
  if (plain !== undefined) return plain;
  const response = responsesIn.find((one) => gradientKey(one) === key);
  const term =
    response === undefined ? undefined : reading.quantities.get(tokenKey("policy", response));
  return slopes.find((slope) => slope.term === term) ?? null;
}

/** Compares what was recorded with a computation; null where the quantity was not computed. */
export function compared(
  recorded: Recorded,
  reading: Reading,
  computation: Computation,
): Comparison | null {
  const found = valuesOf(recorded.key, reading, computation);
  if (found === null) return null;
  const { values, allowed } = found;
  let [count, departures] = [0, 0];
  let departs: Pair | null = null;
  let worst: { readonly pair: Pair; readonly share: number } | null = null;
  values.forEach((value, at) => {
    const other = recorded.beside(reading, at);
    if (other === undefined) return;
    count++;
    const limit = allowed[at]! + recorded.unit * Math.abs(value);
    const off = Math.abs(other - value);
    const isOff = !(off <= limit) && !Object.is(other, value);
    const share = isOff && Number.isNaN(off) ? Infinity : off / Math.max(limit, Number.MIN_VALUE);
    if (!isOff && worst !== null && share <= worst.share) return;
    const pair = {
      place: recorded.place(reading, at),
      recorded: other,
      computed: value,
      off,
      allowed: limit,
    };
    if (isOff) {
      departures++;
      departs ??= pair;
    }
    if (worst === null || share > worst.share) worst = { pair, share };
  });
  return {
    key: recorded.key,
    name: recorded.name,
    count,
    departs,
    departures,
    worst: (worst as { readonly pair: Pair } | null)?.pair ?? null,
  };
}
