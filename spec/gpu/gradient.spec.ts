// The main claim: for random objectives, options, parameters and ragged batches, what the GPU computes is what the formula
// means. Loss, metrics, the loss of each example and every gradient are compared with the float64 interpreter, and the
// interpreter with central differences, which know no derivative rule.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  builtIn,
  centralDifference,
  compile,
  dpo,
  evaluate,
  referenceFree,
  sft,
  withWeighting,
  wpo,
  none,
  type CompileOptions,
  type Compiled,
  type Device,
  type Objective,
} from "../../src/index.ts";
import { gradient } from "../../src/ad/gradient.ts";
import { expand } from "../../src/reference/tensor.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import { contentOf, draws, laidOut, layouts, withHighInputs } from "./batches.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

interface Case {
  readonly name: string;
  readonly objective: Objective;
  readonly heights?: NonNullable<CompileOptions["heights"]>;
  readonly runs: number;
}
const cases: readonly Case[] = [
  { name: "dpo", objective: dpo(), runs: 30 },
  {
    name: "dpo with cached sequence log-probabilities",
    objective: dpo(),
    heights: { ref: "logps" },
    runs: 14,
  },
  {
    name: "dpo with cached token log-probabilities",
    objective: dpo(),
    heights: { ref: "logp" },
    runs: 14,
  },
  {
    name: "dpo of token log-probabilities alone",
    objective: dpo(),
    heights: { policy: "logp", ref: "logps" },
    runs: 14,
  },
  {
    name: "dpo of sequence log-probabilities alone",
    objective: dpo(),
    heights: { policy: "logps", ref: "logps" },
    runs: 14,
  },
  { name: "dpo, reference-free", objective: referenceFree(dpo()), runs: 14 },
  { name: "sft", objective: sft(), runs: 14 },
  {
    name: "sft of token log-probabilities",
    objective: sft(),
    heights: { policy: "logp" },
    runs: 8,
  },
  { name: "wpo", objective: wpo(), runs: 20 },
  { name: "wpo, differentiated weights", objective: wpo({ stop: false }), runs: 16 },
  { name: "wpo, product clamped", objective: wpo({ clamp: "product" }), runs: 10 },
  {
    name: "wpo, each weight clamped, differentiated",
    objective: wpo({ clamp: "each", stop: false }),
    runs: 10,
  },
  { name: "wpo, greedy", objective: wpo({ alignment: "greedy" }), runs: 14 },
  {
    name: "wpo, greedy, differentiated",
    objective: wpo({ alignment: "greedy", stop: false }),
    runs: 14,
  },
  {
    name: "wpo, greedy, clamped, chosen only",
    objective: wpo({ alignment: "greedy", clamp: "product", responses: "chosen" }),
    runs: 8,
  },
  {
    name: "wpo, no alignment, rejected only",
    objective: wpo({ alignment: "none", responses: "rejected" }),
    runs: 8,
  },
  {
    name: "wpo, no alignment, differentiated",
    objective: wpo({ alignment: "none", stop: false }),
    runs: 8,
  },
  { name: "wpo, cached reference", objective: wpo(), heights: { ref: "logps" }, runs: 10 },
  {
    name: "wpo, no alignment, of token log-probabilities",
    objective: withWeighting(none, { stop: false })(dpo()),
    heights: { policy: "logp", ref: "logps" },
    runs: 8,
  },
  {
    name: "wpo by name",
    objective: builtIn("wpo", { alignment: "greedy", responses: "rejected", clamp: "each" }),
    runs: 8,
  },
];

const parameters = fc.record({
  beta: fc.double({ min: 0.01, max: 2, noNaN: true }).map(Math.fround),
  // at 0.5 the loss is flat and its gradient is nothing but the rounding of σ(x) − σ(−x)
  label_smoothing: fc.constantFrom(0, 0.1, 0.3).map(Math.fround),
});
/** The parameters that the objective has. */
const taken = (
  compiled: Compiled,
  given: Readonly<Record<string, number>>,
): Record<string, number> =>
  Object.fromEntries(
    compiled.program.params.flatMap(({ name }) =>
      given[name] === undefined ? [] : [[name, given[name]]],
    ),
  );

describe("loss, metrics and gradients against the interpreter", () => {
  it("has at least 200 cases", () => {
    expect(cases.reduce((sum, { runs }) => sum + runs, 0)).toBeGreaterThanOrEqual(200);
  });
  it.each(cases)("$name", async ({ objective, heights, runs }) => {
    const compiled = compile(objective, { device, ...(heights === undefined ? {} : { heights }) });
    await fc.assert(
      fc.asyncProperty(draws(), layouts, parameters, async (drawn, layout, given) => {
        const batch = withHighInputs(laidOut(contentOf(drawn), layout), drawn.seed);
        await expectAgreementOf(compiled, batch, taken(compiled, given));
      }),
      { numRuns: runs },
    );
    compiled.dispose();
  });
});

// A central difference with ε = 1e-5 is wrong by ε²·f''' / 6 and by 1e-16·|f| / ε, both near 1e-10 for logits of size 3 and gradients
// near 0.01; the weights of wpo and a loss of several units leave 1e-7 of the largest entry.
const differenceTolerance = 1e-6;

describe("the interpreter against central differences", () => {
  it.each(cases)("$name", ({ objective, heights }) => {
    const { program } = compile(objective, heights === undefined ? {} : { heights });
    const inputs = program.gradients.map(({ input }) => input);
    const roots = gradient(program.loss, inputs);
    fc.assert(
      fc.property(
        draws({ scales: ["normal"], maxVocab: 6, maxLength: 2 }),
        layouts,
        (drawn, layout) => {
          const batch = withHighInputs(laidOut(contentOf(drawn), layout), drawn.seed);
          const derived = evaluate(roots, batch, {});
          inputs.forEach((input, position) => {
            const slopes = centralDifference(program.loss, input.name, batch, {}).data;
            const scale = Math.max(1e-3, ...slopes.map(Math.abs));
            const own = expand(derived[position]!, input.axes, batch).data;
            expect(
              Math.max(...own.map((value, n) => Math.abs(value - slopes[n]!))) / scale,
              input.name,
            ).toBeLessThanOrEqual(differenceTolerance);
          });
        },
      ),
      { numRuns: 4 },
    );
  });
});
