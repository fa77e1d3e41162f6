// Rates of an adapter at the command line: `prefc env --measure` keeps them, `prefc explain` predicts from them or from
// rates that are given, says how to get them where there are none, and refuses wrong ones in one sentence.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { complaints, prefc } from "./prefc.ts";

const cache = mkdtempSync(join(tmpdir(), "prefc-cache-"));
const elsewhere = mkdtempSync(join(tmpdir(), "prefc-cache-"));
afterAll(() => {
  rmSync(cache, { recursive: true });
  rmSync(elsewhere, { recursive: true });
});
const env = { XDG_CACHE_HOME: cache, TMPDIR: elsewhere };

describe("rates at the command line", () => {
  it("are measured once and predicted from afterwards", async () => {
    const before = await prefc(["explain", "dpo"], { env });
    expect(before.out).toContain("no rates are known");
    const { code, out } = await prefc(["env", "--measure", "--json"], { env });
    expect(code).toBe(0);
    const { measured, device } = JSON.parse(out) as {
      measured: { read_gb_s: number; kept: string };
      device: { line: string };
    };
    expect(measured.read_gb_s).toBeGreaterThan(0);
    expect(measured.kept.startsWith(cache)).toBe(true);
    const after = await prefc(["explain", "dpo"], { env });
    expect(after.out).toContain(`measured on ${device.line}`);
    expect(after.out).toContain("predicted");
  });

  it("may be given, and are then what predictions rest on", async () => {
    const args = ["explain", "sft", "--read-gb-s", "10", "--copy-gb-s", "20", "--json"];
    const { out } = await prefc(args, { env });
    const { predicted, value } = JSON.parse(out) as {
      predicted: { source: string; value: { total: number } };
      value: { moved: number; small: number };
    };
    expect(predicted.source).toBe("given");
    expect(predicted.value.total).toBeCloseTo((value.moved + value.small) / 10 / 1e6, 9);
  });

  it.each([
    [["--read-gb-s", "10"], "explain: --copy-gb-s is missing; a prediction needs both rates."],
    [["--copy-gb-s", "10"], "explain: --read-gb-s is missing; a prediction needs both rates."],
    [["--read-gb-s", "0", "--copy-gb-s", "1"], '--read-gb-s is "0"; give a rate above 0, in GB/s.'],
    [["--read-gb-s", "1", "--copy-gb-s", "fast"], '--copy-gb-s is "fast"; give a finite number.'],
  ])("are refused where they are wrong: %j", async (args, sentence) => {
    const done = await prefc(["explain", "dpo", ...args], { env });
    expect(done.code).toBe(1);
    expect(complaints(done)).toEqual([`prefc: ${sentence}`]);
  });
});
