// How much of a core a wait takes: processor time of the thread that waits, against the wall time of a run whose logits are on
// the device already. The threads of a software adapter compute, so theirs does not count.
import { readFileSync } from "node:fs";
import { compile, dpo, named, type Compiled, type Device } from "../../src/index.ts";
import { batchOf } from "../../src/bench/data.ts";
import { layOut } from "../../src/bench/layout.ts";
import { uploadLogits, type DeviceLogits } from "../../src/bench/logits.ts";

/** Milliseconds of processor time that the main thread has had; on systems other than Linux, that of the whole process. */
export function threadTime(): number {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(
      " ",
    );
    return Number(nanoseconds) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e3;
  }
}

/** Milliseconds of one run. */
export interface Wait {
  readonly wall: number;
  readonly thread: number;
}
export interface Waits {
  /** Runs whose duration is known from the last two: they sleep first. */
  readonly slept: readonly Wait[];
  /** First runs under a name, which nothing is known of: they ask from the start. */
  readonly polled: readonly Wait[];
}

const timed = async (compiled: Compiled, held: DeviceLogits): Promise<Wait> => {
  const { rows, vocab } = held;
  const { program } = compiled;
  const layout = layOut({
    rows,
    vocab,
    padding: 0,
    responses: program.responses,
    fewestExamples: 1,
  });
  const batch = batchOf(layout, program, held);
  const [wall, thread] = [performance.now(), threadTime()];
  await compiled.value(batch);
  return { wall: performance.now() - wall, thread: threadTime() - thread };
};

/** The loss of DPO of so many rows of 128,256 logits, so many times each way. */
export async function waitsOn(device: Device, rows: number, times: number): Promise<Waits> {
  const held = await uploadLogits(device, rows, 128_256, "f32", "uniform");
  const called = (name: string): Compiled => compile(named(name, dpo()), { device });
  const known = called("dpo");
  try {
    for (let warm = 0; warm < 3; warm++) await timed(known, held);
    const slept: Wait[] = [];
    const polled: Wait[] = [];
    for (let time = 0; time < times; time++) {
      slept.push(await timed(known, held));
      const unknown = called(`dpo ${time}`);
      polled.push(await timed(unknown, held));
      unknown.dispose();
    }
    return { slept, polled };
  } finally {
    known.dispose();
    held.destroy();
  }
}

/** Processor time per wall time, over all of them. */
export const coreShare = (waits: readonly Wait[]): number =>
  waits.reduce((sum, { thread }) => sum + thread, 0) /
  waits.reduce((sum, { wall }) => sum + wall, 0);
