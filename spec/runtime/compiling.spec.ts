// A busy machine is no error: what a driver's compiler takes is not a run's time. Where no limit is given it is waited for half
// an hour; a limit that is given holds, and its sentence says that the driver was compiling.
import { describe, expect, it, vi } from "vitest";
import { applyTimeout } from "../../src/cli/timeout.ts";
import { compilingTimeoutOf, timeoutOf } from "../../src/runtime/device/deadline.ts";
import type { Device } from "../../src/runtime/device/device.ts";
import { sleepThenAwait } from "../../src/runtime/device/wait.ts";
import { expectError } from "../support/checks.ts";

const device = {
  gpu: {},
  line: "an adapter",
  isLost: () => false,
  isDisposed: () => false,
  whenLost: () => () => undefined,
} as unknown as Device;
const defaultTimeoutMs = 120_000;
const never = (): Promise<never> => new Promise(() => undefined);

describe("a wait", () => {
  it("for a driver that may compile outlasts one for a run, where nobody says how long", async () => {
    vi.useFakeTimers();
    try {
      const running = sleepThenAwait(device, "running a plan", never).catch(String);
      const compiling = sleepThenAwait(device, "running a plan", never, {
        compiling: "compiling the shaders of a plan",
      }).catch(String);
      await vi.advanceTimersByTimeAsync(defaultTimeoutMs);
      expect(await running).toMatch(
        /The GPU did not finish running a plan within 120 s on an adapter; use smaller/,
      );
      await vi.advanceTimersByTimeAsync(1_800_000 - defaultTimeoutMs - 1);
      const soon = Promise.race([compiling, Promise.resolve("still waiting")]);
      expect(await soon).toBe("still waiting");
      await vi.advanceTimersByTimeAsync(1);
      expect(await compiling).toMatch(
        /The driver did not finish compiling the shaders of a plan within 1800 s on an adapter; a smaller batch compiles no faster/,
      );
    } finally {
      vi.useRealTimers();
    }
  });

  it("has the limit that is given in both cases", async () => {
    expect(compilingTimeoutOf(7)).toBe(7);
    expect(timeoutOf(7)).toBe(7);
    const compiling = sleepThenAwait(device, "running a plan", never, {
      compiling: "compiling the shaders of a plan",
      timeoutMs: 1,
    });
    await expect(compiling).rejects.toThrow(
      /did not finish compiling the shaders of a plan within 0\.001 s/,
    );
  });
});

describe("--timeout", () => {
  it("is a number of seconds above 0, taken off the arguments", () => {
    expectError(
      () => applyTimeout(["dpo", "--timeout", "soon"]),
      "option-value",
      /--timeout is "soon"/,
    );
    expectError(() => applyTimeout(["--timeout=0"]), "option-value", /seconds above 0/);
    expect(applyTimeout(["dpo", "--timeout", "600", "--", "--timeout"])).toEqual([
      "dpo",
      "--",
      "--timeout",
    ]);
    expect(timeoutOf(undefined)).toBe(600_000);
    expect(compilingTimeoutOf(undefined)).toBe(600_000);
  });
});
