// The stages of a compiled case, executed in float64 as they are written down (spec/stream/reading.ts), against the expressions
// that they were derived from: what is wrong before any kernel, and needs no device to be found.
import type { Lowered, Program } from "../../src/pipeline/pipeline.ts";
import { compileProgram } from "../../src/pipeline/pipeline.ts";
import { readExpressions, readStages, type Reading } from "../stream/reading.ts";
import { objectiveOf, type Case } from "./case.ts";

/** Passes reorder sums in float64, of values that are of moderate size by construction (admit.ts). */
const tolerance = 1e-9;

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 1);

/** Every number of a reading under its name. */
const numbersOf = ({
  scalars,
  perExample,
  gradients,
}: Reading): ReadonlyMap<string, readonly number[]> =>
  new Map([
    ...[...scalars].map(([name, value]) => [name, [value]] as const),
    ...(perExample === undefined ? [] : [["perExample", [...perExample]] as const]),
    ...[...gradients].map(([name, values]) => [`the gradient of ${name}`, [...values]] as const),
  ]);

function against(right: Reading, given: Reading, what: string): readonly string[] {
  const [expected, actual] = [numbersOf(right), numbersOf(given)];
  return [...new Set([...expected.keys(), ...actual.keys()])].flatMap((name) => {
    const [wanted, got] = [expected.get(name), actual.get(name)];
    if (wanted?.length !== got?.length || wanted === undefined || got === undefined)
      return [`${what}: ${name} has ${got?.length} entries, where ${wanted?.length} are expected`];
    const size = largest(wanted);
    const entry = wanted.findIndex((value, n) => !(Math.abs(got[n]! - value) <= tolerance * size));
    return entry < 0
      ? []
      : [`${what}: ${name} is ${got[entry]} at entry ${entry} for ${wanted[entry]}`];
  });
}

/** What fused and unfused stages of both directions say, where it is not what the expressions mean. */
export function staged(one: Case, program: Program): readonly string[] {
  const params = { ...one.params, ...one.state };
  const whole = readExpressions(program, one.batch, params);
  const unfused = compileProgram(objectiveOf(one), { heights: one.heights, fusion: false });
  const read = (lowered: Lowered): Reading => readStages(lowered, one.batch, params);
  return [
    ...against({ ...whole, gradients: new Map() }, read(program.value), "stages of the value"),
    ...against(whole, read(program.valueAndGrad), "stages"),
    ...against(whole, read(unfused.valueAndGrad), "unfused stages"),
  ];
}
