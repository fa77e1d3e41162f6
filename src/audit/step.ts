// One training step as it was recorded: sequences with their masks, the logits of each model, and what the trainer made of them.
// Reading a step checks shapes and values; which tokens count is decided later, since that is where trainers go wrong.

import { fail } from "../core/error.ts";
import { didYouMean } from "../core/names.ts";
import type { TensorFile } from "../tensors/tensor.ts";
import { metricOf, names, type Role } from "./names.ts";
import { fileRows, realsOf, type FileRows, type Given } from "./rows.ts";
import {
  checkRows,
  masks,
  matrixLengths,
  matrixRows,
  tokenRows,
  unitOf,
  type Found,
} from "./shapes.ts";

/** The responses of a recorded pair, in the order of their sequences. */
export const responsesIn: readonly string[] = ["w", "l"];

/** One sequence, prompt and completion in one. */
export interface Sequence {
  readonly ids: ArrayLike<number>;
  /** 1 where a token belongs to the completion. */
  readonly completion: ArrayLike<number>;
  /** 1 where a token is no padding; null where that was not recorded. */
  readonly attention: ArrayLike<number> | null;
}
/** A number that the trainer recorded for each position of each sequence. */
export interface PerPosition {
  readonly name: string;
  /** Positions of a sequence's row: all, or all but the first. */
  readonly length: (sequence: number) => number;
  readonly at: (sequence: number, position: number) => number;
  /** What rounding to the type that it is stored in loses, in parts of a number. */
  readonly unit: number;
}
/** Numbers that the trainer recorded, under the name that the file gives them. */
export interface Listed {
  readonly name: string;
  readonly values: ArrayLike<number>;
  readonly unit: number;
}
export interface Step {
  /** The file, as sentences name it. */
  readonly file: string;
  /** Chosen ones, then rejected ones. */
  readonly sequences: readonly Sequence[];
  readonly examples: number;
  readonly logits: Readonly<Record<string, FileRows>>;
  readonly perPosition: Readonly<Partial<Record<Role, PerPosition>>>;
  /** One number for each sequence, for each example, or one in all. */
  readonly listed: Readonly<Partial<Record<Role, Listed>>>;
  readonly metrics: readonly Listed[];
  /** The gradient of the policy's logits, in rows like theirs. */
  readonly gradient: { readonly name: string; readonly rows: FileRows } | null;
  /** Tensors that stand for nothing that is known. */
  readonly others: readonly string[];
}

/** @throws PrefcError "step-tensor-missing", "step-tensor-shape", "step-tensor-value", "tensor-type" */
export function readStep(file: TensorFile, given: Given): Step {
  const used = new Set<string>();
  const find = (role: Role): Found | null => {
    const { whole, pairs } = names[role];
    const one = whole.find((name) => file.tensors.has(name));
    const two = pairs.find((both) => both.every((name) => file.tensors.has(name)));
    if (one !== undefined) {
      used.add(one);
      return { name: one, tensors: [file.tensors.get(one)!] };
    }
    if (two === undefined) return null;
    for (const name of two) used.add(name);
    return { name: two.join(" and "), tensors: two.map((name) => file.tensors.get(name)!) };
  };
  const missing = (role: Role, what: string): never => {
    const known = [...names[role].whole, ...names[role].pairs.map((both) => both.join(" and "))];
    const hint = [...file.tensors.keys()]
      .map((name) => didYouMean(name, known))
      .find((text) => text !== "");
    return fail(
      "step-tensor-missing",
      `${file.name} has no ${what}; record it as ${known.join(", or as ")}.${hint ?? ""}`,
    );
  };

  // ---- sequences
  const labels = find("labels");
  const ids = find("ids") ?? labels ?? missing("ids", "token ids");
  const lengths = matrixLengths(file, ids);
  const positions = lengths.length;
  if (positions === 0 || positions % 2 !== 0) {
    return fail(
      "step-tensor-shape",
      `${file.name}: ${ids.name} has ${positions} sequences, which are no pairs; record the chosen ones and then as many rejected ones.`,
    );
  }
  const rows = (found: Found): readonly Float64Array[] => matrixRows(file, found, lengths);
  const own = rows(ids);
  const marked = find("completion");
  const attention = find("attention");
  const completion =
    marked !== null
      ? masks(file, marked, rows(marked))
      : labels === null
        ? missing("completion", "completion mask and no labels")
        : rows(labels).map((row) => row.map((label) => Number(label >= 0)));
  const padding = attention === null ? null : masks(file, attention, rows(attention));
  const sequences = own.map((row, index) => ({
    ids: row,
    completion: completion[index]!,
    attention: padding?.[index] ?? null,
  }));

  // ---- logits, and what was made of them
  const logits: Record<string, FileRows> = {};
  const threefold = (role: Role): { readonly name: string; readonly rows: FileRows } | null => {
    const found = find(role);
    if (found === null) return null;
    checkRows(file, found, lengths);
    return { name: found.name, rows: fileRows(found.tensors, given) };
  };
  for (const model of ["policy", "ref"] as const) {
    const found = threefold(`${model} logits`);
    if (found !== null) logits[model] = found.rows;
  }
  if (logits["policy"] === undefined) missing("policy logits", "logits of the policy");
  const perPosition: Partial<Record<Role, PerPosition>> = {};
  for (const role of [
    "policy token logps",
    "ref token logps",
    "gradient of token logps",
  ] as const) {
    const found = find(role);
    if (found === null) continue;
    const values = tokenRows(file, found, lengths, given);
    perPosition[role] = {
      name: found.name,
      unit: unitOf(found.tensors, given),
      length: (sequence) => values[sequence]!.length,
      // a row without the first position begins with what predicts the second token
      at: (sequence, position) =>
        values[sequence]![position - (lengths[sequence]! - values[sequence]!.length)]!,
    };
  }
  const listed: Partial<Record<Role, Listed>> = {};
  const counts: Readonly<Partial<Record<Role, readonly number[]>>> = {
    "policy logps": [positions],
    "ref logps": [positions],
    weights: [positions, positions / 2],
    losses: [positions / 2],
    loss: [1],
  };
  for (const role of Object.keys(counts) as readonly Role[]) {
    const found = find(role);
    if (found === null) continue;
    const values = found.tensors.flatMap((tensor) => [...realsOf(tensor, given)]);
    const expected = counts[role]!;
    if (!expected.includes(values.length)) {
      fail(
        "step-tensor-shape",
        `${file.name}: ${found.name} has ${values.length} numbers, where the step has ${expected.join(" or ")}; record one for each.`,
      );
    }
    listed[role] = { name: found.name, values, unit: unitOf(found.tensors, given) };
  }
  const metrics = [...file.tensors.values()].flatMap((tensor): readonly Listed[] => {
    const metric = metricOf(tensor.name);
    if (metric === null || tensor.count !== 1) return [];
    used.add(tensor.name);
    return [{ name: metric, values: realsOf(tensor, given), unit: unitOf([tensor], given) }];
  });
  const gradient = threefold("gradient of logits");
  return {
    file: file.name,
    sequences,
    examples: positions / 2,
    logits,
    perPosition,
    listed,
    metrics,
    gradient,
    others: [...file.tensors.keys()].filter((name) => !used.has(name)),
  };
}
