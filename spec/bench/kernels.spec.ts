// Kernels written by hand, put beside compiled ones: one that is right, ones that are wrong in each way that a benchmark can notice,
// and the sentences for those that cannot run. The example of docs/benchmarks.md is the kernel that is right.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { providersOf, shapeOf } from "../../src/bench/cases.ts";
import { readKernel, type Handwritten, type KernelModule } from "../../src/bench/handwritten.ts";
import { uploadLogits, type DeviceLogits } from "../../src/bench/logits.ts";
import { readOptions } from "../../src/bench/options.ts";
import type { Provider } from "../../src/bench/provider.ts";
import type { Lengths } from "../../src/bench/lengths.ts";
import type { Subject } from "../../src/bench/subject.ts";
import { builtIn, exp, mean, neg, objective, square, type Device } from "../../src/index.ts";
import { withDevice } from "../support/device.ts";

const example = (name: string): string =>
  fileURLToPath(new URL(`../../docs/examples/${name}`, import.meta.url));
const focal = readFileSync(example("focal.wgsl"), "utf8");
const place = mkdtempSync(join(tmpdir(), "prefc-kernels-"));
afterAll(() => rmSync(place, { recursive: true }));

const none = async (): Promise<Readonly<Record<string, unknown>>> => ({});
const written = async (wgsl: string): Promise<Handwritten> => {
  const path = join(place, "mine.wgsl");
  writeFileSync(path, wgsl);
  return await readKernel(path, none);
};
/** The formula of docs/examples/focal.ts, which a command line loads for another copy of the package than this one. */
const subject = (): Subject => ({
  name: "focal",
  objective: objective(
    "focal",
    ["w"],
    ({ policy, y }) => {
      const logp = policy.logp(y.w);
      return mean("token", neg(square(exp(logp).times(-1).plus(1)).times(logp)));
    },
    { source: "Lin et al. 2017, arXiv 1708.02002, equation 4" },
  ),
  heights: {},
  params: {},
});

let device: Device;
let held: DeviceLogits;
withDevice(async (opened) => {
  device = opened;
  held = await uploadLogits(device, 40, 96, "f32", "uniform");
});
afterAll(() => held.destroy());

const beside = async (
  kernel: Handwritten,
  of: Subject,
  lengths: Lengths = [3, 7, 1],
  logits: DeviceLogits = held,
): Promise<Provider> => {
  const shape = shapeOf(device, logits, lengths);
  const asked = { kernels: [kernel], options: readOptions({}) };
  const all = await providersOf(device, { held: logits, shape, single: null }, [of], asked);
  const found = all.find(({ name }) => name === kernel.name)!;
  for (const provider of all) provider.destroy();
  return found;
};

describe("a kernel beside a compiled one", () => {
  it("is right on rows of completions and on rows of none, and is counted by what it moves", async () => {
    const { check, moves, entries } = await beside(await written(focal), subject());
    expect(check.wrong).toBeNull();
    expect(check.ok).toBe(true);
    expect(check.gradientError).toBeLessThan(1e-5);
    expect(moves.backward).toEqual([{ read: 40 * 96 * 4, written: 40 * 96 * 4, small: 0 }]);
    expect(entries.full).toBe(40 * 96);
  });

  it.each(["dpo", "wpo"])("may have several short rows to a workgroup: %s", async (name) => {
    const url = new URL("../../kernels/expert/pairs.mjs", import.meta.url);
    const shipped = ((await import(url.href)) as Record<string, KernelModule>)[name]!;
    const of: Subject = { name, objective: builtIn(name), heights: {}, params: {} };
    // rows of whole pairs of vectors and others; the last workgroup has fewer rows
    for (const vocab of [96, 100]) {
      const logits = await uploadLogits(device, 40, vocab, "f32", "uniform");
      let tried = 0;
      const module: KernelModule = {
        objective: name,
        plans: (shape) => {
          const all = shipped.plans(shape) as Exclude<ReturnType<KernelModule["plans"]>, string>;
          const short = all.filter(({ dispatches }) =>
            dispatches.some(({ rowsPerGroup = 1 }) => rowsPerGroup > 1),
          );
          tried = short.length;
          return short;
        },
      };
      const { check } = await beside({ name: "short", module }, of, [10], logits);
      expect(tried).toBeGreaterThan(0);
      expect(check.wrong).toBeNull();
      logits.destroy();
    }
  });

  it("is told which entry is wrong, and by how much", async () => {
    const wrong = focal.replace("2.0 * p * logp", "2.1 * p * logp");
    const { check } = await beside(await written(wrong), subject());
    expect(check.ok).toBe(false);
    expect(check.wrong).toMatch(
      /^policy_gradient at row \d+, entry \d+ is -?\d\S*, where prefc has /,
    );
  });

  it("is told what it left out", async () => {
    const short = focal.replace(
      "    policy_gradient[base + v] =",
      "    if (v > 90u) { continue; }\n    policy_gradient[base + v] =",
    );
    const { check } = await beside(await written(short), subject());
    expect(check.wrong).toMatch(/^policy_gradient at row 0, entry 91 was not written/);
  });

  it("is told of a wrong loss", async () => {
    const module: KernelModule = {
      plans: ({ examples }) => [
        {
          buffers: { losses: { bytes: 4 * examples } },
          dispatches: [
            {
              wgsl: "@group(0) @binding(0) var<storage, read_write> losses: array<f32>;\n@compute @workgroup_size(1) fn run() { losses[0] = 3.0; }",
              entryPoint: "run",
              direction: "forward",
              bindings: ["losses"],
              groups: 1,
            },
          ],
          loss: { buffer: "losses", combine: "mean" },
        },
      ],
    };
    const { check, moves } = await beside({ name: "constant", module }, subject());
    expect(check.wrong).toMatch(/^the loss, 0\.\d+, is \d\S* away from the interpreter/);
    expect(moves.backward).toBeUndefined();
  });

  it.each<[string, (text: string) => string, RegExp]>([
    [
      "does not compile",
      (text) => text.replace("var sum = 0.0", "var sum = 0u"),
      /^the kernel mine does not compile; correct it: line \d+, column \d+: .*\.$/,
    ],
    [
      "writes an input",
      (text) => text.replace("read> policy_logits", "read_write> policy_logits"),
      /binds "policy_logits" as read_write, but that is an input .*; declare it var<storage, read>\.$/,
    ],
    [
      "binds what there is not",
      (text) => text.replaceAll("sequences", "sequence_of"),
      /binds "sequence_of", which is no data of the benchmark; choose from "?shape"?, /,
    ],
    [
      "leaves a variable unused",
      (text) => text.replace("sequences[row]", "row"),
      /its bindings \(.*\) do not fit its variables, of which every one must be used: /,
    ],
  ])("ends in one sentence where it %s", async (_, change, message) => {
    await expect(beside(await written(change(focal)), subject())).rejects.toThrow(message);
  });

  it("says so where a module cannot run the shape, unless it ships with the package", async () => {
    const module: KernelModule = { objective: "dpo", plans: () => "it is too tired." };
    const dpo = { name: "dpo", objective: builtIn("dpo"), heights: {}, params: {} };
    await expect(beside({ name: "mine", module }, dpo)).rejects.toThrow(
      "the kernel mine cannot run dpo at this shape, since it is too tired; measure a shape that it can.",
    );
  });
});

describe("files of kernels", () => {
  it.each([
    ["fn main() {}", /declares no binding of group 0; declare variables named as data/],
    [
      "@group(0) @binding(1) var<storage, read> policy_logits: array<f32>;",
      /are not numbered 0, 1, 2/,
    ],
    ["@group(0) @binding(0) var<storage, read> labels: array<u32>;", /binds no output; declare/],
  ])("refuses %j", async (text, message) => {
    await expect(written(text)).rejects.toThrow(message);
  });

  it("refuses a module without kernels, and a file that is not there", async () => {
    await expect(readKernel("mine.mjs", none)).rejects.toThrow(
      /does not export \{ objective, plans/,
    );
    await expect(readKernel("nowhere.wgsl", none)).rejects.toThrow(/cannot be read \(ENOENT\)/);
  });
});
