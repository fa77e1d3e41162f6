// Runs one module of the documentation in a process of its own. A module that exports an objective is put through what
// `prefc check` does: compiled, and its value and gradient compared between interpreter, differences and GPU.
import { checkObjective } from "../../src/check/check.ts";
import { isObjective, openDevice } from "../../src/index.ts";

const batches = 4;

const { default: exported } = (await import(process.argv[2]!)) as { readonly default?: unknown };
const failures: string[] = [];
if (isObjective(exported)) {
  const device = await openDevice();
  const options = { batches, seed: 1, device, params: {}, heights: {} };
  for await (const report of checkObjective(exported, options)) failures.push(...report.failures);
  failures.push(...device.takeErrors());
  device.dispose();
  console.log(`${exported.name}: ${batches} batches`);
}
process.stderr.write(failures.map((failure) => `${failure}\n`).join(""), () =>
  process.exit(failures.length === 0 ? 0 : 1),
);
