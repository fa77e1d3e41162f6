// The benchmark as a user runs it, on shapes so small that only its form can be judged: what a line holds, that every
// loss is checked, which providers an option brings, and that what cannot be had ends in one sentence.
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { Line } from "../../src/bench/line.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const place = mkdtempSync(join(tmpdir(), "prefc-bench-"));
afterAll(() => rmSync(place, { recursive: true }));

interface Done {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}
function bench(...args: readonly string[]): Promise<Done> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", "bench/main.ts", ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, error]: [string[], string[]] = [[], []];
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => error.push(text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out: out.join(""), error: error.join("") }));
  });
}
const quick = ["--repeats", "2", "--warm-up", "0", "--flush-mib", "1"];

async function lines(text: string): Promise<readonly Line[]> {
  const file = join(place, "lines.jsonl");
  const { code, error } = await bench(...text.split(" "), ...quick, "--json", file);
  expect(error.split("\n").filter((line) => line.startsWith("bench: "))).toEqual([]);
  expect(code).toBe(0);
  const texts = readFileSync(file, "utf8").trimEnd().split("\n");
  return texts.map((text) => JSON.parse(text) as Line);
}
const providers = (all: readonly Line[], objective: string): readonly string[] => [
  ...new Set(all.flatMap((line) => (line.objective === objective ? [line.provider] : []))),
];

describe("npm run bench", () => {
  it("measures compiled kernels, hand-written ones and ceilings, and checks what they computed", async () => {
    const report = join(place, "report.md");
    const picture = join(place, "roofline.svg");
    const all = await lines(
      `--objectives dpo,wpo --rows 64 --vocab 256 --metrics off --report ${report} --roofline ${picture}`,
    );
    for (const objective of ["dpo", "wpo"]) {
      expect(providers(all, objective)).toEqual([
        "ceiling-copy",
        "ceiling-read",
        "compiled",
        "compiled-no-metrics",
        "expert",
      ]);
    }
    expect(all.every(({ ok }) => ok)).toBe(true);
    for (const line of all) {
      expect(line).toMatchObject({ rows: 64, vocab: 256, dtype: "f32", samples: 2 });
      expect(line.ms_p20).toBeLessThanOrEqual(line.ms_median);
      expect(line.ms_median).toBeLessThanOrEqual(line.ms_p80);
      expect(line.gb_s).toBeGreaterThan(0);
      expect(line.predicted_ms).toBeGreaterThan(0);
      expect(line.percent_of_copy).toBeGreaterThan(0);
      expect([line.device, line.commit, line.versions["webgpu"]].every(Boolean)).toBe(true);
    }
    const own = all.filter(({ provider }) => provider === "compiled");
    expect(own.map(({ direction }) => direction).slice(0, 3)).toEqual(
      own.some(({ clock }) => clock === "gpu")
        ? ["forward", "backward", "full"]
        : ["forward", "full", "forward"],
    );
    expect(own.every(({ speed_vs_expert }) => speed_vs_expert! > 0)).toBe(true);
    expect(own.every(({ loss_error }) => loss_error! <= 1e-5)).toBe(true);
    expect(own.every(({ gradient_error }) => gradient_error! <= 1e-5)).toBe(true);
    expect(own.every(({ new_buffers }) => new_buffers === 0)).toBe(true);
    const text = readFileSync(report, "utf8");
    expect(text).toContain("## 64 rows × 256, f32\n");
    expect(text).toMatch(/ beside logits \| new buffers \|/);
    expect(readFileSync(picture, "utf8")).toContain("</svg>");
  });

  it("counts fewer bytes forward for a cached reference, and for rows that are prompt or padding", async () => {
    const all = await lines(
      "--objectives dpo --rows 64 --vocab 255 --cached-reference --padding 0.5",
    );
    const bytes = (provider: string): number =>
      all.find((line) => line.provider === provider && line.direction === "forward")!.bytes!;
    expect(all.every(({ ok }) => ok)).toBe(true);
    expect(bytes("compiled") / bytes("compiled-with-reference")).toBeCloseTo(0.5, 1);
    expect(bytes("compiled") / bytes("compiled-unpadded")).toBeCloseTo(0.5, 1);
  });

  it("takes a single row, an odd vocabulary, 16-bit storage and a gradient in place", async () => {
    const all = await lines(
      "--objectives sft --rows 1 --vocab 257 --dtype bf16 --in-place --clock wall --data peaked",
    );
    expect(providers(all, "sft")).toEqual([
      "ceiling-copy",
      "ceiling-read",
      "compiled",
      "compiled-out-of-place",
      "compiled-f32",
    ]);
    expect(all.every(({ ok, clock }) => ok && clock === "wall")).toBe(true);
    expect(all.find(({ provider }) => provider === "compiled")).toMatchObject({
      in_place: true,
      data: "peaked",
    });
  });

  it("leaves whole lines and no temporary files when it is interrupted, and says where they are", async () => {
    const [file, temporary, silent] = ["interrupted.jsonl", "temporary", "python"].map((name) =>
      join(place, name),
    ) as [string, string, string];
    mkdirSync(temporary);
    // a peer that is ready and never answers, until its input is closed
    writeFileSync(silent, `#!/bin/sh\necho '{"ready": {}}'\nexec cat > ${join(place, "asked")}\n`, {
      mode: 0o755,
    });
    const args = "--objectives dpo --rows 32 --vocab 64 --peers=torch-cpu".split(" ");
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "bench/main.ts", ...args, ...quick, "--json", file],
      {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, TMPDIR: temporary, PREFC_PYTHON: silent },
      },
    );
    let error = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (error += text));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const asked = (): boolean =>
      existsSync(join(place, "asked")) && readFileSync(join(place, "asked"), "utf8") !== "";
    while (child.exitCode === null && !asked())
      await new Promise((resolve) => setTimeout(resolve, 50));
    const isPeers = (name: string): boolean => name.startsWith("prefc-peers-");
    expect(readdirSync(temporary).filter(isPeers)).toHaveLength(1);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    const texts = readFileSync(file, "utf8").trimEnd().split("\n");
    const providers = texts.map((text) => (JSON.parse(text) as Line).provider);
    expect(providers).toContain("compiled");
    expect(error).toContain(`bench: interrupted; the ${texts.length} lines that were measured`);
    expect(readdirSync(temporary).filter(isPeers)).toEqual([]);
  });

  it.each([
    [["--objectives", "dop"], /^bench: there is no built-in objective "dop"/m],
    [
      ["--report", "no/such/folder/report.md"],
      /^bench: --report: "no\/such\/folder\/report\.md" cannot be written \(ENOENT\)/m,
    ],
    [
      ["--rows", "1", "--vocab", "8"],
      /^bench: --rows: 1 completion rows are too few for 2 responses/m,
    ],
    [
      ["--rows", "100000000", "--vocab", "128256"],
      /^bench: --rows 100000000 --vocab 128256: each tensor/m,
    ],
  ])("refuses %j in one sentence", async (args, message) => {
    const { code, error } = await bench(...args);
    expect(code).toBe(1);
    expect(error).toMatch(message);
    // A stack of JavaScript, and not the lines in which Dawn names its own files where a machine has no Vulkan driver.
    expect(error).not.toMatch(/^ +at .*\.(?:ts|js|mjs)\b/m);
  });
});
