// npm run bench: compiled kernels beside kernels written by hand and beside the ceilings of the adapter, on the same
// inputs in the same run, interleaved, so that the ratios hold on machines whose speed drifts. Times are those of the
// GPU's own clock, medians with 20th and 80th percentiles after a warm-up.

import { execFileSync } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { builtIn, compile, openDevice, type Device } from "../src/index.ts";
import { environmentVersions } from "./versions.ts";
import { makeData, type Data } from "./data.ts";
import { ceilings, expert } from "./handwritten.ts";
import { readOptions, type Direction, type Options } from "./options.ts";
import { report } from "./report.ts";
import { times, type Line } from "./statistics.ts";
import { bufferUsage } from "../src/runtime/usage.ts";

/** One provider: a call that gives GPU milliseconds by direction. */
interface Provider {
  readonly name: string;
  readonly bytes: Readonly<Partial<Record<Direction, number>>>;
  readonly sample: () => Promise<Readonly<Partial<Record<Direction, number>>>>;
  readonly loss: () => Promise<number | null>;
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

async function measure(
  device: Device,
  data: Data,
  objective: string,
  options: Options,
): Promise<readonly Line[]> {
  const size = data.rows * data.vocab * 4;
  const target = device.gpu.createBuffer({
    label: "gradient",
    size,
    usage: bufferUsage.storage | bufferUsage.copySource,
  });
  const lanes = device.info.software ? Math.max(4, device.info.subgroupMaxSize) : 256;
  const compiled = compile(builtIn(objective), { device });
  let loss = Number.NaN;
  const providers: Provider[] = [
    {
      name: "compiled",
      bytes: { forward: 2 * size, backward: 2 * size, full: 4 * size },
      sample: async () => {
        const done = await compiled.valueAndGrad(data.batch, {
          into: { policy: target },
          profile: true,
        });
        loss = done.loss;
        const all = done.times!.map(({ milliseconds }) => milliseconds);
        const backward = done.times!.flatMap(({ kernel, milliseconds }) =>
          kernel.startsWith("write") ? [milliseconds] : [],
        );
        return { forward: sum(all) - sum(backward), backward: sum(backward), full: sum(all) };
      },
      loss: async () => loss,
    },
  ];
  const handmade = await expert(device, data, lanes, objective === "wpo", target);
  const isKnown = objective === "dpo" || objective === "wpo";
  if (isKnown && data.vocab % 4 === 0) {
    providers.push({
      name: "expert",
      bytes: { forward: 2 * size, backward: 2 * size, full: 4 * size },
      sample: async () => {
        const all = await handmade.run();
        return { forward: all[0]! + all[1]! + all[2]!, backward: all[3]!, full: sum(all) };
      },
      loss: handmade.loss,
    });
  }
  const limits = await ceilings(device, data, lanes, target);
  providers.push(
    {
      name: "ceiling-copy",
      bytes: { backward: 2 * size },
      sample: async () => ({ backward: sum(await limits.copy()) }),
      loss: async () => null,
    },
    {
      name: "ceiling-read",
      bytes: { forward: size },
      sample: async () => ({ forward: sum(await limits.read()) }),
      loss: async () => null,
    },
  );

  const samples = new Map<string, number[]>();
  const warmUps = 3;
  for (let round = -warmUps; round < options.repeats; round++) {
    process.stderr.write(
      `\r${objective} ${data.rows} × ${data.vocab}: round ${Math.max(0, round + 1)} of ${options.repeats}  `,
    );
    for (const provider of providers) {
      const taken = await provider.sample();
      if (round < 0) continue;
      for (const [direction, milliseconds] of Object.entries(taken)) {
        const key = `${provider.name} ${direction}`;
        samples.set(key, [...(samples.get(key) ?? []), milliseconds]);
      }
    }
  }
  process.stderr.write("\r\u001B[K");

  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const versions = environmentVersions();
  const lines: Line[] = [];
  for (const provider of providers) {
    const own = await provider.loss();
    for (const [direction, bytes] of Object.entries(provider.bytes) as [Direction, number][]) {
      const { median, p20, p80 } = times(samples.get(`${provider.name} ${direction}`)!);
      lines.push({
        objective,
        provider: provider.name,
        rows: data.rows,
        vocab: data.vocab,
        dtype: "f32",
        direction,
        ms_median: median,
        ms_p20: p20,
        ms_p80: p80,
        gb_s: bytes / median / 1e6,
        loss: own,
        ok: own === null || Math.abs(own - loss) <= 1e-5 * Math.abs(loss),
        bytes,
        clock: "gpu",
        device: device.line,
        commit,
        versions,
      });
    }
  }
  compiled.dispose();
  handmade.destroy();
  limits.destroy();
  target.destroy();
  return lines;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const device = await openDevice(
    options.adapter === undefined ? {} : { adapter: options.adapter },
  );
  const lines: Line[] = [];
  for (const vocab of options.vocab) {
    for (const rows of options.rows) {
      const data = makeData(device, rows, vocab);
      for (const objective of options.objectives)
        lines.push(...(await measure(device, data, objective, options)));
      data.destroy();
    }
  }
  if (options.json !== undefined) {
    writeFileSync(options.json, "");
    for (const line of lines) appendFileSync(options.json, `${JSON.stringify(line)}\n`);
  }
  const text = report(lines);
  if (options.report !== undefined) writeFileSync(options.report, text);
  process.stdout.write(text);
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
