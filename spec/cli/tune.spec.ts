// `prefc tune` as a user runs it: it prints what it tried and chose, keeps it where later runs find it, replaces a table that
// cannot be read, keeps nothing in a dry run, and forgets what it is told to.
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { emptyTable, type Table } from "../../src/schedule/tuning.ts";
import { usingDevice } from "../support/device.ts";
import { complaints, folder, prefc } from "./prefc.ts";

const place = folder({});
afterAll(() => place.remove());
const path = place.path("tuning.json");
const env = { PREFC_TUNING: path };
const small = ["--vocab", "64", "--rows", "2"];
const stored = (): Table => JSON.parse(readFileSync(path, "utf8")) as Table;

describe("prefc tune", () => {
  it("measures, prints and keeps; explanations and the environment say so; --reset forgets", async () => {
    writeFileSync(path, "{ half a ta");
    const { code, out, error } = await prefc(["tune", ...small], { env });
    expect(code).toBe(0);
    expect(error).toContain(`The table of schedules ${path} is no JSON, so it is ignored`);
    for (const text of [
      "2 rows of 64 f32: time over the default's",
      "chosen for reading",
      "chosen for gradients",
      `kept in ${path}`,
    ])
      expect(out).toContain(text);
    const line = await usingDevice(async (device) => device.line);
    expect(Object.keys(stored().adapters)).toEqual([line]);
    expect(stored().adapters[line]).toMatchObject([{ vocab: 8192, rows: 8, dtype: "f32" }]);

    const adapter = ["--adapter", process.env["PREFC_ADAPTER"] ?? "auto"];
    const sizes = ["--vocab", "100", "--rows", "4"];
    const explained = await prefc(["explain", "dpo", ...sizes, ...adapter], { env });
    expect(explained.out.replaceAll(/\s+/g, " ")).toContain("measured by prefc tune on ");
    const { out: environment } = await prefc(["env"], { env });
    expect(environment).toContain(`1 class of shapes measured, in ${path}`);

    const forgotten = await prefc(["tune", "--reset"], { env });
    expect(forgotten.out).toContain(`forgot 1 class of shapes in ${path}`);
    expect(stored()).toEqual(emptyTable);
  });

  it("keeps nothing in a dry run, and prints one JSON object for each class", async () => {
    const before = readFileSync(path, "utf8");
    const done = await prefc(["tune", ...small, "--dry-run", "--json"], { env });
    expect(done.code).toBe(0);
    const tuned = JSON.parse(done.out) as { tried: unknown[]; entry: { measured: string } };
    expect(tuned.tried.length).toBeGreaterThan(10);
    expect(tuned.entry.measured).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(done.error).toContain("nothing is kept");
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  it.each([
    [["--rows", "1"], '--rows is "1"; give a whole number of at least 2.'],
    [["--vocab", "64,x"], '--vocab is "x"; give a whole number of at least 2.'],
    [["--dtype", "f8"], '--dtype is "f8"; choose f32 or f16 or bf16.'],
    [["--vocab", "128256", "--rows", "2000000"], "give fewer --rows."],
    [["--table", "/dev/null/table.json", ...small], "; give a path with --table or PREFC_TUNING."],
  ])("refuses in one sentence: %j", async (args, sentence) => {
    const done = await prefc(["tune", ...args], { env });
    expect(done.code).toBe(1);
    const [first, ...more] = complaints(done);
    expect(first).toContain(sentence);
    expect(more).toEqual([]);
  });
});
