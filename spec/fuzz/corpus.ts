// The corpus folder: a file for each counterexample, and the state of each run, so that a run that was stopped goes on where it
// was. The state names the case that is being tried: a driver that takes the process with it twice at one case is a mismatch.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Coverage } from "./coverage.ts";
import { entryText, type Entry } from "./case.ts";

export interface State {
  readonly seed: number;
  readonly adapter: string;
  /** Cases done, and how many of them were counterexamples. */
  readonly done: number;
  readonly mismatches: number;
  /** How often the process ended while the next case was being tried. */
  readonly died: number;
  readonly counts: ReturnType<Coverage["all"]>;
}

const stateFile = (folder: string, seed: number, adapter: string): string =>
  join(folder, `state-${adapter}-${seed}.json`);

export function readState(folder: string, seed: number, adapter: string): State {
  const file = stateFile(folder, seed, adapter);
  if (!existsSync(file)) return { seed, adapter, done: 0, mismatches: 0, died: 0, counts: {} };
  return JSON.parse(readFileSync(file, "utf8")) as State;
}

export function writeState(folder: string, state: State): void {
  mkdirSync(folder, { recursive: true });
  const file = stateFile(folder, state.seed, state.adapter);
  // a file that is cut off would lose the run
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

/** Writes a counterexample and returns its file. */
export function keep(folder: string, adapter: string, entry: Entry): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${adapter}-${entry.seed}.json`);
  writeFileSync(file, entryText(entry));
  return file;
}
