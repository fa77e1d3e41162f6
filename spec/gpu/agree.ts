// What it means that the GPU agrees with the float64 interpreter: every number of a result is within its bound (bounds.ts).
import { expect } from "vitest";
import type { Program } from "../../src/pipeline/pipeline.ts";
import { unroundedAll } from "../../src/check/unrounded.ts";
import type { HalfType } from "../../src/core/storage.ts";
import type { Batch, Compiled, Params, ValueAndGrad } from "../../src/index.ts";
import { tolerances, type Uncertain } from "./bounds.ts";
import { computed, farthest, interpreted, largest, type Results } from "./results.ts";

/** Fails unless every result is within its tolerance; says which is not, by how much, and at which entry. */
export function expectAgreement(
  program: Program,
  batch: Batch,
  params: Params,
  actual: Results,
  uncertain: Uncertain,
): void {
  const right = interpreted(program, batch, params);
  const allowed = tolerances(program, batch, params, right, uncertain);
  expect([...actual.keys()].toSorted()).toEqual([...right.keys()].toSorted());
  for (const [name, values] of right) {
    const stored = actual.get(name)!;
    expect(stored.length, `length of ${name}`).toBe(values.length);
    const given =
      stored instanceof Uint16Array ? unroundedAll(stored, halfOf(batch, name), values) : stored;
    const error = farthest(given, values);
    const entry = Array.from(values).findIndex((value, i) => Math.abs(value - given[i]!) === error);
    const said = `${name}: ${given[entry]} at entry ${entry} where the interpreter has ${values[entry]} (largest ${largest(values)})`;
    expect(error, said).toBeLessThanOrEqual(allowed.get(name)!);
  }
}

/** The type in which a gradient is stored. */
function halfOf(batch: Batch, result: string): HalfType {
  const tensors = Object.values(batch.inputs).flatMap((binding) =>
    binding.height === "logits" ? [binding.tensor] : [],
  );
  return tensors.find(({ name }) => result === `gradient ${name}`)!.dtype as HalfType;
}

/** Runs a compiled objective forward and back and compares everything it gives. */
export async function expectAgreementOf(
  compiled: Compiled,
  batch: Batch,
  params: Params = {},
  uncertain: Uncertain = "passes",
): Promise<ValueAndGrad> {
  const result = await compiled.valueAndGrad(batch, { params, perExample: true });
  expectAgreement(compiled.program, batch, params, computed(result), uncertain);
  return result;
}
