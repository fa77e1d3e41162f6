// A fault at every call that the runtime makes to WebGPU: a lost device costs nothing, since the run is repeated on the next
// one with the same bits; any other fault costs one step, in one sentence; nothing hangs, leaks or escapes unhandled.
// Every call is gone through on the backend that computes nothing, which takes little time; numbers are compared in
// spec/gpu/faults.spec.ts, and at every call in `npm run soak`.
import { afterAll, describe, expect, it } from "vitest";
import { applies, injector, type Fault } from "./injector.ts";
import { failures, losses, smallest } from "./kinds.ts";
import { faultsIn, live, type Given } from "./scenario.ts";

const unhandled: unknown[] = [];
const note = (reason: unknown): unknown => unhandled.push(reason);
process.on("unhandledRejection", note);
afterAll(async () => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

describe("the injector", () => {
  it("counts calls, sees what is left, and does nothing else", async () => {
    const given = smallest("in turn", "null");
    const right = await live(given, null);
    expect(right.calls.length).toBeGreaterThan(100);
    for (const kind of ["GPUDevice.createBuffer", "GPUQueue.submit", "GPUBuffer.mapAsync"])
      expect(right.calls).toContain(kind);
    expect(faultsIn(right, right, null)).toEqual([]);
    const { probe, live: left } = injector("null", null);
    const device = await (await probe("bundled"))!.requestDevice();
    const buffer = device.createBuffer({ size: 16, usage: 8 });
    expect(left.size).toBe(1);
    buffer.destroy();
    expect(left.size).toBe(0);
    device.destroy();
  });

  it("would notice a wrong number, a lost step and a buffer that is left", async () => {
    const lived = await live(smallest("in turn", "null"), null);
    const right = { ...lived, steps: [{ bits: "1" }, { bits: "2" }] };
    const wrong = { ...right, steps: right.steps.toReversed(), left: 1 };
    expect(faultsIn(wrong, right, null)).toEqual([
      "step 0 gave another result",
      "step 1 gave another result",
      "1 buffers left",
    ]);
    const failed = { ...right, steps: [{ error: new Error("x") }, { error: new Error("y") }] };
    expect(faultsIn(failed, right, null)).toContain("2 steps failed");
  });
});

/** Lives through a fault at every call where it can happen, and says what is wrong. */
const everyCall = async (
  given: Given,
  faultAt: (call: number) => Fault,
): Promise<readonly string[]> => {
  const right = await live(given, null);
  const wrong: string[] = [];
  for (const [at, name] of right.calls.entries()) {
    const fault = faultAt(at);
    if (!applies(fault, name)) continue;
    const life = await live(given, { at, fault });
    const failed = life.steps.some((step) => "error" in step);
    const found = [...faultsIn(life, right, { at, fault })];
    if (failed && losses.includes(fault)) found.push("a step was lost");
    wrong.push(...found.map((one) => `${fault} at ${at}, ${name}: ${one}`));
  }
  return wrong;
};

describe("at every call", () => {
  it.each(["in turn", "in flight"] as const)("a device may be lost: runs %s", async (order) => {
    const given = smallest(order, "null");
    // after one call is before the next, so every place is met
    expect(await everyCall(given, (at) => (at % 2 === 0 ? "lost before" : "lost after"))).toEqual(
      [],
    );
    expect(await everyCall(given, () => "reset")).toEqual([]);
  });

  it.each(failures)("a fault costs one step, in one sentence: %s", async (fault) => {
    expect(await everyCall(smallest("in turn", "null"), () => fault)).toEqual([]);
  });

  it("a fault costs at most the two runs that are in flight", async () => {
    const given = smallest("in flight", "null");
    expect(await everyCall(given, (at) => failures[at % failures.length]!)).toEqual([]);
  });

  it("ends in one sentence when the next device is lost too", async () => {
    const given = smallest("in turn", "null");
    const right = await live(given, null);
    const at = right.calls.indexOf("GPUQueue.submit");
    const life = await live(given, { at, fault: "reset", every: true });
    expect(life.steps.map((step) => ("error" in step ? step.error : step))).toMatchObject([
      { code: "device-lost", message: expect.stringContaining("the driver was reset") },
      { code: "device-lost" },
    ]);
    expect(life.left).toBe(0);
  });

  it("ends in a sentence when a promise never settles", async () => {
    const given = { ...smallest("in turn", "null"), timeoutMs: 400 };
    const right = await live(smallest("in turn", "null"), null);
    const waits = [...right.calls.keys()].filter((at) => applies("hangs", right.calls[at]!));
    const names = new Set<string>();
    for (const at of waits) {
      if (names.has(right.calls[at]!)) continue;
      names.add(right.calls[at]!);
      const life = await live(given, { at, fault: "hangs" });
      const codes = life.steps.flatMap((step) =>
        "error" in step ? [(step.error as { readonly code: string }).code] : [],
      );
      // on a busy machine another wait may take so long as well
      expect(codes.length, right.calls[at]).toBeGreaterThan(0);
      expect(new Set(codes), right.calls[at]).toEqual(new Set(["gpu-timeout"]));
      expect(life.left).toBe(0);
    }
    expect([...names].toSorted()).toEqual([
      "GPUAdapter.requestDevice",
      "GPUBuffer.mapAsync",
      "GPUDevice.createComputePipelineAsync",
      "GPUDevice.popErrorScope",
      "GPUShaderModule.getCompilationInfo",
    ]);
  });
});
