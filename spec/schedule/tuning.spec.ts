// The table of measured schedules: what is written is read again, for its adapter and class of shapes alone; whatever else a
// file holds is told about in one sentence and ignored; and no table changes what is computed.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { storageTypes } from "../../src/core/storage.ts";
import { compile, dpo, explanationText, type Device } from "../../src/index.ts";
import { readTable, readTuning, tablePaths, writeTable } from "../../src/runtime/node/tuned.ts";
import {
  parseTable,
  shapeClass,
  tableVersion,
  tunedFor,
  withEntries,
  type Table,
  type TunedEntry,
} from "../../src/schedule/tuning.ts";

const folder = mkdtempSync(join(tmpdir(), "tuning-"));
afterAll(() => rmSync(folder, { recursive: true }));

const shapes = fc.record({
  vocab: fc.integer({ min: 1, max: 300_000 }),
  rows: fc.integer({ min: 1, max: 5000 }),
  dtype: fc.constantFrom(...storageTypes),
});
const entries: fc.Arbitrary<TunedEntry> = fc
  .tuple(shapes, fc.constantFrom(4, 8, 64, 1024), fc.constantFrom(1, 2, 7))
  .map(([shape, rowLanes, split]) => ({
    ...shapeClass(shape),
    schedule: { rowLanes, split, gradient: { vector: 1 } },
    measured: "2026-01-31",
  }));

describe("a table of schedules", () => {
  it("gives back what was measured last for a class, and only for that adapter", () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 8 }), shapes, (measured, shape) => {
        const path = join(folder, "table.json");
        let table: Table | null = null;
        for (const entry of measured) table = withEntries(table, "this adapter", [entry]);
        writeTable(withEntries(table, "another adapter", []), [path]);
        const wanted = measured.findLast(
          (entry) =>
            JSON.stringify(shapeClass(shape)) === JSON.stringify(shapeClass(sizesOf(entry))),
        );
        expect(tunedFor(readTuning("this adapter", [path]), shape)).toEqual(wanted);
        expect(tunedFor(readTuning("another adapter", [path]), shape)).toBeUndefined();
        expect(tunedFor(readTuning("a third adapter", [path]), shape)).toBeUndefined();
        expect(readdirSync(folder)).toEqual(["table.json"]);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ["{", "is no JSON"],
    ["null", "is not one of prefc's"],
    ["[]", "is not one of prefc's"],
    [`{"version": ${tableVersion}}`, "is not one of prefc's"],
    [
      `{"version": ${tableVersion + 1}, "adapters": {}}`,
      `has version ${tableVersion + 1} where ${tableVersion} is read`,
    ],
    [`{"version": ${tableVersion}, "adapters": {"a": [{}]}}`, "has entries that are not prefc's"],
    [
      JSON.stringify({
        version: tableVersion,
        adapters: {
          a: [
            {
              vocab: 8192,
              rows: 8,
              dtype: "f32",
              measured: "2026-01-31",
              schedule: { rowLanes: 3 },
            },
          ],
        },
      }),
      "has entries that are not prefc's",
    ],
    [
      JSON.stringify({
        version: tableVersion,
        adapters: {
          a: [{ vocab: 8192, rows: 8, dtype: "f32", measured: "\u001b[2J", schedule: {} }],
        },
      }),
      "has entries that are not prefc's",
    ],
  ])("that cannot be used says so in one sentence: %s", (text, what) => {
    const sentence = `The table of schedules t.json ${what}, so it is ignored; prefc tune writes a new one.`;
    expect(parseTable(text, "t.json")).toBe(sentence);
    const path = join(folder, "wrong.json");
    writeFileSync(path, text);
    const { entries: none, problem } = readTuning("a", [path]);
    expect(none).toEqual([]);
    expect(problem).toContain(what);
    rmSync(path);
  });

  it("of any text is a table or one sentence", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const parsed = parseTable(text, "t.json");
        if (typeof parsed === "string") expect(parsed).toMatch(/^The table .* writes a new one\.$/);
        else expect(parsed.version).toBe(tableVersion);
      }),
    );
  });

  it("lies where PREFC_TUNING says, else beside the caches, else nowhere", () => {
    expect(tablePaths({ PREFC_TUNING: "/some/where.json" })).toEqual(["/some/where.json"]);
    expect(tablePaths({ PREFC_TUNING: "off" })).toEqual([]);
    expect(tablePaths({ XDG_CACHE_HOME: "/cache" })[0]).toBe("/cache/prefc/tuning.json");
    expect(readTable(join(folder, "no such file"))).toBeNull();
  });

  it("that is a folder cannot be read, which is said in one sentence too", () => {
    const sentence = readTable(folder);
    expect(sentence).toMatch(
      /^The table of schedules .* cannot be read \(.*\), so it is ignored\.$/,
    );
  });

  it("decides the schedule of its class, and explanations name where it comes from", () => {
    const entry: TunedEntry = {
      ...shapeClass({ vocab: 32_000, rows: 256, dtype: "f32" }),
      schedule: { rowLanes: 32, unroll: 2, gradient: { rowLanes: 64 } },
      measured: "2026-01-31",
    };
    const device = (tuning: Device["tuning"]): Device =>
      ({
        tuning,
        cores: 4,
        line: "an adapter",
        features: [],
        limits: {},
        info: { software: false, subgroupMaxSize: 32, architecture: "" },
        whenLost: () => () => undefined,
      }) as unknown as Device;
    const tuned = compile(dpo(), {
      device: device({ entries: [entry], path: "t.json", problem: null }),
    });
    const own = tuned.explain({ vocab: 50_257, rows: 200 });
    expect(own.schedule).toMatchObject({ rowLanes: 32, unroll: 2, gradient: { rowLanes: 64 } });
    expect(own.scheduleOrigin).toBe("measured by prefc tune on 2026-01-31 for an adapter");
    expect(explanationText(own)).toContain("gradient: 64 lanes to a row");
    // a default that was the fastest is known to be so, and follows the default of a later version
    const explained = (one: Device["tuning"]["entries"]) =>
      compile(dpo(), { device: device({ entries: one, path: "t.json", problem: null }) }).explain({
        vocab: 50_257,
        rows: 200,
      });
    const [same, usual] = [explained([{ ...entry, schedule: {} }]), explained([])];
    expect(same.schedule).toEqual(usual.schedule);
    expect(same.scheduleOrigin).toBe("measured by prefc tune on 2026-01-31 for an adapter");
    // the limits of this device are lower than those under which it was measured
    const refused = explained([{ ...entry, schedule: { rowLanes: 1024 } }]);
    expect(refused.schedule.rowLanes).toBe(256);
    expect(refused.scheduleOrigin).toBe("chosen for an adapter");
    const other = tuned.explain({ vocab: 128_256, rows: 200 });
    expect(other.schedule.rowLanes).toBe(256);
    expect(other.scheduleOrigin).toBe("chosen for an adapter");
    const problem = "The table cannot be used.";
    const wrong = compile(dpo(), { device: device({ entries: [], path: "t.json", problem }) });
    expect(explanationText(wrong.explain())).toContain(problem);
  });
});

/** A shape of the class of an entry. */
function sizesOf({ vocab, rows, dtype }: TunedEntry): Parameters<typeof shapeClass>[0] {
  return { vocab: vocab ?? 1e6, rows: rows ?? 1e6, dtype };
}
