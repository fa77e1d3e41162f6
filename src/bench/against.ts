// Two commits in the same rounds: the other one is built in a temporary worktree and loaded beside this one, each with a device of
// its own, so that a machine that slows down slows both. Whatever both can say through the package's public interface is compared.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PrefcError } from "../core/error.ts";
import { mention } from "../core/quote.ts";
import * as ownPackage from "../index.ts";
import { batchOf } from "./data.ts";
import { lengthsIn } from "./lengths.ts";
import { layOut, type Layout } from "./layout.ts";
import { uploadLogits, type DeviceLogits } from "./logits.ts";
import type { Options } from "./options.ts";
import { pairedRatio, verdictOf } from "./statistics.ts";
import { commitOf } from "./versions.ts";
import { builtCommit } from "./worktree.ts";

type Package = Pick<typeof ownPackage, "builtIn" | "compile" | "openDevice">;

interface Step {
  readonly loss: number;
  readonly run: () => Promise<number>;
  readonly dispose: () => void;
}

/** One objective of one package, on a device of its own. */
async function stepOf(
  { builtIn, compile }: Package,
  device: ownPackage.Device,
  name: string,
  held: DeviceLogits,
  layout: Layout,
  clock: "gpu" | "wall",
): Promise<Step> {
  const compiled = compile(builtIn(name), { device });
  // inputs of another version may have other fields, but they are brought under the same names
  const { program } = ownPackage.compile(ownPackage.builtIn(name));
  const batch = batchOf(layout, program, held);
  const written = program.gradients.some(({ input }) => input.datum.kind === "logits");
  const options = {
    gradients: "keep",
    ...(written ? { into: { policy: held.gradient } } : {}),
  } as const;
  const { loss } = await compiled.valueAndGrad(batch, options);
  return {
    loss,
    run: async () => {
      if (clock === "wall") {
        const start = performance.now();
        await compiled.valueAndGrad(batch, options);
        return performance.now() - start;
      }
      const { times } = await compiled.valueAndGrad(batch, { ...options, profile: true });
      return times!.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    },
    dispose: () => compiled.dispose(),
  };
}

/** Measures built-in objectives of this version and of another commit in turn; the table, as Markdown. */
export async function against(
  commit: string,
  names: readonly string[],
  options: Options,
  tell: (line: string) => void,
): Promise<string> {
  for (const name of names) {
    if (Object.hasOwn(ownPackage.builtIns, name)) continue;
    throw new PrefcError(
      "against-objective",
      `--against compares built-in objectives, and ${mention(name)} is none, since a module belongs to one version of the package; measure it twice with --json and compare the files.`,
    );
  }
  const built = builtCommit(commit);
  try {
    const entry = join(built.folder, "dist", "index.js");
    const other = (await import(pathToFileURL(entry).href)) as Package;
    return await compared(built.commit, other, names, options, tell);
  } finally {
    built.remove();
  }
}

async function compared(
  commit: string,
  other: Package,
  names: readonly string[],
  options: Options,
  tell: (line: string) => void,
): Promise<string> {
  const { adapter } = options;
  const asked = adapter === undefined ? {} : { adapter };
  const devices = [await other.openDevice(asked), await ownPackage.openDevice(asked)] as const;
  const [first] = devices;
  const hasClock = devices.every(({ features }) => features.includes("timestamp-query"));
  const clock = options.clocks.includes("gpu") && hasClock ? "gpu" : "wall";
  const lengths = lengthsIn(options.lengths);
  const rows: string[] = [];
  const samples: object[] = [];
  try {
    for (const dtype of options.dtype)
      for (const vocab of options.vocab)
        for (const count of options.rows)
          for (const name of names) {
            const held = await Promise.all(
              devices.map((device) => uploadLogits(device, count, vocab, dtype, options.data[0]!)),
            );
            const responses = ownPackage.compile(ownPackage.builtIn(name)).program.responses;
            const { padding } = options;
            const request = { rows: count, vocab, padding, responses, fewestExamples: 2, lengths };
            const layout = layOut(request);
            const steps = [
              await stepOf(other, devices[0], name, held[0]!, layout, clock),
              await stepOf(ownPackage, devices[1], name, held[1]!, layout, clock),
            ] as const;
            const taken: [number[], number[]] = [[], []];
            for (let round = 0; round < options.warmUps + options.repeats; round++)
              for (const turn of [0, 1]) {
                const index = (turn + round) % 2;
                const ms = await steps[index]!.run();
                if (round >= options.warmUps) taken[index]!.push(ms);
              }
            const ratio = pairedRatio(taken[1], taken[0]);
            const range = ratio?.interval ?? null;
            const within =
              range === null
                ? "too few rounds"
                : `${range[0].toFixed(3)} to ${range[1].toFixed(3)}`;
            const off = Math.abs(steps[1].loss - steps[0].loss) / Math.abs(steps[0].loss || 1);
            rows.push(
              `| ${name} | ${count} × ${vocab}, ${dtype} | ${(ratio?.value ?? NaN).toFixed(3)} | ${within} | ${verdictOf(ratio)} | ${off.toExponential(1)} |`,
            );
            samples.push({ objective: name, rows: count, vocab, dtype, clock, samples_ms: taken });
            for (const step of steps) step.dispose();
            for (const one of held) one.destroy();
            tell(`${name}, ${count} × ${vocab}, ${dtype}: ${verdictOf(ratio)}`);
          }
  } finally {
    for (const device of devices) device.dispose();
  }
  if (options.json !== undefined)
    writeFileSync(options.json, samples.map((one) => `${JSON.stringify(one)}\n`).join(""));
  return [
    `${commitOf()} against ${commit}, value and gradient, ${options.repeats} rounds by ${clock === "gpu" ? "GPU timestamps" : "whole calls"}; ${first.line}`,
    "",
    "| objective | shape | ratio of times | 19 times of 20 within | verdict | losses apart |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}
