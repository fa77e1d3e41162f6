// Ends the process when a module keeps it busy for too long. A loop that never returns leaves its own thread no turn to
// notice the time, so another thread waits; all that it can do about the first is to end the process by a signal.

import { Worker } from "node:worker_threads";

const waiting = `
  const { writeSync } = require("node:fs");
  const { workerData } = require("node:worker_threads");
  setTimeout(() => {
    writeSync(2, workerData.line + "\\n");
    process.kill(process.pid, "SIGKILL");
  }, workerData.milliseconds);
`;

/** Prints a line and ends the process after some seconds, unless what it returns is called before. */
export function endAfter(seconds: number, line: string): () => void {
  const worker = new Worker(waiting, {
    eval: true,
    execArgv: [],
    workerData: { line, milliseconds: seconds * 1000 },
  });
  worker.unref();
  return () => void worker.terminate();
}
