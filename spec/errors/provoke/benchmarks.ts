// Provokes the errors of the benchmark: kernels written by hand, recorded runs, and other commits.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { against } from "../../../src/bench/against.ts";
import { cold } from "../../../src/bench/cold.ts";
import { compareFiles } from "../../../src/bench/compare.ts";
import { rejected } from "../../../src/bench/handbindings.ts";
import { refusal } from "../../../src/bench/handprovider.ts";
import { checkKernels, readKernel } from "../../../src/bench/handwritten.ts";
import { readOptions } from "../../../src/bench/options.ts";
import { builtCommit, checkoutAt } from "../../../src/bench/worktree.ts";
import type { benchmarks as rows } from "../../../src/core/errors/benchmarks.ts";
import { createPipeline } from "../../../src/runtime/shaders/shaders.ts";
import { builtIn } from "../../../src/index.ts";
import { openNull } from "./devices.ts";
import type { Provocations } from "./provocations.ts";

/** Acts on a file with this text, whose folder is left out of what is thrown. */
const withFile = async (name: string, text: string, act: (path: string) => unknown) => {
  const folder = mkdtempSync(join(tmpdir(), "prefc-errors-"));
  const path = join(folder, name);
  writeFileSync(path, text);
  try {
    return await act(path);
  } catch (error) {
    (error as Error).message = (error as Error).message.replaceAll(`${folder}/`, "");
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
};
const load = async (): Promise<Readonly<Record<string, unknown>>> => ({ kernels: [] });
const dpo = { name: "dpo", objective: builtIn("dpo"), heights: {}, params: {} };

export const benchmarks: Provocations<typeof rows> = {
  "kernel-module": () => readKernel("mine.mjs", load),
  "kernel-binding": () =>
    withFile(
      "mine.wgsl",
      "@group(0) @binding(0) var<storage, read> policy_logits: array<f32>;",
      (path) => readKernel(path, load),
    ),
  "kernel-rejected": async () =>
    await createPipeline(await openNull(), "fn main() { let x = 1u + 1.5f; }", "mine").catch(
      (error: unknown) => {
        throw rejected("the kernel mine", error);
      },
    ),
  "kernel-refuses": () => {
    throw refusal("the kernel mine", dpo, "it takes completions of one length");
  },
  "kernel-objective": () =>
    checkKernels([{ name: "mine", module: { objective: "dop", plans: () => [] } }], [dpo]),
  "bench-file": () =>
    withFile("runs.jsonl", '{ "schema": "prefc-bench-1" }', (path) =>
      compareFiles(path, path, { report: undefined }),
    ),
  "against-checkout": () => checkoutAt("/nowhere"),
  "against-commit": () => builtCommit("no-such-commit"),
  "against-objective": () => against("HEAD", ["mine.ts"], readOptions({}), () => undefined),
  "cold-failed": () => cold("dop", readOptions({ rows: "4", vocab: "8" })),
};
