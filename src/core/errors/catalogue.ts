// Every error that prefc raises, by code. `fail` and PrefcError take no code that is not here, docs/errors.md is written from
// here (npm run errors). To add an error: add its row to the fitting file of this folder, a provocation of the same name
// to spec/errors/provoke, and run npm run errors.

import { batches } from "./batches.ts";
import { benchmarks } from "./benchmarks.ts";
import { commands } from "./commands.ts";
import { expressions } from "./expressions.ts";
import { internal } from "./internal.ts";
import { layouts } from "./layouts.ts";
import { objectives } from "./objectives.ts";
import type { ErrorRow } from "./row.ts";
import { running } from "./running.ts";
import { tensors } from "./tensors.ts";

export type ErrorCode =
  | keyof typeof expressions
  | keyof typeof objectives
  | keyof typeof batches
  | keyof typeof layouts
  | keyof typeof running
  | keyof typeof commands
  | keyof typeof tensors
  | keyof typeof benchmarks
  | keyof typeof internal;

export interface Section {
  readonly title: string;
  readonly rows: Readonly<Partial<Record<ErrorCode, ErrorRow>>>;
}

/** The rows of each file under a title, in the order of the documentation. */
export const sections: readonly Section[] = [
  { title: "Expressions", rows: expressions },
  { title: "Objectives", rows: objectives },
  { title: "Batches, parameters and values", rows: { ...batches, ...layouts } },
  { title: "Compiling and running", rows: running },
  { title: "The command line", rows: commands },
  { title: "Files of tensors", rows: tensors },
  { title: "Benchmarks", rows: benchmarks },
  { title: "Inside the compiler", rows: internal },
];
