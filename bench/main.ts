// npm run bench: compiled kernels beside kernels written by hand, beside the ceilings of the adapter and, where asked for,
// beside other frameworks, on the same inputs in the same rounds. docs/benchmarks.md says what each figure means.

import { appendFileSync, writeFileSync } from "node:fs";
import { leave, printError, tolerateClosedPipes } from "../src/cli/output.ts";
import type { StorageType } from "../src/core/storage.ts";
import { openDevice, type Device } from "../src/index.ts";
import { storeRates } from "../src/measure/stored.ts";
import { exponentialRate } from "./exponentials.ts";
import { roofline } from "./roofline.ts";
import { peersBeside } from "./beside.ts";
import { groups, providersOf, shapeOf } from "./cases.ts";
import type { Line } from "./line.ts";
import { linesOf, ratesOf, type Measured, type Setting } from "./lines.ts";
import { onInterrupt, refuseUnwritable } from "./ends.ts";
import { sectionOf, uploadLogits } from "./logits.ts";
import { readOptions, usage, type Options } from "./options.ts";
import type { PeerLine } from "./peerlines.ts";
import { peerReport } from "./peerreport.ts";
import type { Peer } from "./peerrounds.ts";
import { standardPeers } from "./peers.ts";
import { progress } from "../src/cli/progress.ts";
import { report } from "./report.ts";
import { flusher, measureRounds } from "./rounds.ts";
import type { Data } from "./values.ts";
import { commitOf, environmentVersions } from "./versions.ts";

interface Shape {
  readonly rows: number;
  readonly vocab: number;
  readonly dtype: StorageType;
  readonly data: Data;
}

/** Every line of one shape; each is kept as soon as it is there. */
async function measureShape(
  setting: Setting,
  { rows, vocab, dtype, data }: Shape,
  options: Options,
  peers: readonly Peer[],
  keep: { readonly own: (line: Line) => void; readonly peer: (line: PeerLine) => void },
): Promise<void> {
  const { device } = setting;
  const bar = progress(process.stderr);
  const held = uploadLogits(device, rows, vocab, dtype, data);
  const heldSingle = dtype === "f32" ? null : uploadLogits(device, rows, vocab, "f32", data);
  const { flush, destroy } = await flusher(device, options.flushBytes);
  try {
    const shape = shapeOf(device, held);
    const single = heldSingle === null ? null : shapeOf(device, heldSingle);
    const parts = options.onlyPeers ? [] : groups(options.objectives);
    for (const [position, objectives] of parts.entries()) {
      const onSample = (done: number, what: string): void =>
        bar.at((position + done) / parts.length, `${sectionOf(held)}  ${what}`);
      onSample(0, `checking ${objectives.join(", ")}`);
      const providers = await providersOf(device, held, shape, single, objectives, options);
      const samples = await measureRounds(providers, { ...options, flush, onSample });
      const measured = { providers, samples, objectives, held };
      keepRates(device, held.bytes, measured, options);
      // the baseline is in every group; its lines are written once
      const isNew = (line: Line): boolean =>
        position === 0 || line.objective !== parts[0]![0] || !parts[0]!.includes(line.objective);
      linesOf(measured, options, setting).filter(isNew).forEach(keep.own);
      for (const provider of providers) provider.destroy();
    }
    const onStep = (done: number, what: string): void =>
      bar.at(done, `${sectionOf(held)}  ${what}`);
    await peersBeside(setting, held, shape, peers, options, { flush, onStep, keep: keep.peer });
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
  const { json, report: page, roofline: picture } = asked;
  refuseUnwritable({ json, report: page, roofline: picture });
  const device = await openDevice(asked.adapter === undefined ? {} : { adapter: asked.adapter });
  const options = withClocks(asked, device);
  const setting = { device, commit: commitOf(), versions: environmentVersions() };
  const [lines, beside]: [Line[], PeerLine[]] = [[], []];
  // line by line, so that an interrupted run keeps what it measured
  if (json !== undefined) writeFileSync(json, "");
  const written = <T extends Line | PeerLine>(line: T, all: T[]): void => {
    all.push(line);
    if (json !== undefined) appendFileSync(json, `${JSON.stringify(line)}\n`);
  };
  const keep = {
    own: (line: Line) => written(line, lines),
    peer: (line: PeerLine) => written(line, beside),
  };
  const text = (): string =>
    [options.onlyPeers ? "" : report(lines), peerReport(beside)]
      .filter((part) => part !== "")
      .join("\n");
  onInterrupt(() => {
    if (page !== undefined) writeFileSync(page, text());
    process.stdout.write(text());
    return json === undefined
      ? "what was measured until then is above"
      : `the ${lines.length + beside.length} lines that were measured until then are in ${json}`;
  });
  const peers = standardPeers(options.peers);
  try {
    for (const data of options.data)
      for (const dtype of options.dtype)
        for (const vocab of options.vocab)
          for (const rows of options.rows)
            await measureShape(setting, { rows, vocab, dtype, data }, options, peers, keep);
  } finally {
    // of a run that fails as well
    if (page !== undefined) writeFileSync(page, text());
    if (lines.length + beside.length > 0) process.stdout.write(text());
  }
  if (picture !== undefined) writeFileSync(picture, roofline(lines, await exponentialRate(device)));
}

tolerateClosedPipes();
await main().then(
  () => leave(0),
  (error: unknown) => {
    printError(`bench: ${error instanceof Error ? error.message : String(error)}`);
    return leave(1);
  },
);
