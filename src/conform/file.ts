// One golden file from text to verdict. Whatever is wrong with a file (its form, its objective, a hyper-parameter, data
// that an engine refuses, a number that is off) becomes a failure of that file in one sentence, so that a run goes on.

import type { Batch } from "../batch/batch.ts";
import { compileProgram } from "../pipeline/pipeline.ts";
import { PrefcError } from "../core/error.ts";
import { kinksAt } from "../kinks/find.ts";
import { kinkText, toldKinks } from "../kinks/told.ts";
import type { Engine } from "./engine.ts";
import type { Golden } from "./golden.ts";
import { judge, sourceErrors, type Judgement, type SourceErrors } from "./judge.ts";
import { interpretGolden, type Reading } from "./names.ts";
import { expectedOf, type Expected } from "./recorded.ts";
import { beforeRounding } from "./saturated.ts";
import { singleErrors } from "./single.ts";

export type Verdict = "ok" | "FAIL" | "upstream defect";

export interface FileReport {
  readonly file: string;
  /** Empty if the file could not be read so far. */
  readonly objective: string;
  readonly verdict: Verdict;
  /** One per engine that came to a result. */
  readonly engines: readonly Judgement[];
  /** The source's own float32 errors, if they are recorded. */
  readonly source: SourceErrors | null;
  /** Why the file failed, a sentence or clause each. */
  readonly failures: readonly string[];
  /** What could not be compared, or why the file is no specification. */
  readonly notes: readonly string[];
}

const saturated =
  "gpu: the recorded gradient is σ(x)(1 − σ(x)) where float64 has lost digits of 1 − σ(x), and is compared as σ(x)σ(−x)";

const largestFloat32 = 3.4028234663852886e38;

/** A file that failed before any engine could run. */
export function failed(file: string, objective: string, error: unknown): FileReport {
  return {
    file,
    objective,
    verdict: "FAIL",
    engines: [],
    source: null,
    failures: [sentenceOf(error)],
    notes: [],
  };
}

function sentenceOf(error: unknown): string {
  if (error instanceof PrefcError) return error.message;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `internal error, which is a mistake of prefc and not of the file: ${text}`;
}

async function runEngine(
  engine: Engine,
  reading: Reading,
  batch: Parameters<Engine["run"]>[1],
  expected: Expected,
  source: SourceErrors,
): Promise<Judgement> {
  const refused = (failures: readonly string[], notes: readonly string[]): Judgement => ({
    engine: engine.name,
    loss: Number.NaN,
    gradient: Number.NaN,
    accepted: { loss: Number.NaN, gradient: Number.NaN },
    others: {},
    failures,
    notes,
  });
  try {
    const computed = await engine.run(reading, batch, expected);
    const judged = judge(engine.name, computed, expected, source);
    if (engine.name !== "gpu" || !(judged.gradient > judged.accepted.gradient)) return judged;
    const exact = beforeRounding(reading, batch, expected);
    if (exact === null) return judged;
    const again = judge(engine.name, computed, exact, source);
    return { ...again, notes: [...again.notes, saturated] };
  } catch (error) {
    if (error instanceof PrefcError && error.code === "emit-statistic")
      return refused([], [`${engine.name}: ${error.message}`]);
    const overflows = error instanceof PrefcError && error.code === "value-not-finite";
    const reported = Object.values(expected.averages).map(({ value }) => value);
    const outside = [expected.loss, ...reported].some((value) => Math.abs(value) > largestFloat32);
    if (engine.name === "gpu" && overflows && outside) {
      return refused(
        [],
        [
          "gpu: the recorded loss or metrics lie outside float32, and the run says so instead of returning numbers",
        ],
      );
    }
    return refused([`${engine.name}: ${sentenceOf(error)}`], []);
  }
}

/** Compares a golden file with what the engines make of it. */
export async function conformFile(golden: Golden, engines: readonly Engine[]): Promise<FileReport> {
  const { file, objective } = golden;
  let reading: Reading;
  let expected: Expected;
  let source: SourceErrors;
  let batch: Parameters<Engine["run"]>[1];
  try {
    reading = interpretGolden(golden);
    const recorded = reading.layout(golden);
    batch = recorded.batch;
    if (recorded.state !== undefined) reading = { ...reading, state: recorded.state };
    expected = expectedOf(golden, reading, recorded);
    source = expected.isSingle
      ? singleErrors(reading, batch)
      : sourceErrors(golden.source, expected);
  } catch (error) {
    return failed(file, objective, error);
  }
  const known = golden.source === null ? null : source;
  if (reading.defect !== null) {
    return {
      file,
      objective,
      verdict: "upstream defect",
      engines: [],
      source: known,
      failures: [],
      notes: [reading.defect],
    };
  }
  const judged: Judgement[] = [];
  for (const engine of engines)
    judged.push(await runEngine(engine, reading, batch, expected, source));
  const failures = judged.flatMap((judgement) => judgement.failures);
  return {
    file,
    objective,
    verdict: failures.length === 0 ? "ok" : "FAIL",
    engines: judged,
    source: known,
    failures,
    notes: [
      ...new Set(judged.flatMap(({ notes }) => notes)),
      ...(failures.length === 0 ? [] : kinksOf(reading, batch)),
    ],
  };
}

/** The kinks that a batch lies on, for whoever wonders which engine is right. */
function kinksOf({ objective, params }: Reading, batch: Batch): readonly string[] {
  try {
    const { loss } = compileProgram(objective);
    return toldKinks(kinksAt(loss, batch, params), batch).map(
      (kink) => `the batch lies on a kink: ${kinkText(kink)}`,
    );
  } catch (error) {
    if (error instanceof PrefcError) return [];
    throw error;
  }
}
