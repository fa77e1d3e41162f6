// Runs one action of this folder's tests in a process or thread of its own, because drivers, caches and environment belong
// to a process. This file is both sides: what tests import, and the program that the child runs.
import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { PrefcError } from "../../src/core/error.ts";

/** What a child reports: the kind of adapter it opened, or the folder it unpacked to, or the error. */
export type Report = {
  readonly kind?: string;
  readonly folder?: string;
  readonly code?: string;
  readonly message?: string;
};

type Action = readonly ["open", adapter: string] | readonly ["unpack", root: string];

const self = fileURLToPath(import.meta.url);
const command = (action: Action): string[] => ["--import", "tsx", self, ...action];

const reportIn = (output: string): Report => {
  const line = output.split("\n").find((candidate) => candidate.startsWith("{"));
  if (line === undefined) throw new Error(`the child reported nothing: ${output}`);
  return JSON.parse(line) as Report;
};

type Environment = Readonly<Record<string, string>>;

/** Runs the action in a process with these environment variables added. */
export const inChild = (action: Action, environment: Environment = {}): Report =>
  reportIn(
    execFileSync(process.execPath, command(action), {
      encoding: "utf8",
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );

/** Runs the action in several processes at once. */
export const inChildren = async (action: Action, count: number): Promise<readonly Report[]> => {
  const runs = Array.from({ length: count }, () =>
    promisify(execFile)(process.execPath, command(action), { encoding: "utf8" }),
  );
  return (await Promise.all(runs)).map(({ stdout }) => reportIn(stdout));
};

// Node's flags for loading TypeScript do not reach a thread in every version, so the thread registers the loader itself.
const loadSelf = `import("tsx/esm/api").then(({ register }) => {
  register();
  return import(workerData.program);
});`;

/** Runs the action in a worker thread. */
export const inWorker = (action: Action): Promise<Report> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(`const { workerData } = require("node:worker_threads");${loadSelf}`, {
      eval: true,
      workerData: { program: import.meta.url, action },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });

const run = async (name: string | undefined, argument: string): Promise<Report> => {
  try {
    if (name === "unpack") {
      const { unpackSwiftShader } = await import("../../src/runtime/node/bundled.ts");
      return { folder: unpackSwiftShader(argument) };
    }
    const { openDevice } = await import("../../src/runtime/device/open.ts");
    return { kind: (await openDevice({ adapter: argument })).info.kind };
  } catch (error) {
    if (error instanceof PrefcError) return { code: error.code, message: error.message };
    throw error;
  }
};

if (!isMainThread && parentPort !== null) {
  const [name, argument] = (workerData as { readonly action: Action }).action;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is not a window
  parentPort.postMessage(await run(name, argument));
} else if (process.argv[1] === self) {
  const report = await run(process.argv[2], process.argv[3] ?? "");
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
}
