// Deriving passes keeps the meaning: the stages of an objective, executed in float64 as they are written down (reading.ts),
// give what the interpreter gives for the expressions they were derived from. Objectives that ship, losses with masked and
// extreme logits, and random expressions along the vocabulary (spec/support/vocabulary.ts).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/batch/batch.ts";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { compileProgram, type Lowered, type Program } from "../../src/pipeline/pipeline.ts";
import { PrefcError } from "../../src/core/error.ts";
import type { Node } from "../../src/core/node.ts";
import { builtIn, builtIns } from "../../src/objectives/index.ts";
import { seed } from "../seed.ts";
import { ragged } from "../support/arbitraries.ts";
import { losses } from "../support/losses.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { derive } from "../../src/stream/derive.ts";
import { readExpressions, readRows, readStages, type Reading } from "./reading.ts";
import { isTame, vocabularyLosses } from "../support/vocabulary.ts";

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Float64 on both sides, and sums of at most some hundred terms: 1e-9 is far above rounding and far below a mistake. */
const tolerance = 1e-9;

const expectClose = (
  name: string,
  actual: ArrayLike<number>,
  right: ArrayLike<number>,
  smallest: number,
): void => {
  expect(actual.length, `length of ${name}`).toBe(right.length);
  const scale = Math.max(largest(right), smallest);
  Array.from(right).forEach((value, entry) => {
    const error = Math.abs(actual[entry]! - value) / scale;
    expect(error, `${name} at ${entry}: ${actual[entry]} for ${value}`).toBeLessThan(tolerance);
  });
};

/** Undefined where the loss itself is: the odds of a response whose probability is 1. */
const meaning = (program: Program, batch: Batch): Reading | undefined => {
  try {
    return readExpressions(program, batch, {});
  } catch (error) {
    if (error instanceof PrefcError && error.code === "undefined-value") return undefined;
    throw error;
  }
};

/** Values are measured against the largest of a result, or against `smallest` where that is larger. */
function expectMeaning(program: Program, lowered: Lowered, batch: Batch, smallest: number): void {
  const right = meaning(program, batch);
  fc.pre(right !== undefined);
  const stages = readStages(lowered, batch, {});
  for (const [name, value] of right.scalars)
    expectClose(name, [stages.scalars.get(name)!], [value], smallest);
  if (right.perExample !== undefined)
    expectClose("perExample", stages.perExample!, right.perExample, smallest);
  if (lowered === program.value) return;
  expect([...stages.gradients.keys()].toSorted()).toEqual([...right.gradients.keys()].toSorted());
  // all gradients of a loss have one scale
  const scale = Math.max(...[...right.gradients.values()].map(largest), smallest);
  for (const [name, values] of right.gradients)
    expectClose(`gradient of ${name}`, stages.gradients.get(name)!, values, scale);
}

describe("the stages of a built-in objective mean what it means", () => {
  it.each(Object.keys(builtIns))("%s", (name) => {
    const program = compileProgram(builtIn(name));
    for (let trial = 0; trial < 4; trial++) {
      const size = { examples: 4, tokens: 4, vocab: [2, 12] } as const;
      const batch = randomBatch({ ...program, fewestExamples: 2 }, size, random(seed, trial));
      expectMeaning(program, program.value, batch, 1e-9);
      expectMeaning(program, program.valueAndGrad, batch, 1e-9);
    }
  });
});

describe("with a read of the logits for each field, the stages of a built-in objective", () => {
  it.each(Object.keys(builtIns))("mean what it means: %s", (name) => {
    const program = compileProgram(builtIn(name), { fusion: false });
    const size = { examples: 4, tokens: 4, vocab: [2, 12] } as const;
    const batch = randomBatch({ ...program, fewestExamples: 2 }, size, random(seed, 9));
    expectMeaning(program, program.valueAndGrad, batch, 1e-9);
    const fused = compileProgram(builtIn(name)).valueAndGrad.stages.passes;
    const { passes } = program.valueAndGrad.stages;
    const online = passes.flatMap((pass) => (pass.kind === "online" ? [pass] : []));
    for (const { responses, fields } of online) {
      expect(responses).toHaveLength(1);
      expect(fields.filter(({ kind }) => kind !== "maximum").length).toBeLessThanOrEqual(1);
    }
    expect(passes.length).toBeGreaterThanOrEqual(fused.length);
  });
});

describe("the stages of a loss mean what it means, also with masked, peaked and extreme logits", () => {
  it.each(Object.entries(losses))("%s", (name, loss) => {
    const program = compileProgram({ name, responses: ["w", "l"], loss, metrics: {} });
    fc.assert(
      fc.property(ragged({ masked: true, scales: ["normal", "peaked"] }), (batch) => {
        expectMeaning(program, program.valueAndGrad, batch, 1e-9);
      }),
      { numRuns: 30 },
    );
  });
});

/** Undefined where simplification leaves a sum over the vocabulary that no logits are in, which is refused. */
const compiled = (loss: Node, metric: Node): Program | undefined => {
  try {
    const responses = ["w", "l"];
    return compileProgram({ name: "a random loss", responses, loss, metrics: { metric } });
  } catch (error) {
    if (error instanceof PrefcError && error.code === "vocabulary-without-tokens") return undefined;
    throw error;
  }
};

describe("the stages of a random expression along the vocabulary", () => {
  it("mean what it means, and so does the gradient they write", () => {
    const batches = ragged({ scales: ["normal"], maxExamples: 2, maxLength: 3, maxVocab: 5 });
    fc.assert(
      fc.property(vocabularyLosses, batches, ({ loss, metric }, batch) => {
        fc.pre(isTame([loss, metric], batch));
        const program = compiled(loss, metric);
        fc.pre(program !== undefined);
        expectMeaning(program, program.value, batch, 1);
        expectMeaning(program, program.valueAndGrad, batch, 1);
      }),
      { numRuns: 300 },
    );
  });
});

describe("deriving passes of a random expression", () => {
  it("keeps its value, also where nothing was simplified before", () => {
    const batches = ragged({ scales: ["normal"], maxExamples: 2, maxLength: 3, maxVocab: 5 });
    fc.assert(
      fc.property(vocabularyLosses, batches, ({ loss, metric }, batch) => {
        fc.pre(isTame([loss, metric], batch));
        const right = evaluate([loss, metric], batch, {});
        readRows(derive([loss, metric], []), batch, {}).forEach((row, position) =>
          expectClose("row", row.data, right[position]!.data, 1),
        );
      }),
      { numRuns: 200 },
    );
  });
});
