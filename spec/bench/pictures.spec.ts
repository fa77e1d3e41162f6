// The report and the roofline picture of lines of every kind, and the progress bar.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schema, type Line } from "../../src/bench/line.ts";
import { progress } from "../../src/cli/progress.ts";
import { report } from "../../src/bench/report.ts";
import { logTicks, roofline } from "../../src/bench/roofline.ts";
import { escaped, widthOf } from "../../src/draw/svg.ts";

const positive = fc.double({ min: 1e-3, max: 1e4, noNaN: true });
const line: fc.Arbitrary<Line> = fc
  .record({
    objective: fc.constantFrom("dpo", "wpo", "<&>"),
    provider: fc.constantFrom("ceiling-copy", "ceiling-read", "compiled", "expert", "a & b"),
    direction: fc.constantFrom("forward" as const, "backward" as const, "full" as const),
    dtype: fc.constantFrom("f32", "bf16"),
    ms: positive,
    gb_s: positive,
    bytes: fc.integer({ min: 1, max: 2 ** 40 }),
    entries: fc.integer({ min: 0, max: 2 ** 38 }),
    ok: fc.boolean(),
    clock: fc.constantFrom("gpu" as const, "wall" as const),
    ratio: fc.option(positive),
  })
  .map(({ ms, ratio, ...given }) => ({
    ...given,
    schema,
    samples_ms: [ms, ms, ms],
    wall_samples_ms: null,
    ms_interval: null,
    ms_vs_compiled_interval: null,
    verdict_vs_compiled: null,
    wrong: null,
    layout: "stacked" as const,
    examples: 2,
    tokens: [1, 2] as const,
    rows: 4,
    vocab: 8,
    ms_median: ms,
    ms_p20: ms,
    ms_p80: ms,
    loss: ratio,
    samples: 3,
    wall_ms_median: ratio,
    wall_ms_p20: ratio,
    wall_ms_p80: ratio,
    percent_of_copy: ratio,
    percent_of_read: ratio,
    predicted_ms: ratio,
    speed_vs_expert: ratio,
    ms_vs_compiled: ratio,
    ms_vs_first: ratio,
    speed_vs_f32: ratio,
    checked_against: "interpreter",
    loss_error: null,
    gradient_error: null,
    memory_bytes: null,
    memory_percent: ratio,
    new_buffers: ratio,
    padding: 0,
    metrics: true,
    cached_reference: false,
    in_place: false,
    data: "uniform" as const,
    section: "4 rows × 8, f32",
    device: "adapter",
    driver: "driver",
    commit: "abc",
    versions: { prefc: "0" },
  }));
const many = fc.array(line, { minLength: 1, maxLength: 12 });

describe("the report", () => {
  it("has a row of as many cells for every line, ceilings once, and shouts what is wrong", () => {
    fc.assert(
      fc.property(many, (lines) => {
        const text = report(lines);
        const rows = text.split("\n").filter((row) => row.startsWith("| "));
        const cells = rows.map((row) => row.split(" | ").length);
        expect(new Set(cells).size).toBe(1);
        const isCeiling = ({ provider }: Line): boolean => provider.startsWith("ceiling-");
        const shown = lines.filter(
          (one) => !isCeiling(one) || one.objective === lines[0]!.objective,
        );
        expect(rows).toHaveLength(shown.length + 2);
        expect(text.includes("WRONG")).toBe(shown.some(({ ok }) => !ok));
      }),
    );
    expect(report([])).toBe("Nothing was measured.\n");
  });
});

describe("the roofline picture", () => {
  it("is SVG without a number that is none, with a mark for every line that the GPU timed", () => {
    fc.assert(
      fc.property(many, fc.option(positive), (lines, rate) => {
        const text = roofline(lines, rate === null ? null : rate * 1e9);
        expect(text.startsWith("<svg ") && text.endsWith("</svg>\n")).toBe(true);
        expect(text).not.toMatch(/NaN|Infinity|undefined|& |<&>/);
        const drawn = lines.filter(
          ({ provider, clock, entries }) =>
            !provider.startsWith("ceiling-") && clock === "gpu" && entries! > 0,
        );
        expect(text.match(/10⁹ entries\/s/g) ?? []).toHaveLength(drawn.length);
      }),
    );
  });

  it("cuts no text off, whatever the adapter and the providers are called, and names each objective once", () => {
    const named = fc.array(
      fc.record({
        one: line,
        device: fc.array(fc.constantFrom("llvmpipe", "(LLVM 15.0.6)", "&"), { maxLength: 60 }),
        provider: fc.constantFrom("compiled", "a-provider-with-a-long-name-beside-the-others"),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(named, (given) => {
        const lines = given.map(({ one, device, provider }) => ({
          ...one,
          provider,
          device: device.join(" "),
        }));
        const text = roofline(lines, 1e9);
        const width = Number(/width="([\d.]+)"/.exec(text)![1]);
        const height = Number(/height="([\d.]+)"/.exec(text)![1]);
        const places = [...text.matchAll(/<text x="([\d.]+)" y="([\d.]+)"([^>]*)>([^<]*)</g)];
        expect(places.length).toBeGreaterThan(1);
        for (const [, x, y, style, said] of places) {
          const own = widthOf(said!.replaceAll(/&\w+;/g, "&"), style!.includes("14") ? 14 : 12);
          const from = Number(x) - (style!.includes("middle") ? own / 2 : 0);
          if (style!.includes("end")) continue;
          expect(from + own, said).toBeLessThanOrEqual(width);
          expect(from, said).toBeGreaterThanOrEqual(0);
          expect(Number(y), said).toBeLessThanOrEqual(height);
        }
        const drawn = lines.filter(({ clock, entries }) => clock === "gpu" && entries! > 0);
        for (const name of new Set(drawn.map(({ objective }) => objective)))
          expect(
            places.filter(([, , , , said]) => said === escaped(name)),
            name,
          ).toHaveLength(1);
      }),
    );
  });

  it("ticks at 1, 2 and 5", () => {
    expect(logTicks(0.15, 11)).toEqual([0.2, 0.5, 1, 2, 5, 10]);
  });
});

describe("the progress bar", () => {
  it("is drawn for a person, within the width of the terminal, and for nobody else", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, fc.string(), fc.integer({ min: 20, max: 120 }), (done, what, columns) => {
        const written: string[] = [];
        const write = (text: string): void => void written.push(text);
        progress({ isTTY: true, columns, write }).at(done, what);
        expect(written.join("").length).toBeLessThan(columns + "\r\u001B[K".length);
        const nobody: string[] = [];
        const bar = progress({ write: (text) => void nobody.push(text) });
        bar.at(done, what);
        bar.end();
        expect(nobody).toEqual([]);
      }),
    );
  });
});
