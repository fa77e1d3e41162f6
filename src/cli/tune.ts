// `prefc tune`: measures on this adapter which schedules are fastest for each class of shapes, prints what it tried and chose,
// and keeps the choice for `compile`. Ctrl-C ends it after the runs under way; what was chosen until then is kept.

import { defineCommand, type CommandDef } from "citty";
import { storageTypes } from "../core/storage.ts";
import { PrefcError } from "../core/error.ts";
import { countText } from "../explain/units.ts";
import { openDevice, type Device } from "../index.ts";
import { findTable, tablePaths, warnOnce, writeTable } from "../runtime/node/tuned.ts";
import {
  emptyTable,
  entriesOf,
  withEntries,
  withoutAdapter,
  type Table,
  type TunedEntry,
} from "../schedule/tuning.ts";
import { bench, type MeasuredShape } from "../tune/measure.ts";
import { candidateText } from "../tune/candidates.ts";
import { tune, type Chosen, type Tuned } from "../tune/tune.ts";
import { wholeNumber } from "./arguments.ts";
import { oneOf } from "./given.ts";
import { print, printError } from "./output.ts";
import { progress } from "./progress.ts";

const args = {
  vocab: {
    type: "string",
    description: "vocabularies to measure, one for each class; 4096,32000,128256",
    valueHint: "counts",
  },
  rows: {
    type: "string",
    description: "completion tokens to measure, one for each class; 4,64,256",
    valueHint: "counts",
  },
  dtype: { type: "string", description: "storage of logits: f32, f16 or bf16", default: "f32" },
  adapter: {
    type: "string",
    description: "auto, hardware, software, lavapipe or swiftshader; also PREFC_ADAPTER",
    valueHint: "name",
  },
  table: {
    type: "string",
    description: "the file to keep the choice in; also PREFC_TUNING",
    valueHint: "path",
  },
  "dry-run": { type: "boolean", description: "measure and print, and keep nothing" },
  reset: {
    type: "boolean",
    description: "measure nothing, and forget what was measured on this adapter",
  },
  json: { type: "boolean", description: "one JSON object a line and class of shapes" },
} as const;

/** Sizes of the classes of shapes that stand for the rest of their class. */
const defaults = { vocab: "4096,32000,128256", rows: "4,64,256" };

const sizes = (option: string, text: string): readonly number[] =>
  text.split(",").map((one) => wholeNumber(option, one.trim(), 2));

const command = defineCommand({
  meta: {
    name: "tune",
    description: "Measure schedules on this adapter, and keep the fastest for later runs",
  },
  args,
  run: async ({ args: given }) => {
    const dtype = oneOf("dtype", given.dtype, storageTypes);
    const shapes = sizes("vocab", given.vocab ?? defaults.vocab).flatMap((vocab) =>
      sizes("rows", given.rows ?? defaults.rows).map((rows) => ({ vocab, rows, dtype })),
    );
    const device = await openDevice(given.adapter === undefined ? {} : { adapter: given.adapter });
    const tell = given.json === true ? printError : print;
    tell(device.line);
    const paths = given.table === undefined ? tablePaths() : [given.table];
    if (given.reset === true) {
      tell(forget(device.line, paths));
      device.dispose();
      return 0;
    }
    const stop = new AbortController();
    const interrupted = (): void => stop.abort();
    process.once("SIGINT", interrupted);
    const isDry = given["dry-run"] === true;
    // before minutes are spent on what cannot be kept
    let path = isDry ? null : keepEntries(device.line, [], paths);
    await all(device, shapes, stop.signal, (tuned) => {
      if (given.json === true) print(JSON.stringify(tuned));
      else for (const line of lines(tuned)) print(line);
      // at once, so that nothing is lost when a later class fails
      if (!isDry) path = keepEntries(device.line, [tuned.entry], paths);
    });
    process.off("SIGINT", interrupted);
    tell(path === null ? "nothing is kept, as it is a dry run" : `kept in ${path}`);
    device.dispose();
    return stop.signal.aborted ? 130 : 0;
  },
});

async function all(
  device: Device,
  shapes: readonly MeasuredShape[],
  signal: AbortSignal,
  report: (tuned: Tuned) => void,
): Promise<void> {
  const bar = progress(process.stderr);
  const day = new Date().toISOString().slice(0, 10);
  for (const [position, shape] of shapes.entries()) {
    const made = await bench(device, shape);
    const at = (done: number, stage: string): void =>
      bar.at((position + done) / shapes.length, `${shapeText(shape)}: ${stage}`);
    try {
      const tuned = await tune(device, shape, made, { signal, at, day });
      bar.end();
      if (tuned === null) return;
      report(tuned);
    } finally {
      bar.end();
      made.destroy();
    }
  }
}

/** Adds entries to the table, which is made anew where it cannot be read. @throws PrefcError tuning-not-kept */
export function keepEntries(
  adapter: string,
  entries: readonly TunedEntry[],
  paths: readonly string[],
): string {
  const known = findTable(paths)?.table ?? null;
  if (typeof known === "string") warnOnce(known);
  return written(withEntries(typeof known === "string" ? null : known, adapter, entries), paths);
}

/** Takes an adapter out of the table, and says what that did. @throws PrefcError tuning-not-kept */
function forget(adapter: string, paths: readonly string[]): string {
  const found = findTable(paths);
  if (found === null) return "nothing was measured here, so there is nothing to forget";
  const { path, table } = found;
  if (typeof table === "string") {
    written(emptyTable, [path]);
    return `${path} could not be read, and is empty now`;
  }
  const count = entriesOf(table, adapter).length;
  if (count > 0) written(withoutAdapter(table, adapter), [path]);
  return `forgot ${count} ${count === 1 ? "class" : "classes"} of shapes in ${path}`;
}

function written(table: Table, paths: readonly string[]): string {
  try {
    return writeTable(table, paths);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const where = paths.length === 0 ? "PREFC_TUNING is off" : reason;
    throw new PrefcError(
      "tuning-not-kept",
      `The table of schedules cannot be written (${where}); give a path with --table or PREFC_TUNING.`,
      { cause },
    );
  }
}

const shapeText = ({ vocab, rows, dtype }: MeasuredShape): string =>
  `${countText(rows)} rows of ${countText(vocab)} ${dtype}`;
const ratioText = (ratio: number | null): string => (ratio === null ? "refused" : ratio.toFixed(2));

/** What was tried, by time over the default's, and what was chosen. */
function lines({ shape, tried, reading, writing }: Tuned): readonly string[] {
  const width = Math.max(...tried.map(({ candidate }) => candidateText(candidate).length));
  const chosen = ({ candidate, ratio }: Chosen): string =>
    ratio === 1
      ? `${candidateText(candidate)} (the default)`
      : `${candidateText(candidate)}, ${ratio.toFixed(2)} of the default's time`;
  return [
    "",
    `${shapeText(shape)}: time over the default's`,
    `  ${"".padEnd(width)}  reading  gradient`,
    ...tried.map((one) => {
      const [read, write] = [ratioText(one.reading), ratioText(one.writing)];
      const name = candidateText(one.candidate).padEnd(width);
      return `  ${name}  ${read.padStart(7)}  ${write.padStart(8)}`;
    }),
    `  chosen for reading    ${chosen(reading)}`,
    `  chosen for gradients  ${chosen(writing)}`,
  ];
}

export default command as unknown as CommandDef;
