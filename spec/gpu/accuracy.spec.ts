// A fixed slice of npm run accuracy: on hard data, what a GPU computes stays within the bound of bounds.ts, which knows how well
// f32 can know each objective on each batch. The objectives differ in what they do with log-probabilities: a sigmoid of a
// margin, weights that are exponentials of sums, odds of a probability near 1, a divergence along the vocabulary, and single
// completions.
import { afterAll, describe, it } from "vitest";
import { hardBatch, kinds } from "../../scripts/accuracy/data.ts";
import { random } from "../../src/sample/random.ts";
import { builtIn, compile, type Compiled, type Device } from "../../src/index.ts";
import { seed } from "../seed.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";

let device: Device;
const compiled = new Map<string, Compiled>();
const objectives = ["dpo", "wpo", "orpo", "tdpo2", "kto"];
withDevice((opened) => {
  device = opened;
  for (const name of objectives) compiled.set(name, compile(builtIn(name), { device }));
});
afterAll(() => {
  for (const one of compiled.values()) one.dispose();
});

describe.each(kinds.filter(({ name }) => name !== "wide"))("$name data: $summary", (kind) => {
  it.each(objectives)("%s", async (name) => {
    const own = compiled.get(name)!;
    const needs = { ...own.program, fewestExamples: 2 };
    const stream = 100 * kinds.indexOf(kind);
    for (let number = 0; number < 2; number++) {
      const batch = hardBatch(kind, needs, random(seed, stream + number));
      await expectAgreementOf(own, batch);
    }
  });
});

describe("a vocabulary of 128,256 entries", () => {
  it.each(["dpo", "wpo"])("%s", async (name) => {
    const own = compiled.get(name)!;
    const wide = kinds.find((kind) => kind.name === "wide")!;
    const one = { ...wide, size: { ...wide.size, examples: 1, tokens: 1 } };
    await expectAgreementOf(own, hardBatch(one, own.program, random(seed, 700)));
  });
});
