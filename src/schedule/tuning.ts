// The table that `prefc tune` measures: for an adapter with its driver, and for a class of shapes, the schedule that ran
// fastest there. A table that cannot be used is told about in one sentence and ignored; it never stops a run, and it
// changes no result, since a schedule only changes the order of additions.

import { storageTypes, type StorageType } from "../core/storage.ts";
import { PrefcError } from "../core/error.ts";
import { checkScheduleOptions } from "./options.ts";
import type { RowShape, ScheduleOptions } from "./schedule.ts";

/** Counts up when the meaning of a table changes. */
export const tableVersion = 1;

/** Shapes that share a schedule: vocabularies and rows up to these sizes, and more. */
const vocabularyClasses = [8192, 65_536, Infinity] as const;
const rowClasses = [8, 128, Infinity] as const;

/** A shape, and how its logits are stored. */
export interface TunedShape extends RowShape {
  readonly dtype: StorageType;
}
export interface TunedEntry {
  /** The class, named by its largest sizes; null for any larger one. */
  readonly vocab: number | null;
  readonly rows: number | null;
  readonly dtype: StorageType;
  /** What differs from the default of the adapter; nothing where that was the fastest. */
  readonly schedule: ScheduleOptions;
  /** Day of the measurement, such as 2026-01-31. */
  readonly measured: string;
}
/** What a device knows of its tuning. */
export interface Tuning {
  readonly entries: readonly TunedEntry[];
  /** The file that it was read from; null when there is none. */
  readonly path: string | null;
  /** Why a table that is there cannot be used, in one sentence; null when nothing is wrong. */
  readonly problem: string | null;
}
export const untuned: Tuning = { entries: [], path: null, problem: null };

/** A table as it is stored: entries by the line of the adapter, which names its driver. */
export interface Table {
  readonly version: number;
  readonly adapters: Readonly<Record<string, readonly TunedEntry[]>>;
}

export const emptyTable: Table = { version: tableVersion, adapters: {} };

const bounded = (size: number): number | null => (size === Infinity ? null : size);
const classOf = (classes: readonly number[], size: number): number | null =>
  bounded(classes.find((most) => size <= most) ?? Infinity);

export type ShapeClass = Pick<TunedEntry, "vocab" | "rows" | "dtype">;
/** The class that a shape belongs to. */
export const shapeClass = ({ vocab, rows, dtype }: TunedShape): ShapeClass => ({
  vocab: classOf(vocabularyClasses, vocab),
  rows: classOf(rowClasses, rows),
  dtype,
});
const sameClass = (a: ShapeClass, b: ShapeClass): boolean =>
  a.vocab === b.vocab && a.rows === b.rows && a.dtype === b.dtype;

/** What was measured for the class of a shape. */
export const tunedFor = ({ entries }: Tuning, shape: TunedShape): TunedEntry | undefined =>
  entries.find((entry) => sameClass(entry, shapeClass(shape)));

/**
 * Reads a table.
 * @returns the table, or in one sentence why it cannot be used
 */
export function parseTable(text: string, path: string): Table | string {
  const wrong = (what: string): string =>
    `The table of schedules ${path} ${what}, so it is ignored; prefc tune writes a new one.`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return wrong("is no JSON");
  }
  const table = parsed as Partial<Table> | null;
  if (typeof table !== "object" || table === null || typeof table.adapters !== "object")
    return wrong("is not one of prefc's");
  if (table.version !== tableVersion)
    return wrong(`has version ${String(table.version)} where ${tableVersion} is read`);
  const lists: unknown[] = table.adapters === null ? [null] : Object.values(table.adapters);
  if (!lists.every((entries) => Array.isArray(entries) && entries.every(isEntry)))
    return wrong("has entries that are not prefc's");
  return table as Table;
}

const isClass = (size: unknown, classes: readonly number[]): boolean =>
  classes.some((most) => bounded(most) === size);

const isDay = (value: unknown): boolean =>
  typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value);

function isEntry(value: unknown): boolean {
  const entry = value as Partial<TunedEntry> | null;
  if (typeof entry !== "object" || entry === null) return false;
  const { vocab, rows, dtype, schedule, measured } = entry;
  if (!isClass(vocab, vocabularyClasses) || !isClass(rows, rowClasses)) return false;
  if (!storageTypes.includes(dtype as StorageType) || !isDay(measured)) return false;
  try {
    checkScheduleOptions(schedule as ScheduleOptions);
    return true;
  } catch (error) {
    if (error instanceof PrefcError) return false;
    throw error;
  }
}

/** The tuning of one adapter in a table. */
export function tuningOf(table: Table | string, adapter: string, path: string): Tuning {
  if (typeof table === "string") return { entries: [], path, problem: table };
  return { entries: entriesOf(table, adapter), path, problem: null };
}

/** The classes that a table has for an adapter. */
export const entriesOf = (table: Table, adapter: string): readonly TunedEntry[] =>
  Object.hasOwn(table.adapters, adapter) ? table.adapters[adapter]! : [];

/** The table without an adapter. */
export const withoutAdapter = (table: Table, adapter: string): Table => ({
  version: tableVersion,
  adapters: Object.fromEntries(Object.entries(table.adapters).filter(([name]) => name !== adapter)),
});

/** The table with some of an adapter's classes measured anew. */
export function withEntries(
  table: Table | null,
  adapter: string,
  measured: readonly TunedEntry[],
): Table {
  const known = table?.adapters ?? {};
  const own = table === null ? [] : entriesOf(table, adapter);
  const kept = own.filter((entry) => !measured.some((one) => sameClass(one, entry)));
  return { version: tableVersion, adapters: { ...known, [adapter]: [...kept, ...measured] } };
}
