// The search for schedules, on adapters that are formulas: what is clearly fastest there is found, what is hardly faster is not
// taken, what the adapter refuses is left out, and a search that is stopped chooses nothing.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ScheduleOptions } from "../../src/schedule/schedule.ts";
import type { Device } from "../../src/runtime/device/device.ts";
import { candidateText, type Candidate } from "../../src/tune/candidates.ts";
import type { Bench, Times } from "../../src/tune/measure.ts";
import { tune, type Tuned } from "../../src/tune/tune.ts";

const device = {
  info: { software: false, subgroupMinSize: 32, subgroupMaxSize: 32, architecture: "" },
  limits: { maxComputeInvocationsPerWorkgroup: 1024 },
  features: ["subgroups"],
  cores: 1,
} as unknown as Device;
const shape = { vocab: 32_000, rows: 8, dtype: "f32" } as const;

/** Milliseconds of a candidate, or null where the adapter refuses it. */
type Cost = (candidate: Candidate) => number | null;
const benchOf = (reading: Cost, writing: Cost): Bench => ({
  measure: async (schedules) =>
    await Promise.resolve(
      schedules.map((schedule): Times | null => {
        const read = reading(schedule as Candidate);
        const write = writing((schedule as { gradient: ScheduleOptions }).gradient as Candidate);
        return read === null || write === null ? null : { reading: read, writing: write };
      }),
    ),
  destroy: () => undefined,
});
const search = async (bench: Bench, signal = new AbortController().signal): Promise<Tuned | null> =>
  await tune(device, shape, bench, { signal, at: () => undefined, day: "2026-01-31" });

/** Fastest at these options, and slower by a factor for each that differs. */
const around =
  (best: Partial<Candidate>, factor = 2): Cost =>
  (candidate) =>
    Object.entries(best).reduce(
      (time, [name, value]) =>
        candidate[name as keyof Candidate] === value ? time : time * factor,
      1,
    );

describe("the search for schedules", () => {
  const options = fc.record({
    rowLanes: fc.constantFrom(32, 64, 128, 256, 512, 1024),
    vector: fc.constantFrom(1 as const, 4 as const),
    unroll: fc.constantFrom(1, 2, 4, 8),
    split: fc.constantFrom(1, 2, 4, 8, 16, 32),
  });

  it("finds what is fastest, for reading and for gradients apart", async () => {
    await fc.assert(
      fc.asyncProperty(options, options, async (reading, writing) => {
        const found = await search(benchOf(around(reading), around(writing)));
        expect(found!.reading.candidate).toMatchObject(reading);
        expect(found!.writing.candidate).toMatchObject(writing);
        // nothing is kept where both are the default
        if (Object.keys(found!.entry.schedule).length > 0)
          expect(found!.entry.schedule).toMatchObject({ ...reading, gradient: writing });
        else expect([found!.reading.ratio, found!.writing.ratio]).toEqual([1, 1]);
      }),
    );
  });

  it("takes nothing that is faster by less than times differ by chance", async () => {
    const found = await search(
      benchOf(around({ rowLanes: 64 }, 1.04), around({ unroll: 8 }, 1.04)),
    );
    expect(found!.entry.schedule).toEqual({});
    expect(found!.tried.length).toBeGreaterThan(10);
  });

  it("leaves out what the adapter refuses", async () => {
    const refused: Cost = (candidate) =>
      candidate.rowLanes > 128 && candidate.rowLanes !== 256 ? null : 1 / candidate.rowLanes;
    const found = await search(benchOf(refused, () => 1));
    expect(found!.reading.candidate.rowLanes).toBe(256);
    const lost = found!.tried.filter(({ candidate }) => candidate.rowLanes === 1024);
    expect(lost.length).toBeGreaterThan(0);
    for (const { reading, writing } of lost) expect([reading, writing]).toEqual([null, null]);
  });

  it("does not believe a time that is not measured again", async () => {
    let measured = 0;
    const once = benchOf(
      (candidate) => (candidate.rowLanes === 64 && measured++ === 0 ? 0.1 : 1),
      () => 1,
    );
    const found = await search(once);
    expect(measured).toBeGreaterThan(1);
    expect(found!.entry.schedule).toEqual({});
  });

  it("chooses nothing when it is stopped", async () => {
    const stop = new AbortController();
    const bench = benchOf(
      () => {
        stop.abort();
        return 1;
      },
      () => 1,
    );
    expect(await search(bench, stop.signal)).toBeNull();
  });

  it("names schedules in a few words", () => {
    const own = { rowLanes: 8, vector: 4, unroll: 2, split: 3, groupRows: 1 } as Candidate;
    expect(candidateText(own)).toBe("8 lanes, 4 x 2, 3 parts");
  });
});
