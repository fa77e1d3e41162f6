// Recorded results of published code through emitted kernels in float32, held as the GPU's kernels are. What stands beside the
// vocabulary is PyTorch's arithmetic in single floats, which one recorded metric does not survive, with kernels or without.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Engine } from "../../src/conform/engine.ts";
import { conformFile } from "../../src/conform/file.ts";
import { readGolden } from "../../src/conform/golden.ts";
import { recordedGradient } from "../../src/conform/reference.ts";
import { runTorch } from "../../src/conform/torch.ts";
import type { Node } from "../../src/core/node.ts";
import type { Python } from "../../src/python/worker.ts";
import type { Emitted } from "../../src/torch/emit.ts";
import { emitTriton } from "../../src/triton/emit.ts";
import { folder } from "../conform/support.ts";
import { describeTriton, loadFused } from "./python.ts";

/** e^x − x − 1 of an x of 1e-4, in single floats. */
const beyondFloats = "trl116_grpo_grpo_seq_kl__peaked_s20222_b2t9v23.json";

/** Kernels by the terms of their objective, since files differ in parameters. */
function engineOf(python: Python, isFused: boolean): Engine {
  const known = new Map<string, Emitted>();
  return {
    name: "gpu",
    run: async ({ objective, params, state }, batch) => {
      const terms: readonly Node[] = [objective.loss, ...Object.values(objective.metrics)];
      const key = terms.map(({ id }) => id).join();
      if (!known.has(key)) {
        known.set(key, emitTriton(objective, { from: "logits" }));
        if (isFused) await loadFused(python, key, known.get(key)!);
        else await python.load(key, known.get(key)!.text);
      }
      const given = { ...params, ...state };
      const mode = { dtype: "float32" } as const;
      const run = await runTorch(python, known.get(key)!, key, objective.loss, batch, given, mode);
      const inputs = [...run.gradients.keys()];
      const slopes = inputs.map((own) => run.gradients.get(own)!);
      return {
        loss: run.loss,
        gradient: recordedGradient(inputs, slopes, batch),
        perExample: undefined,
        quantities: {},
        metrics: {},
        averages: run.metrics,
      };
    },
    close: () => undefined,
  };
}

describeTriton("recorded files through kernels of Triton", (python) => {
  it("agree as the GPU does", { timeout: 900_000 }, async () => {
    const engine = engineOf(python(), true);
    const found: string[] = [];
    let judged = 0;
    for (const file of readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .toSorted()) {
      const { verdict, failures } = await conformFile(readGolden(join(folder, file)), [engine]);
      found.push(...failures.map((failure) => `${file}: ${failure}`));
      if (verdict === "ok") judged++;
    }
    // what no function of rows can be is refused
    const wrong = found.filter((one) => !one.startsWith(beyondFloats) && !one.includes(" emit: "));
    expect(wrong).toEqual([]);
    const tiles = engineOf(python(), false);
    const { verdict } = await conformFile(readGolden(join(folder, beyondFloats)), [tiles]);
    expect(verdict).toBe("FAIL");
    expect(judged).toBeGreaterThan(50);
  });
});
