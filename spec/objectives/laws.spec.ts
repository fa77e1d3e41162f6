// Laws of every objective that ships, by the interpreter: a constant added to all logits of a row changes nothing, another order
// of the examples only moves their losses and gradients, and where the loss of an example reads no other example, micro-batches
// added up give what the whole batch gives.
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch, Binding } from "../../src/batch/batch.ts";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { compileProgram, type Program } from "../../src/pipeline/pipeline.ts";
import { topological } from "../../src/core/node.ts";
import { builtIn, builtIns } from "../../src/objectives/index.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";
import { seed } from "../seed.ts";
import { byExample, isSeparable, picked } from "../support/picked.ts";

const size = { examples: 5, tokens: 4, vocab: [3, 9] } as const;
const names = Object.keys(builtIns);
const programs = new Map(names.map((name) => [name, compileProgram(builtIn(name))]));
const batchOf = (program: Program, trial: number): Batch =>
  randomBatch({ ...program, fewestExamples: 3 }, size, random(seed, trial));

interface Result {
  readonly loss: number;
  readonly perExample: readonly number[] | undefined;
  /** By input: a list of numbers for each example. */
  readonly gradients: ReadonlyMap<string, readonly (readonly number[])[]>;
}

function run(program: Program, batch: Batch): Result {
  const inputs = program.gradients.map(({ input }) => input);
  const [loss, example, ...slopes] = evaluate(
    [program.loss, program.perExample ?? program.loss, ...gradient(program.loss, inputs)],
    batch,
    {},
  );
  return {
    loss: loss!.data[0]!,
    perExample:
      program.perExample === null ? undefined : [...expand(example!, ["batch"], batch).data],
    gradients: new Map(
      inputs.map(({ name, axes }, n) => [
        name,
        byExample(expand(slopes[n]!, axes, batch).data, axes, batch),
      ]),
    ),
  };
}

/** Sums of at most some hundred terms in another order, in float64. */
const tolerance = 1e-10;
const expectClose = (actual: readonly number[], right: readonly number[], scale = 1): void => {
  expect(actual.length).toBe(right.length);
  const largest = Math.max(1e-6, ...right.map(Math.abs)) * scale;
  right.forEach((value, n) =>
    expect(Math.abs(actual[n]! - value) / largest).toBeLessThan(tolerance),
  );
};
const flat = (gradients: Result["gradients"], order?: readonly number[]): readonly number[] =>
  [...gradients.values()].flatMap((examples) =>
    (order ?? examples.map((_, n) => n)).flatMap((example) => examples[example]!),
  );

describe("a constant added to all logits of a row", () => {
  it.each(names)("changes nothing, so each row of a gradient adds up to 0: %s", (name) => {
    const program = programs.get(name)!;
    expect(program.gradients.length).toBeGreaterThan(0);
    const batch = batchOf(program, 1);
    const source = random(seed, 2);
    const inputs = Object.fromEntries(
      Object.entries(batch.inputs).map(([key, binding]): [string, Binding] => {
        if (binding.height !== "logits") return [key, binding];
        const data = Float64Array.from(binding.tensor.data as Float32Array);
        for (const row of binding.rowIndex) {
          const constant = source.integer(-100, 100);
          for (let v = 0; v < batch.vocab; v++) data[row * batch.vocab + v]! += constant;
        }
        return [key, { ...binding, tensor: { ...binding.tensor, data } }];
      }),
    );
    const [first, second] = [run(program, batch), run(program, { ...batch, inputs })];
    // a logit of 100 keeps 1e-14, which an exponential passes on
    expectClose([second.loss], [first.loss], 100);
    expectClose(flat(second.gradients), flat(first.gradients), 100);
    const largest = Math.max(1e-6, ...flat(first.gradients).map(Math.abs));
    for (const { input } of program.gradients) {
      if (!input.axes.includes("vocab")) continue;
      for (const example of first.gradients.get(input.name)!) {
        for (let start = 0; start < example.length; start += batch.vocab) {
          const sum = example.slice(start, start + batch.vocab).reduce((a, b) => a + b, 0);
          expect(Math.abs(sum) / largest).toBeLessThan(tolerance);
        }
      }
    }
  });
});

describe("another order of the examples", () => {
  it.each(names)("moves their losses and gradients, and leaves the loss: %s", (name) => {
    const program = programs.get(name)!;
    const batch = batchOf(program, 3);
    const order = random(seed, 4).order(batch.examples);
    const [first, second] = [run(program, batch), run(program, picked(batch, order))];
    expectClose([second.loss], [first.loss]);
    // what was sorted is listed by rank and not by example
    const sorted = topological([program.loss]).some((node) => node.tag === "sort");
    const moved = first.perExample?.map((_, n) => first.perExample![sorted ? n : order[n]!]!);
    expectClose(second.perExample ?? [], moved ?? []);
    expectClose(flat(second.gradients), flat(first.gradients, order));
  });
});

const separable = names.filter((name) => isSeparable(programs.get(name)!));

describe("micro-batches", () => {
  it("are for most objectives; the others read the batch as a whole", () => {
    expect(separable.length).toBeGreaterThan(names.length / 2);
    for (const name of ["sft", "kto", "bco", "aot"]) expect(separable).not.toContain(name);
  });

  it.each(separable)("added up by their sizes are the whole batch: %s", (name) => {
    const program = programs.get(name)!;
    const batch = batchOf(program, 5);
    const all = Array.from({ length: batch.examples }, (_, example) => example);
    const cut = 1 + (batch.examples % 2);
    const parts = [all.slice(0, cut), all.slice(cut)];
    const whole = run(program, batch);
    const results = parts.map((part) => run(program, picked(batch, part)));
    const share = parts.map((part) => part.length / batch.examples);
    expectClose([results.reduce((sum, { loss }, n) => sum + share[n]! * loss, 0)], [whole.loss]);
    expectClose(
      results.flatMap(({ perExample }) => perExample!),
      whole.perExample!,
    );
    for (const [input, right] of whole.gradients) {
      const summed = results.flatMap(({ gradients }, n) =>
        gradients.get(input)!.map((example) => example.map((slope) => share[n]! * slope)),
      );
      expectClose(summed.flat(), right.flat());
    }
  });
});
