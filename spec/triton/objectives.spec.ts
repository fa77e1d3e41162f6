// Every built-in objective through its emitted kernels, in value and gradient, as the GPU is held to the interpreter.
import { expect, it } from "vitest";
import { randomBatch } from "../../src/check/batch.ts";
import { acceptedGpuError, gradientError, lossError } from "../../src/check/error.ts";
import { random } from "../../src/check/random.ts";
import { compileProgram } from "../../src/compile/pipeline.ts";
import { runTorch } from "../../src/conform/torch.ts";
import { builtIn, builtIns } from "../../src/objectives/index.ts";
import type { Objective } from "../../src/index.ts";
import { PrefcError } from "../../src/core/error.ts";
import { emitTorch } from "../../src/torch/emit.ts";
import { emitTriton } from "../../src/triton/emit.ts";
import { expectedByInput } from "../fuzz/results.ts";
import { formulas } from "../torch/formulas.ts";
import { describeTriton, loadFused } from "./python.ts";

const all = Object.keys(builtIns).map((name) => builtIn(name));
const isTaken = (own: Objective, emit: typeof emitTriton): boolean => {
  try {
    emit(own, { from: "logits" });
    return true;
  } catch (error) {
    if (error instanceof PrefcError && error.code === "emit-statistic") return false;
    throw error;
  }
};
const cases = [...all, ...formulas].filter((own) => isTaken(own, emitTriton));

it("is emitted for Triton wherever it is for PyTorch, from logits", () => {
  const refused = all.filter((own) => !isTaken(own, emitTriton)).map(({ name }) => name);
  expect(refused).toEqual(all.filter((own) => !isTaken(own, emitTorch)).map(({ name }) => name));
  // these read a third model
  expect(refused).toEqual(["gkd", "grpo", "rloo"]);
});

describeTriton("an objective through kernels of Triton", (python) => {
  it.each(cases.map((own) => [own.name, own] as const))(
    "%s is what the interpreter says",
    async (name, own) => {
      const program = compileProgram(own);
      const params = Object.fromEntries(
        program.params.map((one) => [one.name, one.initial ?? 0.7]),
      );
      const emitted = emitTriton(own, { from: "logits" });
      await loadFused(python(), name, emitted);
      for (const seed of [1, 2]) {
        const batch = randomBatch(
          { responses: program.responses, inputs: program.inputs, fewestExamples: 2 },
          { examples: 3, tokens: 5, vocab: [4, 9] },
          random(seed, 5),
        );
        const mode = { dtype: "float32" } as const;
        const run = await runTorch(python(), emitted, name, program.loss, batch, params, mode);
        const right = expectedByInput(program, batch, params);
        expect(lossError(run.loss, right.get("loss")!.values[0]!)).toBeLessThan(acceptedGpuError());
        for (const [input, { data }] of run.gradients) {
          const expected =
            right.get(`gradient ${input.name}`)?.values ?? new Float64Array(data.length);
          expect(gradientError(data, expected), input.name).toBeLessThan(acceptedGpuError());
        }
      }
    },
  );
});
