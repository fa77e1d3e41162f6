// The command for a machine with a GPU: what it says of an adapter, its verdict on each goal, and that it goes on and says so
// where there is no GPU, no PyTorch, or not the room.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { peerVerdicts, sentenceOf, verdicts } from "../../bench/goals.ts";
import { isTooLarge, outOf } from "../../bench/gpu.ts";
import { adapterReport } from "../../bench/gpureport.ts";
import type { Line } from "../../src/bench/line.ts";
import type { PeerLine } from "../../bench/peerlines.ts";
import type { Device } from "../../src/index.ts";

const line = {
  objective: "dpo",
  section: "4096 rows × 128256, bf16",
  dtype: "bf16",
  provider: "compiled",
  direction: "full",
  clock: "gpu",
  gb_s: 4000,
  ms_median: 2,
  percent_of_copy: null,
  speed_vs_expert: null,
  speed_vs_f32: null,
  ms_vs_first: null,
  in_place: false,
  ok: true,
} as unknown as Line;
const said = (changed: Partial<Line>): readonly string[] =>
  verdicts([{ ...line, ...changed }]).map(sentenceOf);

const peer = {
  objective: "dpo",
  section: "256 rows × 32000, f32",
  provider: "jax-js-webgpu",
  rows: 256,
  vocab: 32_000,
  dtype: "f32",
  device: "mesa software, llvmpipe",
  clock: "wall",
  ms_median: 40,
  ms_vs_compiled: 20,
  processor_ms_vs_compiled: 21,
  outcome: "measured",
  note: null,
} as unknown as PeerLine;
const saidOf = (changed: Partial<PeerLine>): readonly string[] =>
  peerVerdicts([{ ...peer, ...changed }], [{ ...line, section: "256 rows × 32000, f32" }]).map(
    sentenceOf,
  );

describe("verdicts", () => {
  it("say of each compiled objective whether it reached a goal, and nothing of others or single directions", () => {
    const title = "dpo, 4096 rows × 128256, bf16";
    expect(said({ percent_of_copy: 85 })).toEqual([
      `${title}: value and gradient at 4000 GB/s, 85 % of copying (goal: at least 85 %): reached`,
    ]);
    expect(said({ percent_of_copy: 84.9 })[0]).toMatch(/missed$/);
    expect(said({ speed_vs_expert: 0.94, speed_vs_f32: 1.31 })).toEqual([
      `${title}: 0.94 × the speed of kernels written by hand (goal: at least 0.95): missed`,
      `${title}: 1.31 × the speed of f32 (goal: at least 1.3): reached`,
    ]);
    expect(said({ objective: "wpo", ms_vs_first: 1.2 })[0]).toMatch(
      /1\.20 × the time of DPO.*missed/,
    );
    expect(said({ in_place: true, memory_percent: 0.5, new_buffers: 1 })).toEqual([
      `${title}, in place: 0.50 % of the logits in other buffers (goal: at most 1 %): reached`,
      `${title}, in place: 1 buffers made in the second step (goal: none): missed`,
    ]);
    expect(said({ ok: false })[0]).toContain("WRONG");
    expect(said({ direction: "forward", percent_of_copy: 90 })).toEqual([]);
    expect(said({ provider: "expert", percent_of_copy: 90 })).toEqual([]);
  });

  it("hold peers against goals where these were set, and state everything else", () => {
    const title = "dpo, 256 rows × 32000, f32, jax-js-webgpu";
    expect(saidOf({})).toEqual([
      `${title}: 20.0 × the time of prefc, 21.0 × its processor time (goal: at least 15): reached`,
    ]);
    expect(saidOf({ ms_vs_compiled: 14.9 })[0]).toMatch(/missed$/);
    expect(saidOf({ rows: 64 })).toEqual([
      `${title}: 20.0 × the time of prefc, 21.0 × its processor time`,
    ]);
    expect(saidOf({ device: "nvidia" })).toEqual([`${title}: 20.0 × the time of prefc`]);
    expect(saidOf({ outcome: "wrong" })[0]).toMatch(/and WRONG$/);
    expect(saidOf({ ms_median: null, outcome: "crashed", note: "out of memory" })).toEqual([
      `${title}: crashed: out of memory`,
    ]);
    expect(saidOf({ clock: "gpu" })).toEqual([
      `${title}: 20.00 × the time of prefc by the GPU's clock`,
    ]);
    expect(saidOf({ provider: "compiled" })).toEqual([]);
  });
});

describe("bench:gpu", () => {
  it("prints what Dawn reports: subgroups, matrix shapes, features and every limit", () => {
    const device = {
      line: "maker, board [hardware]",
      info: { subgroupMinSize: 32, subgroupMaxSize: 64, subgroupMatrixConfigs: ['{"M":16}'] },
      limits: { maxBufferSize: 4096, maxBindGroups: 4 },
      features: ["shader-f16", "subgroups"],
    } as unknown as Device;
    const text = adapterReport(device);
    for (const part of [
      "maker, board [hardware]",
      "subgroups: 32 to 64 lanes",
      'subgroupMatrixConfigs: {"M":16}',
      "features: shader-f16, subgroups",
      "maxBufferSize: 4096",
      "maxBindGroups: 4",
    ])
      expect(text).toContain(part);
    const bare = { ...device, info: { subgroupMaxSize: 0, subgroupMatrixConfigs: [] } };
    expect(adapterReport(bare as unknown as Device)).toMatch(/not reported[^]*Configs: none/);
  });

  it("takes a folder, and leaves the names of files in it to itself", () => {
    expect(outOf(["--out", "here", "--rows", "32"])).toEqual({
      out: "here",
      rest: ["--rows", "32"],
    });
    expect(outOf(["--out=here"]).out).toBe("here");
    expect(() => outOf(["--out"])).toThrow("--out needs a folder.");
    expect(() => outOf(["--json=x"])).toThrow(/name it with --out/);
  });

  it("tries fewer rows where a sentence speaks of room, and only there", () => {
    expect(isTooLarge("each tensor takes 9 bytes, more than the 8; measure fewer rows.")).toBe(
      true,
    );
    expect(isTooLarge("the GPU has no memory left")).toBe(true);
    expect(isTooLarge("ended by code 1: a shader was rejected")).toBe(false);
  });

  it("rehearses where there is no GPU, goes on without PyTorch, and leaves a summary, a report and lines", () => {
    const out = mkdtempSync(join(tmpdir(), "prefc-bench-gpu-"));
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const small =
      "--objectives dpo --dtype bf16 --rows 32 --vocab 64 --repeats 2 --warm-up 0 --flush-mib 1".split(
        " ",
      );
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "bench/gpu.ts", "--out", out, ...small],
      { cwd: root, encoding: "utf8", env: { ...process.env, PREFC_PYTHON: "no-such-python" } },
    );
    expect(status).toBe(0);
    const read = (name: string): string => readFileSync(join(out, name), "utf8");
    const summary = JSON.parse(read("summary.json")) as {
      adapter: { limits: Record<string, number> };
      verdicts: readonly { text: string }[];
      missing: readonly string[];
    };
    expect(summary.adapter.limits["maxBufferSize"]).toBeGreaterThan(0);
    const texts = summary.verdicts.map(({ text }) => text).join("\n");
    for (const part of [
      "% of copying",
      "the speed of f32",
      "in place: 0 buffers",
      "skipped: no-such-python",
    ])
      expect(texts).toContain(part);
    for (const part of ["bf16", "f32"])
      expect(read("report.md")).toContain(`## 32 rows × 64, ${part}`);
    expect(read("bf16.jsonl").split("\n").length).toBeGreaterThan(4);
    expect(stdout).toContain("Everything is in ");
    // a machine with a GPU has nothing to rehearse
    if (!stdout.includes("[hardware]")) expect(stderr).toContain("This is a rehearsal");
    rmSync(out, { recursive: true });
  });
});
