// What `npm start` prints and how it ends: the numbers that TRL recorded stand in it, a disagreement turns into exit code
// 1, and a machine without an adapter gets one sentence. The large batch is smaller here; the whole command runs in CI.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { generated, llama3Vocabulary } from "../../src/demo/generated.ts";
import { bytes, error, milliseconds, number, table } from "../../src/demo/layout.ts";
import { recorded } from "../../src/demo/recorded.ts";
import { report, type Section } from "../../src/demo/report.ts";
import { disagreements, section } from "../../src/demo/section.ts";
import { dpo, evaluate, wpo, type Device } from "../../src/index.ts";
import { withDevice } from "../support/device.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

describe("a section", () => {
  let device: Device;
  let done: Section;
  const file = recorded("trl-wpo");

  withDevice(async (opened) => {
    device = opened;
    done = await section(device, "WPO", wpo(), file, generated(7, 301));
  });

  it("agrees with TRL and with the interpreter", () => {
    expect(disagreements(done)).toBe(0);
    expect(done.columns.map(({ checks }) => checks.map(({ against }) => against))).toEqual([
      ["interpreter", "TRL"],
      ["interpreter"],
    ]);
  });

  it("shows each number of TRL beside ours, and the plan", () => {
    const text = stripVTControlCharacters(report(done));
    const lines = text.split("\n").map((line) => line.trim().split(/\s{2,}/));
    const numbersOf = (name: string): readonly number[] =>
      lines
        .find(([first]) => first === name)!
        .slice(1)
        .map(Number);
    expect(numbersOf("loss")[1]).toBeCloseTo(file.loss, 8);
    for (const name of Object.keys(done.columns[0].gpu.metrics)) {
      const [ours, trl] = numbersOf(name) as [number, number];
      expect([name, ours, trl]).toEqual([
        name,
        expect.closeTo(file.metrics[name]!, 4),
        expect.closeTo(file.metrics[name]!, 5),
      ]);
    }
    expect(text).toContain("7 dispatches");
    expect(text).toContain("write the gradient of policy logits");
  });

  it("says so where they disagree", async () => {
    const gradient = file.gradient.map((entry, position) => (position === 20 ? entry + 1 : entry));
    const spoiled = await section(device, "WPO", wpo(), { ...file, gradient }, generated(7, 301));
    expect(disagreements(spoiled)).toBe(1);
    expect(stripVTControlCharacters(report(spoiled))).toContain("1.0e+0 > 1.0e-5");
  });
});

describe("the batches", () => {
  it("of TRL are whole: the interpreter finds the recorded loss in them", () => {
    for (const [name, objective] of [
      ["trl-wpo", wpo()],
      ["trl-dpo", dpo()],
    ] as const) {
      const { batch, loss, params } = recorded(name);
      const perExample = evaluate([objective.loss], batch, params)[0]!.data;
      const mean = perExample.reduce((sum, value) => sum + value, 0) / batch.examples;
      expect(Math.abs(mean - loss)).toBeLessThan(1e-12);
    }
  });

  it("of the generator are the same for the same seed, ragged, and of Llama 3's vocabulary unless told", () => {
    expect(llama3Vocabulary).toBe(128_256);
    const [batch, again, other] = [generated(1, 50), generated(1, 50), generated(2, 50)];
    const labels = (b: typeof batch): readonly number[] => Array.from(b.responses["l"]!.labels);
    expect(labels(again)).toEqual(labels(batch));
    expect(labels(other)).not.toEqual(labels(batch));
    const { offsets } = batch.responses["l"]!;
    expect(new Set(offsets.slice(1).map((end, b) => end - offsets[b]!)).size).toBeGreaterThan(1);
    expect(batch.vocab).toBe(50);
  });
});

describe("the layout", () => {
  it("aligns columns whatever their content", () => {
    expect(table([["a", "1", "22"], [], ["long", "333", "4"]])).toBe(
      "  a        1   22\n\n  long   333    4",
    );
  });

  it("labels numbers with units", () => {
    expect([bytes(9_999), bytes(12_345), bytes(3.21e7)]).toEqual(["9999 B", "12.3 kB", "32.1 MB"]);
    expect([milliseconds(1.26), milliseconds(126.4)]).toEqual(["1.3 ms", "126 ms"]);
    expect([number(0), number(0.5), number(-1.23456789e-9)]).toEqual(["0", "0.5", "-1.234568e-9"]);
    expect([error(0), error(1.26e-7)]).toEqual(["0", "1.3e-7"]);
  });
});

describe("the command", () => {
  it("ends in one sentence and exit code 1 where there is no such adapter", async () => {
    const ended = await new Promise<{ code: unknown; errors: string }>((resolve) => {
      const env = { ...process.env, PREFC_ADAPTER: "abacus" };
      const args = ["--import", "tsx", "src/demo/main.ts"];
      execFile(process.execPath, args, { cwd: root, env }, (failure, _, errors) =>
        resolve({ code: failure?.code, errors }),
      );
    });
    expect(ended.code).toBe(1);
    expect(ended.errors.trim().split("\n")).toHaveLength(1);
    expect(ended.errors).toContain('There is no adapter called "abacus"');
  });
});
