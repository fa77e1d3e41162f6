// npm run bench: compiled kernels beside kernels written by hand, beside the ceilings of the adapter and, where asked for,
// beside other frameworks, on the same inputs in the same rounds. docs/benchmarks.md says what each figure means.

import { appendFileSync, writeFileSync } from "node:fs";
import type { StorageType } from "../src/core/storage.ts";
import { openDevice, type Device } from "../src/index.ts";
import { storeRates } from "../src/measure/stored.ts";
import { exponentialRate } from "./exponentials.ts";
import { roofline } from "./roofline.ts";
import { peersBeside } from "./beside.ts";
import { groups, providersOf, shapeOf } from "./cases.ts";
import { linesOf, ratesOf, type Line, type Measured, type Setting } from "./lines.ts";
import { uploadLogits } from "./logits.ts";
import { readOptions, usage, type Options } from "./options.ts";
import type { PeerLine } from "./peerlines.ts";
import { peerReport } from "./peerreport.ts";
import type { Peer } from "./peerrounds.ts";
import { standardPeers } from "./peers.ts";
import { progress } from "../src/cli/progress.ts";
import { report } from "./report.ts";
import { flusher, measureRounds } from "./rounds.ts";
import { commitOf, environmentVersions } from "./versions.ts";

interface Lines {
  readonly own: readonly Line[];
  readonly peers: readonly PeerLine[];
}

/** Every line of one number of rows and one vocabulary; each is kept as soon as it is there. */
async function measureShape(
  setting: Setting,
  rows: number,
  vocab: number,
  dtype: StorageType,
  options: Options,
  peers: readonly Peer[],
  keep: (line: Line | PeerLine) => void,
): Promise<Lines> {
  const { device } = setting;
  const bar = progress(process.stderr);
  const held = uploadLogits(device, rows, vocab, dtype);
  const heldSingle = dtype === "f32" ? null : uploadLogits(device, rows, vocab, "f32");
  const { flush, destroy } = await flusher(device, options.flushBytes);
  const lines: Line[] = [];
  try {
    const shape = shapeOf(device, held);
    const single = heldSingle === null ? null : shapeOf(device, heldSingle);
    const parts = groups(options.objectives);
    for (const [position, objectives] of parts.entries()) {
      const onSample = (done: number, what: string): void =>
        bar.at((position + done) / parts.length, `${rows} × ${vocab} ${dtype}  ${what}`);
      onSample(0, `checking ${objectives.join(", ")}`);
      const providers = await providersOf(device, held, shape, single, objectives, options);
      const samples = await measureRounds(providers, { ...options, flush, onSample });
      const measured = { providers, samples, objectives, rows, vocab, dtype };
      const made = linesOf(measured, options, setting);
      keepRates(device, held.bytes, measured, options);
      // the baseline is in every group; its lines are written once
      const isNew = (line: Line): boolean =>
        position === 0 || line.objective !== parts[0]![0] || !parts[0]!.includes(line.objective);
      for (const line of made.filter(isNew)) {
        lines.push(line);
        keep(line);
      }
      for (const provider of providers) provider.destroy();
    }
    const onStep = (done: number, what: string): void =>
      bar.at(done, `${rows} × ${vocab} ${dtype}  ${what}`);
    const extra = { flush, onStep, keep };
    const beside = await peersBeside(setting, held, shape, peers, options, extra);
    return { own: lines, peers: beside };
  } finally {
    bar.end();
    destroy();
    held.destroy();
    heldSingle?.destroy();
  }
}

/** Logits below this size may lie in a cache, and say little of memory. */
const leastKept = 2 ** 24;

/** Keeps the ceilings that were measured for `prefc explain`, which predicts times from them. */
function keepRates(device: Device, bytes: number, measured: Measured, options: Options): void {
  if (bytes < leastKept) return;
  const clock = options.clocks.includes("gpu") ? "gpu" : "wall";
  const { read, copy } = ratesOf(measured, clock);
  const when = new Date().toISOString();
  storeRates(device.line, { read_gb_s: read, copy_gb_s: copy, bytes, clock, measured: when });
}

/** Timestamps are left out on an adapter that has none. */
function withClocks(options: Options, device: Device): Options {
  if (!options.clocks.includes("gpu") || device.features.includes("timestamp-query"))
    return options;
  process.stderr.write(`${device.line} writes no timestamps: whole calls are timed instead.\n`);
  return { ...options, clocks: ["wall"] };
}

async function main(): Promise<void> {
  const asked = readOptions(process.argv.slice(2));
  if (asked.help) {
    process.stdout.write(usage());
    return;
  }
  const device = await openDevice(asked.adapter === undefined ? {} : { adapter: asked.adapter });
  const options = withClocks(asked, device);
  const setting = { device, commit: commitOf(), versions: environmentVersions() };
  // line by line, so that an interrupted run keeps what it measured
  const { json } = options;
  if (json !== undefined) writeFileSync(json, "");
  const keep = (line: Line | PeerLine): void => {
    if (json !== undefined) appendFileSync(json, `${JSON.stringify(line)}\n`);
  };
  const peers = options.peers ? standardPeers() : [];
  const parts: Lines[] = [];
  for (const dtype of options.dtype)
    for (const vocab of options.vocab)
      for (const rows of options.rows)
        parts.push(await measureShape(setting, rows, vocab, dtype, options, peers, keep));
  const lines = parts.flatMap(({ own }) => own);
  const beside = peerReport(parts.flatMap((part) => part.peers));
  const text = [report(lines), beside].filter((part) => part !== "").join("\n");
  if (options.report !== undefined) writeFileSync(options.report, text);
  if (options.roofline !== undefined)
    writeFileSync(options.roofline, roofline(lines, await exponentialRate(device)));
  process.stdout.write(text);
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
