// Every built-in objective through its emitted kernels, in value and gradient, as the GPU is held to the interpreter.
import { expect, it } from "vitest";
import { randomBatch } from "../../src/sample/batch.ts";
import { acceptedGpuError, gradientError, lossError } from "../../src/check/error.ts";
import { random } from "../../src/sample/random.ts";
import { compileProgram } from "../../src/pipeline/pipeline.ts";
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
const isTaken = (
  own: Objective,
  emit: (own: Objective, options: { readonly from: "logits" }) => unknown,
): boolean => {
  try {
    emit(own, { from: "logits" });
    return true;
  } catch (error) {
    if (error instanceof PrefcError && error.code.startsWith("emit-")) return false;
    throw error;
  }
};
const cases = [...all, ...formulas].filter((own) => isTaken(own, emitTriton));

it("is emitted for Triton wherever it is for PyTorch, from logits", () => {
  const refused = all.filter((own) => !isTaken(own, emitTriton)).map(({ name }) => name);
  expect(refused).toEqual(all.filter((own) => !isTaken(own, emitTorch)).map(({ name }) => name));
});

/** A formula may be undefined on a batch. */
function expectedOrNone(
  make: () => ReturnType<typeof expectedByInput>,
): ReturnType<typeof make> | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof PrefcError && error.code === "undefined-value") return null;
    throw error;
  }
}

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
      await python().load(`${name} in tiles`, emitted.text);
      let judged = 0;
      for (let seed = 1; judged < 2; seed++) {
        const batch = randomBatch(
          { responses: program.responses, inputs: program.inputs, fewestExamples: 2 },
          { examples: 3, tokens: 5, vocab: [4, 9] },
          random(seed, 5),
        );
        const right = expectedOrNone(() => expectedByInput(program, batch, params));
        if (right === null) continue;
        judged++;
        const errors = async (key: string): Promise<ReadonlyMap<string, number>> => {
          const mode = { dtype: "float32" } as const;
          const run = await runTorch(python(), emitted, key, program.loss, batch, params, mode);
          const slopes = [...run.gradients].map(([input, { data }]) => {
            const expected = right.get(`gradient ${input.name}`)?.values;
            return [
              input.name,
              gradientError(data, expected ?? new Float64Array(data.length)),
            ] as const;
          });
          return new Map([["loss", lossError(run.loss, right.get("loss")!.values[0]!)], ...slopes]);
        };
        const found = await errors(name);
        if ([...found.values()].every((error) => error < acceptedGpuError())) continue;
        // what PyTorch itself loses on the same data, in single floats and without kernels
        const source = await errors(`${name} in tiles`);
        for (const [result, error] of found)
          expect(error, `${result}, seed ${seed}`).toBeLessThan(
            acceptedGpuError(source.get(result)),
          );
      }
    },
  );
});
