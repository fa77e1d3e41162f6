// Whether the machine did other work while something was measured: load, time that a hypervisor took, and processor time beside
// the time of the clock. Medians of a busy machine say little; ratios of one round still hold.

import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

/** What happened between two moments. */
export interface Busy {
  readonly cores: number;
  /** Threads that wanted to run in the last minute, at the beginning; what this process adds later is not in it. */
  readonly load_before: number;
  /** Share of the machine's time that a hypervisor gave to others; null where the system does not tell. */
  readonly stolen: number | null;
  /** Processor time of this process / time of the clock. */
  readonly processor_share: number;
}

interface Ticks {
  readonly stolen: number;
  readonly all: number;
}

/** Linux counts what is stolen in the eighth number of its first line. */
function ticks(): Ticks | null {
  try {
    const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
    const counts = line.split(/\s+/).slice(1, 9).map(Number);
    if (counts.length < 8 || counts.some((count) => !Number.isFinite(count))) return null;
    return { stolen: counts[7]!, all: counts.reduce((sum, count) => sum + count, 0) };
  } catch {
    return null;
  }
}

/** Begins to watch; the function that it returns tells what happened until then. */
export function busyness(): () => Busy {
  const [load = 0] = loadavg();
  const [before, started, own] = [ticks(), performance.now(), process.cpuUsage()];
  return () => {
    const after = ticks();
    const { user, system } = process.cpuUsage(own);
    const passed = before === null || after === null ? 0 : after.all - before.all;
    return {
      cores: availableParallelism(),
      load_before: load,
      stolen: passed === 0 ? null : (after!.stolen - before!.stolen) / passed,
      processor_share: (user + system) / 1000 / Math.max(1, performance.now() - started),
    };
  };
}

/** A load beyond this share of the cores, before anything was measured, is other work. */
const quietLoad = 0.25;
const quietStolen = 0.02;

/** One sentence about a machine that was busy; null for one that was not. */
export function warning({ cores, load_before: load, stolen }: Busy): string | null {
  const reasons = [
    ...(load > quietLoad * cores
      ? [`${load.toFixed(1)} threads wanted its ${cores} cores before the run`]
      : []),
    ...((stolen ?? 0) > quietStolen
      ? [`a hypervisor took ${(100 * stolen!).toFixed(0)} % of its time`]
      : []),
  ];
  return reasons.length === 0
    ? null
    : `The machine was busy (${reasons.join(", and ")}): trust ratios and their intervals, and measure times again on a quiet one.`;
}
