// Two recorded runs beside each other: what is compared, what is refused, and what the table and the picture say.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compareFiles, compareLines, readLines } from "../../src/bench/compare.ts";
import { table } from "../../src/bench/csv.ts";
import { schema, type Line } from "../../src/bench/line.ts";
import { ratioPicture } from "../../src/bench/ratios.ts";
import { busyness, warning } from "../../src/bench/busy.ts";

const place = mkdtempSync(join(tmpdir(), "prefc-compare-"));
afterAll(() => rmSync(place, { recursive: true }));

/** What comparing needs of a line. */
const line = (changed: Partial<Line>, factor: number = 1): Line =>
  ({
    schema,
    objective: "dpo",
    provider: "compiled",
    direction: "full",
    section: "64 rows × 256, f32",
    layout: "stacked",
    clock: "gpu",
    ms_median: factor,
    samples_ms: Array.from({ length: 15 }, (_, round) => factor * (1 + round / 1000)),
    device: "an adapter",
    commit: "abc",
    versions: { prefc: "0" },
    ...changed,
  }) as Line;
const fileOf = (name: string, lines: readonly (object | string)[]): string => {
  const path = join(place, name);
  const texts = lines.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  writeFileSync(path, `${texts.join("\n")}\n`);
  return path;
};

describe("prefc bench --compare", () => {
  it("compares what both runs measured, and nothing else", () => {
    const before = [line({}), line({ direction: "forward" }), line({ objective: "sft" })];
    const after = [line({}, 1.5), line({ direction: "forward" }, 0.5), line({ clock: "wall" })];
    const found = compareLines(before, after);
    expect(found.map(({ name, verdict }) => [name, verdict])).toEqual([
      ["dpo, compiled, full", "slower"],
      ["dpo, compiled, forward", "faster"],
    ]);
    expect(found[0]!.ratio.value).toBeCloseTo(1.5, 9);
  });

  it("prints a table, draws a picture whose names fit, and tells adapters apart", () => {
    const name = `an objective with a name that is far too long for a picture ${"x".repeat(60)} <&>`;
    const before = fileOf("before.jsonl", [line({ objective: name }), { outcome: "of a peer" }]);
    const after = fileOf("after.jsonl", [line({ objective: name, device: "another" }, 2)]);
    const [report, picture] = [join(place, "report.md"), join(place, "picture.svg")];
    const text = compareFiles(before, after, { report, picture });
    expect(text).toContain("| 2.000 |");
    expect(text).toContain("The adapters differ: ratios compare an adapter with another.");
    expect(readFileSync(report, "utf8")).toBe(`${text}\n`);
    const svg = readFileSync(picture, "utf8");
    expect(svg).toContain("…</text>");
    expect(svg).not.toContain("<&>");
    expect(ratioPicture([], "nothing")).toContain("</svg>");
  });

  it.each([
    ["nowhere.jsonl", [], /^"?.*nowhere\.jsonl"? cannot be read \(ENOENT\); give a file that/],
    ["empty.jsonl", [""], /empty\.jsonl"? holds no line; give/],
    ["words.jsonl", ["not json"], /words\.jsonl"? holds no JSON in line 1; give/],
    ["old.jsonl", [{ schema: "prefc-bench-1" }], /has in line 1 the form prefc-bench-1, where /],
    ["other.jsonl", [line({}), { a: 1 }], /in line 2 the form of another version or program/],
    [
      "samples.jsonl",
      [line({ samples_ms: ["1"] as unknown as number[] })],
      /in line 1 the form prefc-bench-2/,
    ],
  ])("refuses %s in one sentence", (name, lines, message) => {
    const path = lines.length === 0 ? join(place, name) : fileOf(name, lines);
    expect(() => readLines(path)).toThrow(message);
  });

  it("refuses runs that have nothing in common", () => {
    const one = fileOf("one.jsonl", [line({})]);
    const other = fileOf("two.jsonl", [line({ objective: "sft" })]);
    expect(() => compareFiles(one, other, { report: undefined })).toThrow(
      /have nothing in common; measure the same objectives/,
    );
  });
});

describe("the table for spreadsheets", () => {
  it("quotes what needs it, and leaves lists to JSON", () => {
    const text = table([line({ objective: 'a "b", c' }), line({ wrong: null })]);
    const [head, first, second] = text.split("\r\n");
    expect(head!.split(",")).not.toContain("samples_ms");
    expect(first).toContain('"a ""b"", c"');
    expect(second).toContain("dpo");
    expect(table([])).toBe("\r\n");
  });
});

describe("a busy machine", () => {
  const quiet = { cores: 2, load_before: 0.1, stolen: 0, processor_share: 0.5 };
  it("is told by its load before the run and by stolen time, and by nothing else", () => {
    expect(warning(quiet)).toBeNull();
    expect(warning({ ...quiet, stolen: null })).toBeNull();
    expect(warning({ ...quiet, load_before: 3 })).toMatch(/3\.0 threads wanted its 2 cores/);
    expect(warning({ ...quiet, stolen: 0.2 })).toMatch(/took 20 % of its time/);
  });
  it("is watched from one moment to another", () => {
    const { cores, processor_share: share } = busyness()();
    expect(cores).toBeGreaterThanOrEqual(1);
    expect(share).toBeGreaterThanOrEqual(0);
  });
});
