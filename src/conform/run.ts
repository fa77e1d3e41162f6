// Runs golden files through the engines: which files of a folder are meant, one report after another, and the counts.

import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fail, PrefcError } from "../core/error.ts";
import { openDevice } from "../runtime/device/open.ts";
import type { Device } from "../runtime/device/device.ts";
import type { Engine } from "./engine.ts";
import { conformFile, failed, type FileReport } from "./file.ts";
import { readGolden, type Golden } from "./golden.ts";
import { gpuEngine } from "./gpu.ts";
import { openPython } from "../python/worker.ts";
import { emitHeights } from "../torch/emit.ts";
import { referenceEngine } from "./reference.ts";
import { torchEngine } from "./torch.ts";
import { cite, mention } from "../core/quote.ts";

export interface ConformOptions {
  /** Which engine's results are compared; "both", which is reference and gpu. "torch" is emitted code at each height. */
  readonly engine?: "reference" | "gpu" | "both" | "torch";
  /** The GPU adapter by name; the environment's choice unless given. */
  readonly adapter?: string;
  /** Only files whose name or objective contains this text. The exact name of an objective selects that objective alone. */
  readonly only?: string;
  /** Called before the first file. */
  readonly onStart?: (start: Start) => void;
  /** Called after each file. */
  readonly onFile?: (report: FileReport) => void;
}

export interface Start {
  /** Files that will be reported. */
  readonly files: readonly { readonly file: string; readonly objective: string }[];
  /** The adapter in one line; null without a GPU run. */
  readonly adapter: string | null;
}

export interface ConformReport {
  readonly files: readonly FileReport[];
  readonly adapter: string | null;
  readonly passed: number;
  readonly failed: number;
  /** Files that record an upstream defect. They count as neither. */
  readonly defects: number;
}

interface Candidate {
  readonly file: string;
  readonly read: () => Golden;
  readonly objective: string;
  /** Why the file could not be read; then nobody can tell whether it is meant. */
  readonly error: unknown;
}

/** The .json files of a folder in order of their names, or the one file that the path is. */
function pathsIn(place: string): readonly string[] {
  try {
    const found = statSync(place, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) {
      const names = readdirSync(place).filter((file) => file.endsWith(".json"));
      return names.toSorted().map((name) => join(place, name));
    }
    if (found?.isFile() === true) return [place];
    const what =
      found === undefined
        ? `There is no folder or file ${cite(place)}`
        : `${cite(place)} is neither a folder nor a file`;
    return fail("golden-folder", `${what}; give the folder that holds the golden files.`);
  } catch (error) {
    if (error instanceof PrefcError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return fail(
      "golden-folder",
      `${cite(place)} cannot be read (${reason}); give a folder that holds golden files and that you may read.`,
    );
  }
}

function candidate(path: string): Candidate {
  const read = (): Golden => readGolden(path);
  try {
    return { file: mention(basename(path)), read, objective: read().objective, error: null };
  } catch (error) {
    return { file: mention(basename(path)), read, objective: "", error };
  }
}

/** A file that cannot be read is always selected: whether it was meant, only its contents could tell. */
function select(candidates: readonly Candidate[], only: string | undefined): readonly Candidate[] {
  if (only === undefined) return candidates;
  const exact = candidates.some(({ objective }) => objective === only);
  return candidates.filter(
    ({ file, objective, error }) =>
      error !== null ||
      (exact ? objective === only : file.includes(only) || objective.includes(only)),
  );
}

/**
 * Compares the golden files of a folder with the engines. Mistakes in files are in the report.
 * @throws PrefcError "golden-folder", and what `openDevice` throws
 */
export async function runConform(
  place: string,
  options: ConformOptions = {},
): Promise<ConformReport> {
  const { engine = "both", adapter, only, onStart, onFile } = options;
  const selected = select(pathsIn(place).map(candidate), only);
  const device: Device | null =
    engine === "reference" || engine === "torch"
      ? null
      : await openDevice(adapter === undefined ? {} : { adapter });
  const python = engine === "torch" ? await openPython() : null;
  const engines: Engine[] = [
    ...(engine === "reference" || engine === "both" ? [referenceEngine()] : []),
    ...(python === null ? [] : emitHeights.map((from) => torchEngine(python, from))),
    ...(device === null ? [] : [gpuEngine(device)]),
  ];
  const line = device?.line ?? python?.line ?? null;
  const files: FileReport[] = [];
  try {
    onStart?.({
      files: selected.map(({ file, objective }) => ({ file, objective })),
      adapter: line,
    });
    for (const { file, objective, read, error } of selected) {
      const report =
        error === null ? await conformFile(read(), engines) : failed(file, objective, error);
      files.push(report);
      onFile?.(report);
    }
  } finally {
    for (const { close } of engines) close();
    python?.close();
    device?.dispose();
  }
  const count = (verdict: FileReport["verdict"]): number =>
    files.filter((report) => report.verdict === verdict).length;
  return {
    files,
    adapter: line,
    passed: count("ok"),
    failed: count("FAIL"),
    defects: count("upstream defect"),
  };
}
