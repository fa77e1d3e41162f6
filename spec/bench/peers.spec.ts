// Peers of the benchmark, with a fake one: a wrong loss or gradient is told as wrong, and a peer that is not there, crashes, is
// killed or falls silent becomes a line that says so, while the others are measured.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distance, gradientTolerance, lossTolerance } from "../../bench/agreement.ts";
import { packagesInstalled, peersFolder, writeBatch } from "../../bench/peerinputs.ts";
import type { PeerLine } from "../../bench/peerlines.ts";
import { peerReport } from "../../bench/peerreport.ts";
import type { PeerContext } from "../../bench/peerrounds.ts";
import { peerLines } from "../../bench/peers.ts";

const program = [
  process.execPath,
  fileURLToPath(new URL("fake-peer.mjs", import.meta.url)),
] as const;
const losses: Readonly<Record<string, number>> = { dpo: 0.5, wpo: 0.25 };

async function linesOf(
  names: readonly string[],
  changed: Partial<PeerContext> = {},
): Promise<readonly PeerLine[]> {
  const context: PeerContext = {
    batch: {
      rows: 32,
      vocab: 8,
      labels: new Uint32Array(32),
      logits: (_, first, count) => new Float32Array(count * 8).fill(first),
    },
    tokens: 16,
    dtype: "f32",
    adapter: "auto",
    repeats: 4,
    own: ["dpo"].map((objective) => ({
      objective,
      step: async () => losses[objective]!,
      gradientNorm: async () => 2,
    })),
    peers: names.map((name) => ({ name, program, dtypes: ["f32"] })),
    section: "32 rows × 8, f32",
    setting: {
      data: "uniform",
      device: "a device",
      driver: "its driver",
      commit: "abc",
      versions: { prefc: "0" },
    },
    ...changed,
  };
  const lines: PeerLine[] = [];
  for await (const line of peerLines(context)) lines.push(line);
  return lines;
}

const named = (lines: readonly PeerLine[], name: string): PeerLine =>
  lines.find(({ provider }) => provider === name)!;

describe("a peer that answers", () => {
  it("becomes a line with medians, agreement and versions, beside a line of prefc's own steps", async () => {
    const lines = await linesOf(["right"]);
    expect(lines.map(({ provider, samples }) => [provider, samples])).toEqual([
      ["right", 4],
      ["compiled", 4],
    ]);
    expect(named(lines, "right")).toMatchObject({
      objective: "dpo",
      rows: 32,
      vocab: 8,
      direction: "full",
      clock: "wall",
      ms_median: 30,
      ms_p20: 30,
      ms_p80: 30,
      gb_s: (4 * 32 * 8 * 4) / 30 / 1e6,
      processor_ms_median: 12,
      loss: 0.5,
      loss_error: 0,
      gradient_error: 0,
      ok: true,
      outcome: "measured",
      note: null,
      peer_versions: { fake: "1.0.0" },
      commit: "abc",
    });
  });

  it("has a second line where it reads the clock of a GPU", async () => {
    const lines = await linesOf(["has a clock"]);
    expect(lines.map(({ clock, ms_median }) => [clock, ms_median]).slice(0, 2)).toEqual([
      ["wall", 30],
      ["gpu", 20],
    ]);
  });

  it.each([
    ["wrong loss", /^the loss is not that of prefc, 0\.5$/],
    ["not a number", /^the loss is not that of prefc/],
    ["wrong gradient", /^the gradient is not that of prefc$/],
  ])("is told as wrong with a %s", async (name, note) => {
    const lines = await linesOf([name]);
    const line = named(lines, name);
    expect(line).toMatchObject({ ok: false, outcome: "wrong", ms_median: 30 });
    expect(line.note).toMatch(note);
    const text = peerReport(lines);
    expect(text).toMatch(new RegExp(`\\| dpo \\| ${name} \\| .* \\| WRONG \\|`));
    expect(text).toContain(`- dpo, ${name}: wrong: `);
    expect(text).toContain("a device; commit abc; prefc 0.");
  });
});

describe("a peer that does not answer", () => {
  it.each([
    ["absent", "skipped", /^this machine has no such library$/],
    ["crashes at once", "crashed", /ended with code 11: Segmentation fault in libfake$/],
    ["crashes later", "crashed", /^out of memory$/],
    ["is killed", "crashed", /was ended by SIGKILL/],
  ])("and %s becomes a line, and the next peer is measured", async (name, outcome, note) => {
    const lines = await linesOf([name, "right"]);
    expect(named(lines, name)).toMatchObject({ ok: false, outcome, ms_median: null, loss: null });
    expect(named(lines, name).note).toMatch(note);
    expect(named(lines, "right")).toMatchObject({ ok: true, samples: 4 });
    expect(peerReport(lines)).toContain(`- dpo, ${name}: ${outcome}: `);
  });

  it("and falls silent is ended when its time is over", async () => {
    const lines = await linesOf(["falls silent", "right"], { limitMs: 3000 });
    expect(named(lines, "falls silent")).toMatchObject({
      ok: false,
      outcome: "crashed",
      note: "it did not finish within 3 s",
    });
    expect(named(lines, "falls silent").loss).toBeNull();
  });

  it("because its program is not there, its packages are missing or it has no such type is skipped once", async () => {
    const own = ["dpo", "wpo"].map((objective) => ({
      objective,
      step: async () => losses[objective]!,
      gradientNorm: async () => 2,
    }));
    const lines = await linesOf([], {
      own,
      peers: [
        { name: "nowhere", program: ["no-such-program-here"], dtypes: ["f32"] },
        { name: "bare", program, dtypes: ["f32"], missing: "its packages are missing" },
        { name: "narrow", program, dtypes: ["bf16"] },
      ],
    });
    expect(lines.map(({ provider, outcome }) => [provider, outcome])).toEqual([
      ["nowhere", "skipped"],
      ["bare", "skipped"],
      ["narrow", "skipped"],
    ]);
    expect(lines.map(({ note }) => note)).toEqual([
      expect.stringContaining("no-such-program-here could not be started"),
      "its packages are missing",
      "it has no logits of type f32 here",
    ]);
  });
});

describe("the batch of peers", () => {
  it("is written whole, in parts, and removed after the run", async () => {
    const lines = await linesOf(["right"]);
    expect(existsSync(named(lines, "right").peer_versions["folder"]!)).toBe(false);
    const vocab = 64;
    const labels = Uint32Array.of(3, 1, 4, 1, 5, 9);
    const parts: number[] = [];
    const logits = (model: string, first: number, count: number): Float32Array => {
      parts.push(count);
      const start = first + (model === "ref" ? 10 : 0);
      return Float32Array.from({ length: count * vocab }, (_, i) => start + Math.floor(i / vocab));
    };
    const { folder, remove } = writeBatch({ rows: 6, vocab, labels, logits }, 4 * 4 * vocab);
    expect(parts).toEqual([4, 2, 4, 2]);
    const read = (name: string): Buffer => readFileSync(join(folder, name));
    const first = (name: string): readonly number[] =>
      Array.from({ length: 6 }, (_, row) => read(name).readFloatLE(row * vocab * 4));
    expect(first("policy.f32")).toEqual([0, 1, 2, 3, 4, 5]);
    expect(first("reference.f32")).toEqual([10, 11, 12, 13, 14, 15]);
    expect(read("policy.f32")).toHaveLength(6 * vocab * 4);
    expect([...read("labels.u32")].filter((_, i) => i % 4 === 0)).toEqual([...labels]);
    remove();
    expect(existsSync(folder)).toBe(false);
  });

  it("needs packages of exactly the versions that are pinned", () => {
    const manifest = JSON.parse(readFileSync(join(peersFolder, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    for (const version of Object.values(manifest.dependencies))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(readFileSync(join(peersFolder, "package-lock.json"), "utf8")).not.toContain("resolved");
    const folder = mkdtempSync(join(tmpdir(), "prefc-packages-"));
    const write = (path: string, manifest: object): void => {
      mkdirSync(join(folder, path), { recursive: true });
      writeFileSync(join(folder, path, "package.json"), JSON.stringify(manifest));
    };
    write(".", { dependencies: { one: "1.0.0" } });
    expect(packagesInstalled(folder)).toBe(false);
    write("node_modules/one", { version: "1.0.1" });
    expect(packagesInstalled(folder)).toBe(false);
    write("node_modules/one", { version: "1.0.0" });
    expect(packagesInstalled(folder)).toBe(true);
    rmSync(folder, { recursive: true });
  });
});

describe("agreement", () => {
  it("accepts sums of f32 in one running order", () => {
    const naive = (values: Float32Array): number => {
      let sum = 0;
      for (const value of values) sum = Math.fround(sum + value);
      return sum;
    };
    fc.assert(
      fc.property(fc.constantFrom(1000, 32_000, 128_256), fc.integer(), (vocab, seed) => {
        let state = seed >>> 0;
        const values = Float32Array.from({ length: vocab }, () => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          return Math.exp((state / 2 ** 32) * 8 - 4);
        });
        const exact = values.reduce((sum, value) => sum + value, 0);
        const problem = { vocab, tokens: 16, beta: 0.1, dtype: "f32" };
        // one log-probability is allowed what the whole loss is allowed over its factor
        expect(Math.abs(Math.log(naive(values) / exact))).toBeLessThan(
          lossTolerance(problem) / (4 * 16 * 0.1 + 6),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("has room for stored roundings of a gradient, and none for what is no number", () => {
    const problem = { vocab: 1000, tokens: 16, beta: 0.1, dtype: "bf16" };
    expect(
      gradientTolerance(problem) - gradientTolerance({ ...problem, dtype: "f32" }),
    ).toBeCloseTo(2 ** -8, 12);
    expect(distance(null, 1)).toBe(Infinity);
    expect(distance(NaN, 1)).toBe(Infinity);
    expect(distance(0, 0)).toBe(Infinity);
    expect(distance(1.5, 1)).toBe(0.5);
  });
});
