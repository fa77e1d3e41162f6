// What the specs of emitted kernels share: a process of Python in which Triton interprets its kernels on the processor, files
// whose kernels always run, and a line that says what is skipped where there is no Triton.
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe } from "vitest";
import type { Emitted } from "../../src/torch/emit.ts";
import { interpreter, openPython, type Python } from "../../src/python/worker.ts";

const isMissing =
  spawnSync(interpreter(), ["-c", "import torch, numpy, triton"], { stdio: "ignore" }).status !== 0;
/** On a GPU kernels run as they are compiled, and without one Triton interprets them. */
export const isInterpreted: boolean = (process.env["PREFC_TORCH_DEVICE"] ?? "cpu") === "cpu";
const how = `as ${interpreter()} has no torch with Triton; set PREFC_PYTHON to one that has`;

/** A suite that runs kernels, on the device PREFC_TORCH_DEVICE or in Triton's interpreter; `settings` are those of the process. */
export function describeTriton(
  name: string,
  suite: (python: () => Python) => void,
  settings: Readonly<Record<string, string>> = isInterpreted ? { TRITON_INTERPRET: "1" } : {},
): void {
  describe.skipIf(isMissing)(isMissing ? `${name} (skipped, ${how})` : name, () => {
    let own: Python | undefined;
    beforeAll(async () => {
      Object.assign(process.env, settings);
      own = await openPython();
    });
    afterAll(() => own?.close());
    suite(() => own!);
  });
}
if (isMissing) console.info(`specs in Triton are skipped, ${how}`);

/** Loads a file whose function runs its kernels, in blocks so small that rows have several. */
export async function loadFused(
  python: Python,
  key: string,
  { text, name }: Emitted,
): Promise<void> {
  await python.load(key, text);
  await python.script(`
import functools
m = modules[${JSON.stringify(key)}]
m.BLOCK = 4
m.${name} = functools.partial(m.${name}, fused=True)
`);
}
