// Golden files for tests: recorded ones from spec/conformance, changed where a test needs it.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { conformFile, type FileReport } from "../../src/conform/file.ts";
import { parseGolden } from "../../src/conform/golden.ts";
import { referenceEngine } from "../../src/conform/reference.ts";
import type { PrefcError } from "../../src/core/error.ts";

export const folder: string = fileURLToPath(new URL("../conformance/", import.meta.url));
export const sigmoid = "trl_dpo_sigmoid_a__normal_s101_b3t7v11.json";
export const weighted = "trl_dpo_sigmoid_wpo_a__normal_s116_b3t7v11.json";
export const unpaired = "trl_dpo_aot_unpaired_a__normal_s110_b3t7v11.json";
export const sft = "trl_dpo_sft_a__normal_s114_b3t7v11.json";
export const defect = "trl028_sigmoid_use_weighting_a__normal_s157_b3t7v11.json";

/** A part of a document that a test may change. */
export type Json = { [key: string]: Json } & { [index: number]: Json };

export const textOf = (file: string): string => readFileSync(`${folder}${file}`, "utf8");
export const documentOf = (file: string): Json => JSON.parse(textOf(file)) as Json;

/** The text of a recorded file after a change. */
export function changed(file: string, change: (document: Json) => void): string {
  const document = documentOf(file);
  change(document);
  return JSON.stringify(document);
}

/** Sets a member to any value, as a corrupt file would have it. */
export const put = (target: Json, key: string | number, value: unknown): void => {
  (target as Record<string | number, unknown>)[key] = value;
};

/** Reads a text and compares it with the interpreter. */
export const conform = async (text: string, file: string = "changed.json"): Promise<FileReport> =>
  await conformFile(parseGolden(text, file), [referenceEngine()]);

/** The error that an act ends in. */
export function errorOf(act: () => unknown): PrefcError {
  try {
    act();
  } catch (error) {
    return error as PrefcError;
  }
  throw new Error("nothing was thrown");
}
