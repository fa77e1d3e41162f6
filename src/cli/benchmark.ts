// A benchmark from end to end: opens the adapter, measures, and writes what was asked for, also of a run that fails or is
// interrupted. `prefc bench` and a checkout's own command are its users.

import { appendFileSync, writeFileSync } from "node:fs";
import { table } from "../bench/csv.ts";
import { warning } from "../bench/busy.ts";
import { onInterrupt, refuseUnwritable } from "../bench/ends.ts";
import { exponentialRate } from "../bench/exponentials.ts";
import type { Handwritten } from "../bench/handwritten.ts";
import type { Line } from "../bench/line.ts";
import type { Setting } from "../bench/lines.ts";
import type { Clock, Options } from "../bench/options.ts";
import type { RecordedStep } from "../bench/recorded.ts";
import { report } from "../bench/report.ts";
import { roofline } from "../bench/roofline.ts";
import { measure, withClocks, type Beside } from "../bench/run.ts";
import type { Subject } from "../bench/subject.ts";
import { commitOf, environmentVersions } from "../bench/versions.ts";
import { openDevice } from "../index.ts";
import { progress } from "./progress.ts";

/** What a benchmark is made of. */
export interface Benchmark {
  readonly subjects: readonly Subject[];
  readonly kernels: readonly Handwritten[];
  readonly options: Options;
  /** A recorded step that everything runs on; none. */
  readonly recorded?: RecordedStep | null;
  /** Whether only what runs beside is reported; false. */
  readonly isSilent?: boolean;
  /** More text for the report. */
  readonly more?: () => string;
  readonly beside?: (
    beside: Beside & {
      readonly setting: Setting;
      /** The clocks that the adapter has. */
      readonly clocked: { readonly clocks: readonly Clock[] };
      readonly write: (line: object) => void;
    },
  ) => Promise<void>;
}

const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

/** Runs a benchmark and returns its lines. @throws PrefcError */
export async function benchmark(asked: Benchmark): Promise<readonly Line[]> {
  const { subjects, kernels, recorded = null, isSilent = false, more = () => "" } = asked;
  const { json, csv, report: page, roofline: picture, adapter } = asked.options;
  refuseUnwritable({ json, csv, report: page, roofline: picture });
  const device = await openDevice(adapter === undefined ? {} : { adapter });
  const options = withClocks(asked.options, device, tell);
  const setting = { device, commit: commitOf(), versions: environmentVersions() };
  const lines: Line[] = [];
  let written = 0;
  if (json !== undefined) writeFileSync(json, "");
  // line by line, so that an interrupted run keeps what it measured
  const write = (line: object): void => {
    written++;
    if (json !== undefined) appendFileSync(json, `${JSON.stringify(line)}\n`);
  };
  const text = (): string =>
    [isSilent ? "" : report(lines), more()].filter((part) => part !== "").join("\n");
  const finish = (): void => {
    if (page !== undefined) writeFileSync(page, text());
    if (csv !== undefined) writeFileSync(csv, table(lines));
  };
  onInterrupt(() => {
    finish();
    process.stdout.write(text());
    return json === undefined
      ? "what was measured until then is above"
      : `the ${written} lines that were measured until then are in ${json}`;
  });
  try {
    const busy = await measure({
      setting,
      subjects: isSilent ? [] : subjects,
      kernels,
      options,
      recorded,
      keep: (line) => {
        lines.push(line);
        write(line);
      },
      bar: progress(process.stderr),
      beside: async (beside) =>
        await asked.beside?.({ ...beside, setting, clocked: { clocks: options.clocks }, write }),
    });
    const sentence = warning(busy);
    if (sentence !== null) tell(sentence);
  } finally {
    // of a run that fails as well
    finish();
    if (written > 0) process.stdout.write(text());
  }
  for (const { objective, provider, direction, wrong } of lines)
    if (wrong !== null && direction === "full") tell(`WRONG: ${objective}, ${provider}: ${wrong}.`);
  if (picture !== undefined) writeFileSync(picture, roofline(lines, await exponentialRate(device)));
  return lines;
}
