// A slice of `npm run soak`: its parts do what they say, and notice what they are there for. Growth itself shows only in the
// long run, with a process to itself.
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { coldStarts, faultyLives, flat } from "../../scripts/soak/parts.ts";
import { compileCycle, deviceCycle, remembering } from "../../scripts/soak/cycles.ts";
import { growthOf, sample, samplesAt } from "../../scripts/soak/memory.ts";
import { readOptions, usage } from "../../scripts/soak/options.ts";
import { coreShare, threadTime, waitsOn } from "../../scripts/soak/waits.ts";
import { type Device } from "../../src/index.ts";
import { adapterName } from "../faults/kinds.ts";
import { withDevice } from "../support/device.ts";

const ignore = (): void => undefined;
let device: Device;
withDevice((opened) => {
  device = opened;
});

describe("cycles", () => {
  it("of compiling, running and disposing give the same bits and leave nothing", async () => {
    const check = remembering();
    for (let number = 0; number < 30; number++) await compileCycle(device, number, check);
  });

  it("of devices, every second one lost, give the same bits", async () => {
    const check = remembering();
    for (let number = 0; number < 4; number++) await deviceCycle(adapterName, number, check);
  });

  it("would notice another result, and growth", async () => {
    const check = remembering();
    check("sum", "1");
    check("product", "2");
    expect(() => check("sum", "2")).toThrow("sum gave another result than the first time.");
    const kept: number[][] = [];
    const leak = async (): Promise<void> => {
      kept.push(Array.from({ length: 400_000 }, Math.random));
    };
    const grown = await flat("leak", 10, 0.1, leak, ignore);
    expect(grown).toMatchObject({ breach: true, line: expect.stringContaining("leak: 10 cycles") });
    expect(kept).toHaveLength(10);
  });
});

describe("growth", () => {
  it("is that of the last tenth over the second tenth, whatever one sample says", () => {
    const flatEnd = [
      ...Array.from({ length: 10 }, (_, n) => n),
      ...Array.from({ length: 40 }, () => 8),
    ];
    expect(growthOf(flatEnd)).toMatchObject({ before: 7, after: 8 });
    expect(growthOf(Array.from({ length: 50 }, (_, n) => (n === 48 ? 1e9 : 4)))).toEqual({
      before: 4,
      after: 4,
      growth: 0,
    });
    expect(growthOf([1, 10, 10, 10, 11])).toMatchObject({ before: 1, after: 11, growth: 10 });
    expect(() => growthOf([1, 2, 3, 4])).toThrow("4 samples say nothing");
  });

  it("is sampled fifty times, at the last cycle too, or after each of a few", () => {
    for (const cycles of [5, 49, 50, 51, 100, 1000, 1001]) {
      const at = samplesAt(cycles);
      expect(at.size).toBe(Math.min(50, cycles));
      expect(at.has(cycles - 1)).toBe(true);
    }
  });

  it("is read from what is left after a collection", async () => {
    const before = await sample();
    Array.from({ length: 2_000_000 }, Math.random);
    const after = await sample();
    // an array of two million numbers takes 16 MB
    expect(after.heap - before.heap).toBeLessThan(8e6);
  });
});

describe("the other parts", () => {
  it("live through faults, and say with which seed", async () => {
    const { line, breach } = await faultyLives(adapterName, 2, 5, ignore);
    expect(line).toBe("faults: 2 lives, 0 wrong (seed 5)");
    expect(breach).toBe(false);
  });

  it("start the command line, and notice an exit status and a signal", async () => {
    const prefc = [
      "--import",
      "tsx",
      fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url)),
    ];
    expect(await coldStarts(adapterName, 2, ignore, prefc)).toEqual({
      line: "cold starts: 2, 0 ended badly",
      breach: false,
    });
    const failing = await coldStarts("none", 1, ignore, prefc);
    expect(failing.breach).toBe(true);
    expect(failing.line).toMatch(/start 0, prefc env, ended with exit status 1: /);
    const killed = await coldStarts("auto", 1, ignore, ["--eval", "process.kill(process.pid)"]);
    expect(killed.line).toMatch(/ended by SIGTERM/);
  });

  it("measure the processor time of the thread that waits", async () => {
    const start = threadTime();
    const until = performance.now() + 30;
    while (performance.now() < until) Math.random();
    expect(threadTime()).toBeGreaterThan(start);
    const { slept, polled } = await waitsOn(device, 2, 1);
    for (const waits of [slept, polled]) {
      expect(waits).toHaveLength(1);
      expect(coreShare(waits)).toBeGreaterThan(0);
    }
    expect(
      coreShare([
        { wall: 10, thread: 1 },
        { wall: 30, thread: 1 },
      ]),
    ).toBe(0.05);
  });
});

describe("the options", () => {
  it("have a count for each part", () => {
    const given = ["--cycles", "7", "--devices", "0", "--growth", "20", "--adapter", "lavapipe"];
    expect(readOptions(given)).toMatchObject({
      adapter: "lavapipe",
      cycles: 7,
      devices: 0,
      starts: 100,
      growth: 0.2,
    });
    expect(readOptions(["--help"])).toBe(null);
    for (const name of ["cycles", "devices", "starts", "faults", "waits", "adapter"])
      expect(usage()).toContain(`--${name}`);
  });

  it.each([
    [["--cycles", "many"], '--cycles: "many" is not a whole number'],
    [["--devices", "3"], "--devices: growth shows in 5 cycles or more"],
    [["--cycle", "3"], "Unknown option '--cycle'"],
  ])("refuse %j", (args, sentence) => {
    expect(() => readOptions(args)).toThrow(sentence);
  });
});
