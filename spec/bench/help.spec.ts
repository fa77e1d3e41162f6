// Every option that the help of `prefc bench` lists, with a value that it takes and with one that it does not: the first leaves a
// report, the second one sentence that names the option. An option without a row here fails.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prefc } from "../cli/prefc.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const step = join(root, "spec/audit/recorded/dpo-0.safetensors");
const folder = mkdtempSync(join(tmpdir(), "prefc-help-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const small = [
  "--rows",
  "8",
  "--vocab",
  "64",
  "--repeats",
  "1",
  "--warm-up",
  "0",
  "--flush-mib",
  "0",
];
/** Where the values of an option begin: what is small is left out where it is tried itself. */
const run = (objective: string, given: readonly string[]): ReturnType<typeof prefc> => {
  const names = given.filter((text) => text.startsWith("--"));
  const rest = small.filter((text, index) => {
    const name = index % 2 === 0 ? text : small[index - 1]!;
    return !names.includes(name) && !(names.includes("--batch") && /rows|vocab/.test(name));
  });
  return prefc(["bench", objective, ...rest, ...given]);
};

interface Tried {
  readonly objective?: string;
  readonly valid: readonly string[];
  /** What the report, or a file, must hold. */
  readonly shows: string | RegExp;
  readonly file?: string;
  readonly invalid: readonly string[];
  readonly says: string | RegExp;
}

const kernel = join(root, "docs/examples/focal.wgsl");
const focal = join(root, "docs/examples/focal.ts");
const tried: Readonly<Record<string, Tried>> = {
  option: {
    objective: "wpo",
    valid: ["--option", "clamp=product"],
    shows: "wpo clamp=product",
    invalid: ["--option", "clamp=x"],
    says: "clamp",
  },
  heights: {
    valid: ["--heights", "ref=logps"],
    shows: "| dpo | compiled |",
    invalid: ["--heights", "ref=x"],
    says: "ref",
  },
  param: {
    valid: ["--param", "beta=0.3"],
    shows: "dpo beta=0.3",
    invalid: ["--param", "beta=x"],
    says: "--param beta",
  },
  kernel: {
    objective: focal,
    valid: ["--kernel", kernel],
    shows: /\| focal \| (?:full|forward|backward) \|/,
    invalid: ["--kernel", at("none.wgsl")],
    says: "none.wgsl",
  },
  rows: {
    valid: ["--rows", "8,12"],
    shows: "## 12 rows",
    invalid: ["--rows", "0"],
    says: "--rows",
  },
  vocab: {
    valid: ["--vocab", "64,80"],
    shows: "## 8 rows × 80",
    invalid: ["--vocab", "many"],
    says: "--vocab",
  },
  dtype: {
    valid: ["--dtype", "bf16"],
    shows: "compiled-f32",
    invalid: ["--dtype", "f8"],
    says: "--dtype",
  },
  data: {
    valid: ["--data", "peaked"],
    shows: "peaked logits",
    invalid: ["--data", "flat"],
    says: "--data",
  },
  layout: {
    valid: ["--layout", "stacked,separate"],
    shows: "compiled-separate",
    invalid: ["--layout", "x"],
    says: "--layout",
  },
  lengths: {
    valid: ["--lengths", "2"],
    shows: "| dpo | compiled |",
    invalid: ["--lengths", at("none.txt")],
    says: "--lengths",
  },
  directions: {
    valid: ["--directions", "forward"],
    shows: "| forward |",
    invalid: ["--directions", "up"],
    says: "--directions",
  },
  clock: {
    valid: ["--clock", "wall"],
    shows: "whole calls",
    invalid: ["--clock", "sun"],
    says: "--clock",
  },
  metrics: {
    valid: ["--metrics", "off"],
    shows: "compiled-no-metrics",
    invalid: ["--metrics", "some"],
    says: "--metrics",
  },
  padding: {
    valid: ["--padding", "0.5"],
    shows: "compiled-unpadded",
    invalid: ["--padding", "1"],
    says: "--padding",
  },
  repeats: {
    valid: ["--repeats", "2"],
    shows: "Medians of 2 rounds",
    invalid: ["--repeats", "0"],
    says: "--repeats",
  },
  "warm-up": {
    valid: ["--warm-up", "1"],
    shows: "| dpo | compiled |",
    invalid: ["--warm-up", "-1"],
    says: "warm-up",
  },
  "flush-mib": {
    valid: ["--flush-mib", "1"],
    shows: "| dpo | compiled |",
    invalid: ["--flush-mib", "x"],
    says: "--flush-mib",
  },
  timeout: {
    valid: ["--timeout", "60"],
    shows: "| dpo | compiled |",
    invalid: ["--timeout", "0"],
    says: "--timeout",
  },
  adapter: {
    valid: ["--adapter", "auto"],
    shows: "| dpo | compiled |",
    invalid: ["--adapter", "abacus"],
    says: "abacus",
  },
  json: {
    valid: ["--json", at("a.jsonl")],
    file: "a.jsonl",
    shows: '"samples_ms"',
    invalid: ["--json", at("no/a.jsonl")],
    says: "--json",
  },
  csv: {
    valid: ["--csv", at("a.csv")],
    file: "a.csv",
    shows: "objective",
    invalid: ["--csv", at("no/a.csv")],
    says: "--csv",
  },
  report: {
    valid: ["--report", at("a.md")],
    file: "a.md",
    shows: "# Benchmark",
    invalid: ["--report", at("no/a.md")],
    says: "--report",
  },
  roofline: {
    valid: ["--roofline", at("a.svg")],
    file: "a.svg",
    shows: "<svg",
    invalid: ["--roofline", at("no/a.svg")],
    says: "--roofline",
  },
  "cached-reference": {
    valid: ["--cached-reference"],
    shows: "compiled-with-reference",
    invalid: ["--cached-reference=x"],
    says: "takes no value",
  },
  "in-place": {
    valid: ["--in-place"],
    shows: "compiled-out-of-place",
    invalid: ["--in-place", "--layout", "separate"],
    says: "--in-place",
  },
  batch: {
    valid: ["--batch", step],
    shows: "dpo-0.safetensors logits",
    invalid: ["--batch", step, "--rows", "8"],
    says: "--batch and --rows do not go together",
  },
  compare: { valid: [], shows: "", invalid: ["--compare", at("a.jsonl")], says: "--compare" },
  with: {
    valid: [],
    shows: "",
    invalid: ["--compare", at("a.jsonl"), "--with", at("none.jsonl")],
    says: "none.jsonl",
  },
  picture: {
    valid: [],
    shows: "",
    invalid: ["--compare", at("a.jsonl"), "--with", at("a.jsonl"), "--picture", at("no/a.svg")],
    says: /picture|no\/a\.svg/,
  },
  against: {
    valid: [],
    shows: "",
    invalid: ["--against", "no-such-commit"],
    says: "no-such-commit",
  },
  cold: {
    valid: ["--cold"],
    shows: "formula",
    invalid: ["--cold", "--batch", step],
    says: "--cold and --batch do not go together",
  },
};
/** They read files of other runs, or build another commit. */
const apart = ["compare", "with", "picture", "against"];

describe("the options of prefc bench", () => {
  let listed: readonly string[];
  beforeAll(async () => {
    const { out } = await prefc(["bench", "--help"]);
    listed = [...out.matchAll(/^\s+--([a-z-]+)/gm)].map(([, name]) => name!);
  });

  it("have a row here each", () => {
    expect(listed.length).toBeGreaterThan(25);
    expect(listed.toSorted()).toEqual(Object.keys(tried).toSorted());
  });

  it.each(Object.keys(tried).filter((name) => !apart.includes(name)))(
    "take what is valid: --%s",
    async (name) => {
      const { objective = "dpo", valid, shows, file } = tried[name]!;
      const { code, out, error } = await run(objective, valid);
      expect([code, code === 0 ? "" : error]).toEqual([0, ""]);
      const text = file === undefined ? out : readFileSync(at(file), "utf8");
      if (typeof shows === "string") expect(text).toContain(shows);
      else expect(text).toMatch(shows);
    },
  );

  it.each(Object.keys(tried).filter((name) => !["compare", "with", "picture"].includes(name)))(
    "refuse what is not, in one sentence: --%s",
    async (name) => {
      const { objective = "dpo", invalid, says } = tried[name]!;
      const { code, error } = await run(objective, invalid);
      expect(code).toBe(1);
      const sentence = error
        .split("\n")
        // Dawn says of a driver that is missing where in its source it noticed
        .filter((line) => line !== "" && !/^(?:Warning: | +at )/.test(line));
      expect(sentence).toHaveLength(1);
      if (typeof says === "string") expect(sentence[0]).toContain(says);
      else expect(sentence[0]).toMatch(says);
    },
  );

  it("compare a run with itself, and draw it", async () => {
    const own = at("own.jsonl");
    expect((await run("dpo", ["--json", own, "--repeats", "7"])).code).toBe(0);
    const same = ["bench", "--compare", own, "--with", own];
    const { code, out } = await prefc([...same, "--picture", at("own.svg")]);
    expect(code).toBe(0);
    expect(out).toContain("cannot tell");
    expect(out).not.toMatch(/faster|slower/);
    expect(readFileSync(at("own.svg"), "utf8")).toContain("<svg");
    for (const name of ["compare", "with", "picture"]) {
      writeFileSync(at("a.jsonl"), readFileSync(own));
      const refused = await prefc(["bench", ...tried[name]!.invalid]);
      expect(refused.code).toBe(1);
      const { says } = tried[name]!;
      if (typeof says === "string") expect(refused.error).toContain(says);
      else expect(refused.error).toMatch(says);
    }
  });

  it("never write over what is read", async () => {
    const own = at("steps.safetensors");
    writeFileSync(own, readFileSync(step));
    for (const name of ["json", "csv", "report", "roofline"]) {
      const { code, error } = await run("dpo", ["--batch", own, `--${name}`, own]);
      expect(code).toBe(1);
      expect(error).toContain("is what the command reads as");
    }
    expect(readFileSync(own).equals(readFileSync(step))).toBe(true);
  });

  it("build this very commit and cannot tell it from itself", async () => {
    const commit = execFileSync("git", ["rev-parse", "HEAD"], {
      cwd: root,
      encoding: "utf8",
    }).trim();
    const { code, out } = await run("dpo", ["--against", commit, "--repeats", "7"]);
    expect(code).toBe(0);
    expect(out).toContain("dpo");
  });
});
