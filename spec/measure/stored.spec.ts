// Measured rates in the user's cache folder: what was kept is found again, the latest first, whatever else lies there; and
// a folder that cannot be written is passed over.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { storedRates, storeRates, type StoredRates } from "../../src/measure/stored.ts";

const root = mkdtempSync(join(tmpdir(), "prefc-rates-"));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;
const fresh = (): string => join(root, `folder${made++}`);

const rates = fc.record({
  read_gb_s: fc.double({ min: 1e-3, max: 1e5, noNaN: true }),
  copy_gb_s: fc.double({ min: 1e-3, max: 1e5, noNaN: true }),
  bytes: fc.integer({ min: 1, max: 2 ** 40 }),
  clock: fc.constantFrom("gpu" as const, "wall" as const),
  measured: fc
    .date({ min: new Date("2000-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
    .map((date) => date.toISOString()),
});
const adapters = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 });

describe("stored rates", () => {
  it("gives back what was kept last for an adapter, and without one what was measured last", () => {
    const kept = adapters.chain((names) =>
      fc.array(fc.tuple(fc.constantFrom(...names), rates), { minLength: 1, maxLength: 6 }),
    );
    fc.assert(
      fc.property(kept, (entries) => {
        const folder = fresh();
        const last = new Map<string, StoredRates>();
        for (const [adapter, one] of entries) {
          expect(storeRates(adapter, one, [folder])).toBe(join(folder, "ceilings.json"));
          last.set(adapter, one);
        }
        for (const [adapter, one] of last)
          expect(storedRates(adapter, [folder])).toEqual({ adapter, ...one });
        const newest = [...last.values()].map(({ measured }) => measured).toSorted();
        expect(storedRates(null, [folder])?.measured).toBe(newest.at(-1));
        expect(storedRates("another adapter", [folder])).toBeNull();
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    "",
    "not JSON",
    "null",
    "[1]",
    '{"a": null}',
    '{"a": {"read_gb_s": 1}}',
    '{"a": {"read_gb_s": -1, "copy_gb_s": 1, "measured": "2026"}}',
    '{"a": {"read_gb_s": 1e999, "copy_gb_s": 1, "measured": "2026"}}',
  ])("counts a file that holds %j as empty, and replaces it", (text) => {
    const folder = fresh();
    mkdirSync(folder);
    writeFileSync(join(folder, "ceilings.json"), text);
    expect(storedRates("a", [folder])).toBeNull();
    const one: StoredRates = {
      read_gb_s: 1,
      copy_gb_s: 2,
      bytes: 3,
      clock: "gpu",
      measured: "2026-01-01T00:00:00.000Z",
    };
    storeRates("a", one, [folder]);
    expect(storedRates("a", [folder])).toEqual({ adapter: "a", ...one });
  });

  it("goes to the next folder when one cannot be written, and says when none can", () => {
    const file = fresh();
    writeFileSync(file, "");
    const folder = fresh();
    const [one] = fc.sample(rates, 1);
    expect(storeRates("a", one!, [join(file, "below"), folder])).toBe(
      join(folder, "ceilings.json"),
    );
    expect(storeRates("a", one!, [join(file, "below")])).toBeNull();
    expect(storedRates("a", [join(file, "below")])).toBeNull();
  });
});
