// A run over a folder: what is selected, that every number that is recorded is held against, and how it is counted.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runConform, type ConformReport } from "../../src/conform/run.ts";
import { jsonLine, lineWriter, summary } from "../../src/conform/text.ts";
import {
  changed,
  conform,
  defect,
  put,
  sft,
  sigmoid,
  textOf,
  unpaired,
  weighted,
  type Json,
} from "./support.ts";

describe("a recorded number that is wrong", () => {
  const number = (document: Json, ...path: readonly (string | number)[]): void => {
    const last = path.at(-1)!;
    const container = path
      .slice(0, -1)
      .reduce<Json>((value, key) => (value as Record<string | number, Json>)[key]!, document);
    put(
      container,
      last,
      Number((container as Record<string | number, unknown>)[last]) * (1 + 1e-6) + 1e-6,
    );
  };

  // 1e-6 is far above what the interpreter is allowed, and far below what anybody would see
  it.each<readonly [string, readonly (string | number)[], RegExp]>([
    [sigmoid, ["outputs", "loss"], /^reference: loss is off by .*e-6, and 1\.0e-9 is accepted$/],
    [sigmoid, ["outputs", "grad_policy_logits", 0, 3, 2], /^reference: gradient is off by/],
    [sigmoid, ["outputs", "grad_policy_logits", 5, 6, 0], /^reference: gradient is off by/],
    [sigmoid, ["outputs", "per_pair_loss", 1], /^reference: per_pair_loss is off by/],
    [sigmoid, ["outputs", "chosen_logps", 0], /^reference: logps\/chosen is off by/],
    [sigmoid, ["outputs", "ref_rejected_logps", 2], /^reference: ref_rejected_logps is off by/],
    [sigmoid, ["outputs", "rejected_rewards", 1], /^reference: rewards\/rejected is off by/],
    [sigmoid, ["outputs", "delta_score", 1], /^reference: delta_score is off by/],
    [sigmoid, ["outputs", "metrics", "rewards/margins"], /^reference: rewards\/margins is off by/],
    [sigmoid, ["outputs", "metrics", "entropy"], /^reference: entropy is off by/],
    [weighted, ["outputs", "weights", 2], /^reference: weights is off by/],
    [weighted, ["outputs", "chosen_weights", 0], /^reference: chosen_weights is off by/],
    [sft, ["outputs", "per_pair_loss", 2], /^reference: per_pair_loss is off by/],
    [sft, ["outputs", "metrics", "entropy"], /^reference: entropy is off by/],
  ])("fails %s at %j", async (file, path, sentence) => {
    const report = await conform(changed(file, (document) => number(document, ...path)));
    expect(report.verdict).toBe("FAIL");
    expect(report.failures.some((failure) => sentence.test(failure))).toBe(true);
  });

  it("has the kinks of its batch named beside the failure", async () => {
    const report = await conform(
      changed(unpaired, (document) => {
        const inputs = document["inputs"]!;
        put(inputs, "ref_logits", inputs["policy_logits"]);
      }),
    );
    expect(report.verdict).toBe("FAIL");
    expect(report.notes.join("; ")).toContain("the batch lies on a kink: order[batch](");
    const right = await conform(textOf(unpaired));
    expect(right.notes.join("; ")).not.toContain("kink");
  });

  it("is left out where it is not finite, and the report says so", async () => {
    const report = await conform(
      changed(sigmoid, (document) => {
        put(document["outputs"]!, "loss", "NaN");
        put(document["outputs"]!["grad_policy_logits"]![0]![3]!, 2, "Infinity");
      }),
    );
    expect(report).toMatchObject({
      verdict: "ok",
      notes: [
        "loss: 1 recorded value is not finite and not compared",
        "gradient: 1 recorded value is not finite and not compared",
      ],
    });
  });

  it("is judged in its own units, however small a loss is", async () => {
    // weights of margins of 400 make losses of 1e-45; an absolute measure would accept anything there
    const file = "trl_dpo_sigmoid_wpo_c__extreme_s316_b3t7v11.json";
    const report = await conform(
      changed(file, (document) =>
        put(document["outputs"]!, "loss", Number(document["outputs"]!["loss"]) * 1.01),
      ),
    );
    expect(report.failures).toEqual([expect.stringMatching(/^reference: loss is off by 9\.9e-3/)]);
  });
});

describe("a run", () => {
  let folder: string;
  const run = (only?: string): Promise<ConformReport> =>
    runConform(folder, { engine: "reference", ...(only === undefined ? {} : { only }) });
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "prefc-conform-"));
    for (const file of [sigmoid, weighted, defect]) writeFileSync(join(folder, file), textOf(file));
    writeFileSync(
      join(folder, "unknown.json"),
      changed(sigmoid, (document) => put(document, "objective", "nobody/knows")),
    );
    writeFileSync(join(folder, "README.md"), "not a golden file");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("takes the .json files in order and counts passed, failed and defects apart", async () => {
    const report = await run();
    expect(report.files.map(({ file, verdict }) => [file, verdict])).toEqual([
      [defect, "upstream defect"],
      [sigmoid, "ok"],
      [weighted, "ok"],
      ["unknown.json", "FAIL"],
    ]);
    expect(report).toMatchObject({ passed: 2, failed: 1, defects: 1, adapter: null });
    expect(summary(report)).toEqual([
      "1 upstream defect: recorded as the source computes, not compared, neither passed nor failed",
      "2 passed, 1 failed",
    ]);
  });

  it("can be of one file", async () => {
    expect(await runConform(join(folder, sigmoid), { engine: "reference" })).toMatchObject({
      passed: 1,
      failed: 0,
    });
  });

  it("selects by part of a file's name or of an objective's, and by an objective's exact name alone", async () => {
    const files = async (only: string): Promise<readonly string[]> =>
      (await run(only)).files.map(({ file }) => file);
    expect(await files("s116")).toEqual([weighted]);
    expect(await files("use_weighting")).toEqual([defect, weighted]);
    expect(await files("dpo/sigmoid")).toEqual([sigmoid]);
    expect(await files("dpo/sig")).toEqual([sigmoid, weighted]);
    expect(await files("nothing like it")).toEqual([]);
  });

  it("says when nothing matches and when only defects do", async () => {
    expect(summary(await run("nothing like it"))).toEqual([
      "no golden file matches",
      "0 passed, 0 failed",
    ]);
    expect(summary(await run("off-by-one"))).toEqual([
      expect.stringMatching(/^1 upstream defect/),
      "0 passed, 0 failed",
    ]);
  });

  it("reports a file that cannot be read whatever is selected, because it cannot tell", async () => {
    const broken = join(folder, "broken.json");
    writeFileSync(broken, textOf(sigmoid).slice(0, 5000));
    const report = await run("use_weighting");
    rmSync(broken);
    expect(report.files.find(({ file }) => file === "broken.json")).toMatchObject({
      verdict: "FAIL",
      objective: "",
    });
    expect(report).toMatchObject({ passed: 1, failed: 1 });
  });

  it("is refused without a folder", async () => {
    await expect(
      runConform(join(folder, "nowhere"), { engine: "reference" }),
    ).rejects.toMatchObject({ code: "golden-folder" });
    await expect(runConform("/dev/null", { engine: "reference" })).rejects.toMatchObject({
      code: "golden-folder",
    });
  });

  it("prints aligned lines, and JSON that can be read back", async () => {
    const { files } = await run();
    const line = lineWriter({ files, adapter: null });
    const lines = files.map((report) => line(report).split("\n"));
    const objectives = files.map(({ objective }, position) =>
      lines[position]![0]!.indexOf(objective, 6 + sigmoid.length),
    );
    expect(new Set(objectives).size).toBe(1);
    expect(lines[1]![0]).toMatch(
      /^ok {4}trl_dpo_sigmoid_a.* reference loss +\d\.\de[-+]\d+ grad +\d\.\de[-+]\d+ {2}\(source f32: loss 6\.7e-8 grad \S+\)$/,
    );
    expect(lines[3]).toHaveLength(2);
    expect(lines[3]![1]).toMatch(/^ {8}unknown\.json: the objective "nobody\/knows" is not known/);
    for (const report of files)
      expect(JSON.parse(jsonLine(report))).toMatchObject({
        file: report.file,
        verdict: report.verdict,
      });
  });
});
