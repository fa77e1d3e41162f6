// A golden file: one call of a published loss function, recorded with its inputs, its loss and its gradient.
// Reading one checks what every file has in common; what only some objectives need (inputs of a particular layout,
// hyper-parameters) stays a place in the document, and is checked by whoever reads it.

import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { parseJson } from "../core/json.ts";
import { fail } from "../core/error.ts";
import { mention } from "../core/quote.ts";
import { member, real, record, text, whole, type Place } from "./place.ts";

/** Extents of the recorded tensors: examples, positions and vocabulary entries. How many rows there are, the layout says. */
export interface Shapes {
  readonly examples: number;
  readonly length: number;
  readonly vocab: number;
}

/** What the source itself computed in float32. */
export interface SourceRun {
  readonly loss: number;
  /** max |gradient in float32 − gradient in float64|; Infinity if an entry was not finite. */
  readonly gradientDifference: number;
  /** Loss of each example; holds nothing where it was not recorded. */
  readonly perExample: Place;
}

export interface Golden {
  readonly file: string;
  /** The objective by the name it was recorded under. */
  readonly objective: string;
  /** normal, near_ref, peaked, greedy or extreme. */
  readonly kind: string;
  /** The precision of the recorded numbers: "float32" where the source cannot run in float64. */
  readonly dtype: "float64" | "float32";
  readonly shapes: Shapes;
  readonly params: Place;
  readonly inputs: Place;
  readonly outputs: Place;
  readonly loss: number;
  /** Absent from files that were written from a formula, because there is no source to run. */
  readonly source: SourceRun | null;
}

/** Whether a place holds something; JSON's null counts as nothing. */
export const isGiven = ({ value }: Place): boolean => value !== undefined && value !== null;

function readShapes(place: Place): Shapes {
  const extent = (name: string): number => whole(member(place, name), 1);
  return { examples: extent("B"), length: extent("T"), vocab: extent("V") };
}

function readSource(place: Place): SourceRun | null {
  if (!isGiven(place)) return null;
  const broken = member(place, "grad_nonfinite_count");
  const difference = member(place, "grad_max_abs_err_vs_f64");
  const nonFinite = isGiven(broken) && whole(broken, 0) > 0;
  const measured = isGiven(difference) ? real(difference) : Infinity;
  return {
    loss: real(member(place, "loss")),
    gradientDifference: nonFinite || !Number.isFinite(measured) ? Infinity : Math.abs(measured),
    perExample: member(place, "per_pair_loss"),
  };
}

/**
 * A golden file from its text. `file` is its name, for sentences.
 * @throws PrefcError "golden-malformed" and what `parseJson` throws, naming the file and the place.
 */
export function parseGolden(source: string, file: string): Golden {
  const value = parseJson(source, file);
  const document: Place = { file, path: "", value };
  const outputs = member(document, "outputs");
  const [params, inputs] = [member(document, "params"), member(document, "inputs")];
  for (const part of [params, inputs, outputs]) record(part);
  const kind = member(document, "data_kind");
  return {
    file,
    objective: text(member(document, "objective")),
    kind: isGiven(kind) ? text(kind) : "unknown",
    dtype: member(document, "dtype").value === "float32" ? "float32" : "float64",
    shapes: readShapes(member(document, "shapes")),
    params,
    inputs,
    outputs,
    loss: real(member(outputs, "loss")),
    source: readSource(member(document, "float32_run")),
  };
}

const largestFile = 2 ** 28;

/** Reads a golden file. @throws PrefcError "golden-unreadable", and what `parseGolden` throws */
export function readGolden(path: string): Golden {
  const file = mention(basename(path));
  let source: string;
  try {
    // a pipe would be waited for, and what is far too large is no recorded batch
    const found = statSync(path);
    if (!found.isFile()) throw new Error("it is no regular file");
    if (found.size > largestFile)
      throw new Error(`it has ${found.size} bytes, more than ${largestFile}`);
    source = readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return fail(
      "golden-unreadable",
      `${file}: the file cannot be read (${reason}); check the path and its permissions.`,
    );
  }
  return parseGolden(source, file);
}
