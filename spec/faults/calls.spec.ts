// A fault at every call that the runtime makes to WebGPU: a lost device costs nothing, since the run is repeated on the next
// one with the same bits; any other fault costs one step, in one sentence; nothing hangs, leaks or escapes unhandled.
// They are gone through on the backend that computes nothing, which takes little time: a loss at every call, the other faults
// at a few calls of each name. Numbers are compared in spec/gpu/faults.spec.ts.
import { afterAll, describe, expect, it } from "vitest";
import { applies, injector, settlesLater, type Fault } from "./injector.ts";
import { failures, losses, smallest } from "./kinds.ts";
import { faultsIn, live, type Given } from "./scenario.ts";

/** Of each name that many calls, from the first to the last. */
const few = 4;

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

/** Lives through a fault at calls that are chosen among those where it can happen, and says what is wrong. */
const everyCall = async (
  given: Given,
  fault: Fault,
  chosen: (name: string, nth: number, of: number) => boolean,
): Promise<readonly string[]> => {
  const right = await live(given, null);
  const wrong: string[] = [];
  const met = new Map<string, number>();
  for (const [at, name] of right.calls.entries()) {
    const nth = met.get(name) ?? 0;
    met.set(name, nth + 1);
    const of = right.calls.filter((other) => other === name).length;
    if (!applies(fault, name) || !chosen(name, nth, of)) continue;
    const life = await live(given, { at, fault });
    const failed = life.steps.some((step) => "error" in step);
    const found = [...faultsIn(life, right, { at, fault })];
    if (failed && losses.includes(fault)) found.push("a step was lost");
    wrong.push(...found.map((one) => `${fault} at ${at}, ${name}: ${one}`));
  }
  return wrong;
};

/** The first, the last, and what lies evenly between. */
const aFew = (_name: string, nth: number, of: number): boolean =>
  of <= few ||
  Array.from({ length: few }, (_, i) => Math.round((i * (of - 1)) / (few - 1))).includes(nth);

describe("at every call", () => {
  it.each(["in turn", "in flight"] as const)("a device may be lost: runs %s", async (order) => {
    const given = smallest(order, "null");
    expect(await everyCall(given, "lost before", () => true)).toEqual([]);
    // after a call is before the next, unless something is awaited or nothing follows
    const last = (name: string, nth: number, of: number): boolean =>
      settlesLater(name) || nth === of - 1;
    expect(await everyCall(given, "lost after", last)).toEqual([]);
    expect(await everyCall(given, "reset", aFew)).toEqual([]);
  });

  it.each(failures)("a fault costs one step, in one sentence: %s", async (fault) => {
    // memory may run out at any buffer
    const chosen = fault === "null" || fault === "out of memory" ? (): boolean => true : aFew;
    expect(await everyCall(smallest("in turn", "null"), fault, chosen)).toEqual([]);
  });

  it.each(failures)("or both runs in flight: %s", async (fault) => {
    const firstAndLast = (_name: string, nth: number, of: number): boolean =>
      nth === 0 || nth === of - 1;
    expect(await everyCall(smallest("in flight", "null"), fault, firstAndLast)).toEqual([]);
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
