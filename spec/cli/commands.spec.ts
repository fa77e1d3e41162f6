// The commands themselves: what they print, what they return, and the sentence for each wrong argument.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { builtIns } from "../../src/index.ts";
import { complaints, prefc } from "./prefc.ts";

const { version } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as {
  version: string;
};
const lines = (text: string): readonly string[] => text.trimEnd().split("\n");

describe("prefc", () => {
  it.each([[[]], [["--help"]], [["help"]]])("lists its commands: %j", async (args) => {
    const { code, out } = await prefc(args);
    for (const name of ["env", "check", "explain", "conform"])
      expect(out).toMatch(new RegExp(`^\\s+${name}\\s+\\w`, "m"));
    expect(out).not.toContain("\u001b");
    expect(code).toBe(0);
  });
  it.each(["env", "check", "explain", "conform"])("has help for %s", async (name) => {
    const { code, out } = await prefc([name, "--help"]);
    expect(out).toContain(`USAGE prefc ${name}`);
    expect(out).toContain("--json");
    expect(code).toBe(0);
  });
  it("lists the built-in objectives where one may be named", async () => {
    const { out } = await prefc(["check", "--help"]);
    const listed = out.slice(out.indexOf("BUILT-IN OBJECTIVES"));
    for (const name of Object.keys(builtIns))
      expect(listed).toMatch(new RegExp(`[ ,]${name}(,|$)`, "m"));
  });
  it("tells its version", async () => {
    expect(await prefc(["--version"])).toMatchObject({ code: 0, out: `${version}\n` });
  });
  it.each([
    [
      ["explian"],
      'there is no command "explian"; the commands are env, check, explain, tune, emit, bench, audit, plot, report, conform. Did you mean "explain"?',
    ],
    [
      ["constructor"],
      'there is no command "constructor"; the commands are env, check, explain, tune, emit, bench, audit, plot, report, conform.',
    ],
    [["explain"], "explain: OBJECTIVE is missing; give a built-in objective"],
    [
      ["explain", "dpo", "more"],
      'explain: "more" is one argument too many; see prefc explain --help.',
    ],
    [
      ["explain", "dpo", "--vocabb", "3"],
      'explain: there is no option --vocabb; see prefc explain --help. Did you mean "vocab"?',
    ],
    [["explain", "dpo", "--rows"], "explain: --rows needs a value"],
    [["explain", "dpo", "--rows", "--json"], "explain: --rows needs a value"],
    [["explain", "dpo", "--json=5"], 'explain: --json takes no value, but was given "5".'],
    [["explain", "dpo", "--rows", "many"], '--rows is "many"; give a whole number of at least 1.'],
    [
      ["explain", "dpo", "--rows", "w=3"],
      'explain: rows must have a number for each response (w, l) and nothing else; "l" does not fit.',
    ],
    [["explain", "dpo", "--dtype", "f8"], '--dtype is "f8"; choose f32 or f16 or bf16.'],
    [
      ["explain", "dpo", "--heights", "ref"],
      '--heights is "ref"; write it as --heights name=value.',
    ],
    [
      ["explain", "dpo", "--heights", "ref=logitss"],
      'heights: ref is "logitss"; choose "logits", "logp" or "logps".',
    ],
    [
      ["plot", "dpo,ipo"],
      'There is no built-in objective "dpo,ipo" (prefc explain --help lists them) and no file of that name. Where several are taken, spaces stand between them.',
    ],
    [
      ["explain", "wppo"],
      'There is no built-in objective "wppo" (prefc explain --help lists them) and no file of that name. Did you mean "wpo"?',
    ],
    [
      ["explain", "wpo", "--option", "alignment=greed"],
      'wpo: the option alignment is the string "greed"; give one of "sampled", "greedy" and "none".',
    ],
    [["check", "dpo", "--batches", "0"], '--batches is "0"; give a whole number of at least 1.'],
    [["check", "dpo", "--engine", "cpu"], '--engine is "cpu"; choose both or reference.'],
    [
      ["check", "dpo", "--engine", "reference", "--param", "beta=x"],
      '--param beta is "x"; give a finite number.',
    ],
    [
      ["check", "dpo", "--engine", "reference", "--param", "betta=1"],
      'The objective has no parameter "betta"',
    ],
    [["check", "dpo", "--adapter", "voodoo"], 'There is no adapter called "voodoo"'],
  ])("says in one line what is wrong: %j", async (args, sentence) => {
    const finished = await prefc(args);
    const [first, ...more] = complaints(finished);
    expect(first?.slice("prefc: ".length)).toContain(sentence);
    expect(more).toEqual([]);
    expect(finished.code).toBe(1);
  });
});

describe("prefc explain", () => {
  it("shows that WPO meets its floor", async () => {
    const { code, out } = await prefc([
      "explain",
      "wpo",
      "--rows",
      "256",
      "--vocab",
      "128256",
      "--dtype",
      "f32",
    ]);
    expect(out).toMatch(
      /^value and gradient: 7 dispatches, 525 MB moved, floor 525 MB \(1\.00 x\)$/m,
    );
    expect(out).toMatch(/^ {2}policy logits +w, l +2 +2 +1 +1$/m);
    expect(out).toMatch(/^ {2}ref logits +w, l +1 +1 +0 +0$/m);
    expect(code).toBe(0);
  });
  it("prints JSON with the kernels", async () => {
    const { code, out } = await prefc([
      "explain",
      "wpo",
      "--option",
      "alignment=greedy",
      "--option",
      "stop=false",
      "--heights",
      "ref=logps",
      "--json",
      "--wgsl",
    ]);
    const explanation = JSON.parse(out) as Record<string, Record<string, unknown>> & {
      kernels: { wgsl: string }[];
    };
    expect(explanation["notDifferentiated"]).toEqual({
      stopped: [],
      data: ["ref.logps.w", "ref.logps.l"],
    });
    expect(explanation.kernels.length).toBe(explanation["valueAndGrad"]!["dispatches"]);
    for (const { wgsl } of explanation.kernels) expect(wgsl).toContain("@compute");
    expect(code).toBe(0);
  });
  it("prints the kernels after the text", async () => {
    const { out } = await prefc(["explain", "sft", "--wgsl"]);
    expect(out).toMatch(/^\/\/ 1\. read policy logits$/m);
    expect(out.indexOf("@compute")).toBeGreaterThan(out.indexOf("compiler passes"));
  });
  it("ends quietly when its reader does", async () => {
    const { code, error } = await prefc(["explain", "wpo", "--wgsl"], { closeEarly: true });
    expect(error).toBe("");
    expect(code).toBe(0);
  });
});

describe("prefc check", () => {
  it("passes a built-in objective without a GPU and says so", async () => {
    const { code, out } = await prefc([
      "check",
      "sft",
      "--engine",
      "reference",
      "--batches",
      "4",
      "--seed",
      "11",
    ]);
    expect(lines(out)[0]).toBe("check sft, seed 11");
    expect(lines(out)[1]).toBe("no GPU, as --engine reference asks");
    expect(lines(out).filter((line) => line.endsWith("  ok"))).toHaveLength(4);
    expect(lines(out).at(-1)).toBe("4 passed, 0 failed");
    expect(code).toBe(0);
  });
  it("compares a GPU with the interpreter, a JSON object for each batch", async () => {
    const { code, out } = await prefc(["check", "wpo", "--batches", "5", "--json"]);
    const reports = lines(out).map(
      (line) => JSON.parse(line) as { gpu: { gradient: number }; failures: string[] },
    );
    expect(reports).toHaveLength(6);
    for (const { gpu, failures } of reports) {
      expect(failures).toEqual([]);
      // a GPU rounds to f32, so an error of exactly 0 would mean that nothing was compared
      expect(gpu.gradient).toBeGreaterThan(0);
      expect(gpu.gradient).toBeLessThan(1e-5);
    }
    expect(code).toBe(0);
  });
  it("checks logits and gradients in 16 bits when it is asked to", async () => {
    const { code, out } = await prefc(["check", "dpo", "--batches", "2", "--dtype", "bf16"]);
    expect(out).toContain("half a unit of bf16 more for a stored gradient");
    expect(out).toContain("3 passed, 0 failed");
    expect(code).toBe(0);
  });
  it("fails and says why when there is no GPU", async () => {
    const finished = await prefc(["check", "sft", "--adapter", "hardware"], {
      env: { VK_DRIVER_FILES: "/nowhere.json", VK_ICD_FILENAMES: "/nowhere.json" },
    });
    // a machine with a GPU of another kind (Metal, Direct3D) has hardware all the same
    if (finished.code === 0) return;
    expect(complaints(finished)[0]).toContain("No hardware adapter was found");
    expect(finished.code).toBe(1);
  });
});

describe("prefc env", () => {
  it("prints versions, adapter and limits", async () => {
    const { code, out } = await prefc(["env"]);
    expect(out).toContain(version);
    for (const heading of ["versions", "adapter", "features", "limits"])
      expect(lines(out)).toContain(heading);
    expect(code).toBe(0);
  });
  it("prints versions and the reason when there is no adapter", async () => {
    const { code, out } = await prefc(["env", "--adapter", "voodoo"]);
    expect(out).toContain(process.version);
    expect(out).toContain('There is no adapter called "voodoo"');
    expect(code).toBe(1);
  });
  it("prints JSON", async () => {
    const { code, out } = await prefc(["env", "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      versions: { node: process.version },
      device: { limits: {} },
    });
    expect(code).toBe(0);
  });
});
