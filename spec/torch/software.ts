// What the specs of emitted trainers share: whether the software that they are emitted for is there, a folder of emitted files, and
// a run of one of the programs in spec/torch/trainers, on one process or on two.
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll } from "vitest";
import { interpreter } from "../../src/python/worker.ts";

export const has = (modules: string): boolean =>
  spawnSync(interpreter(), ["-c", `import ${modules}`], { stdio: "ignore" }).status === 0;

export const minutes = 60_000;
const here = fileURLToPath(new URL("trainers/", import.meta.url));
const run = promisify(execFile);

export type FoundJson = Readonly<Record<string, unknown>>;
export interface Software {
  readonly write: (name: string, emitted: { readonly text: string }) => void;
  /** What a program found; `checks` are those that it makes. */
  readonly run: (
    program: string,
    checks: readonly string[],
    processes?: 1 | 2,
  ) => Promise<FoundJson>;
}

/** A folder of emitted files, which goes when the specs of the file are done. */
export function software(): Software {
  const folder = mkdtempSync(join(tmpdir(), "prefc-trainers-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  return {
    write: (name, { text }) => writeFileSync(join(folder, `${name}.py`), text),
    run: async (program, checks, processes = 1) => {
      const launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"];
      const args = [...(processes === 2 ? launch : []), program, folder, ...checks];
      const env = { ...process.env, OMP_NUM_THREADS: "1" };
      const { stdout } = await run(interpreter(), args, { cwd: here, env, maxBuffer: 2 ** 26 });
      return JSON.parse(/FOUND (.*)/.exec(stdout)![1]!) as FoundJson;
    },
  };
}

/** An emitted trainer beside TRL's own: largest differences, and metrics that it does not log. */
export interface Versus {
  readonly parameters: number;
  readonly metrics: number;
  readonly missing: readonly string[];
}
