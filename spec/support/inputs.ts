// Everything that reads JSON or tensors, as functions from a file's bytes to a verdict: a result, or an error that is typed, is told in
// one safe line and names the file. Anything else is a fault.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Random } from "../../src/sample/random.ts";
import { conformFile } from "../../src/conform/file.ts";
import { readGolden } from "../../src/conform/golden.ts";
import { jsonLine } from "../../src/conform/text.ts";
import { referenceEngine } from "../../src/conform/reference.ts";
import { cite } from "../../src/core/quote.ts";
import { explanationText } from "../../src/explain/text.ts";
import {
  compile,
  dpo,
  evaluate,
  fromPacked,
  fromResponses,
  fromTrl,
  fromUnpaired,
  kto,
  parseJson,
  PrefcError,
  type Batch,
  type Objective,
} from "../../src/index.ts";
import { storedRates } from "../../src/measure/stored.ts";
import { openTensors } from "../../src/tensors/open.ts";
import { byteMutant } from "./byte-mutations.ts";
import { isOneSafeLine } from "./hostile.ts";
import { mutant, type Mutant } from "./mutations.ts";
import { bf16, bool, f32, i64, npz, safetensors } from "./tensors.ts";

/** An entry: a file that is right, and what reads such files. Returns what a person is told, a sentence each. */
export interface Entry {
  readonly name: string;
  /** A text, or bytes that are none. */
  readonly original: string | Buffer;
  readonly read: (path: string, bytes: Buffer) => Promise<readonly string[]> | readonly string[];
}

const logits = (rows: number, vocab: number): readonly (readonly number[])[] =>
  Array.from({ length: rows }, (_, row) =>
    Array.from({ length: vocab }, (__, v) => Math.sin(row * 7 + v * 3)),
  );
const nested = (sequences: number, length: number, vocab: number): readonly unknown[] =>
  Array.from({ length: sequences }, () => logits(length, vocab));

const mask = [0, 0, 1, 1];
const ids = [1, 2, 3, 4];
const sequences = {
  input_ids: [ids, ids, ids, ids],
  completion_mask: [mask, mask, mask, mask],
  attention_mask: [
    [1, 1, 1, 1],
    [1, 1, 1, 1],
    [0, 1, 1, 1],
    [1, 1, 1, 1],
  ],
  policy_logits: nested(4, 4, 6),
  ref_logits: nested(4, 4, 6),
  examples: { margin: [0.5, 1] },
  rewards: { chosen: [1, 2], rejected: [0, 1] },
  tokens: { weight: [ids, ids, ids, ids] },
};
const response = {
  labels: [[1, 2], [3]],
  policy_logits: logits(3, 6),
  ref_logits: logits(3, 6),
  ref_logp: [-1, -2, -3],
  reward: [1, 2],
  tokens: { weight: [1, 2, 3] },
};
const unpaired = {
  input_ids: [ids, ids],
  completion_mask: [mask, mask],
  label: [true, false],
  policy_logits: nested(2, 4, 6),
  ref_logits: nested(2, 4, 6),
  KL: {
    input_ids: [ids, ids],
    completion_mask: [mask, mask],
    policy_logits: nested(2, 4, 6),
    ref_logits: nested(2, 4, 6),
  },
};
const packed = {
  input_ids: [1, 2, 3, 4, 5],
  completion_mask: [0, 1, 1, 0, 1],
  cu_seqlens: [0, 3, 5],
  policy_logits: logits(5, 6),
  ref_logits: logits(5, 6),
};

const batchEntry = (
  name: string,
  document: unknown,
  adapter: (data: never) => Batch,
  objective: Objective,
): Entry => ({
  name,
  original: JSON.stringify(document, null, 1),
  read: (path, bytes) => {
    const data = parseJson(bytes.toString("utf8"), path);
    const batch = adapter(data as never);
    evaluate([objective.loss, ...Object.values(objective.metrics)], batch, {});
    return [];
  },
});

const rates = {
  "an adapter": { read_gb_s: 10, copy_gb_s: 12, bytes: 1e9, clock: "wall", measured: "2026-01-01" },
};
const plain = compile(dpo()).explain();

const conformance = new URL("../conformance/", import.meta.url).pathname;
const goldens = readdirSync(conformance).filter((file) => file.endsWith(".json"));

/** Every kind of tensor. */
const tensors = {
  input_ids: i64([1, 2, -100, 4], 2, 2),
  completion_mask: bool([0, 1, 1, 0], 2, 2),
  policy_logits: f32([1, -2.5, 3, 4, 5, 6, 7, 8], 2, 2, 2),
  "ref/logits": bf16([0x3f80, 0x4000, 0x3f80, 0x4000, 0x3f80, 0x4000, 0x3f80, 0x4000], 2, 2, 2),
  loss: f32([0.5]),
  none: f32([], 3, 0, 2),
};
const tensorEntry = (name: string, original: Buffer): Entry => ({
  name: `tensors ${name}`,
  original,
  read: (path) => {
    const file = openTensors(path);
    try {
      for (const tensor of file.tensors.values()) tensor.numbers();
      return [...file.tensors.keys()].map((one) => cite(one));
    } finally {
      file.close();
    }
  },
});

export const entries: readonly Entry[] = [
  tensorEntry("safetensors", safetensors(tensors)),
  tensorEntry("npz", npz(tensors)),
  tensorEntry("npz deflated", npz(tensors, true)),
  ...goldens.map((file): Entry => ({
    name: `golden ${file}`,
    original: readFileSync(join(conformance, file), "utf8"),
    read: async (path) => {
      const report = await conformFile(readGolden(path), [referenceEngine()]);
      return [...report.failures, ...report.notes, jsonLine(report)];
    },
  })),
  batchEntry("fromTrl", sequences, fromTrl, dpo()),
  batchEntry("fromResponses", { w: response, l: response }, fromResponses, dpo()),
  batchEntry("fromPacked", packed, fromPacked, dpo()),
  batchEntry("fromUnpaired", unpaired, fromUnpaired, kto()),
  {
    name: "measured rates",
    original: JSON.stringify(rates),
    read: (path, bytes) => {
      writeFileSync(join(path, "..", "ceilings.json"), bytes);
      const found = storedRates(null, [join(path, "..")]);
      const source = found === null ? "" : `measured on ${found.adapter}, ${found.measured}`;
      const given =
        found === null ? null : { readGbS: found.read_gb_s, copyGbS: found.copy_gb_s, source };
      return explanationText(plain, { rates: given }).split("\n");
    },
  },
];
/** Half of all cases are golden files, and the others are shared by the rest. */
export function entryOf(source: Random, among: readonly Entry[] = entries): Entry {
  const isGolden = ({ name }: Entry): boolean => name.startsWith("golden ");
  const wanted = source.integer(0, 1) === 0;
  const some = among.filter((entry) => isGolden(entry) === wanted);
  const from = some.length > 0 ? some : among;
  return from[source.integer(0, from.length - 1)]!;
}

/** A file with mistakes in it. */
export const mutantOf = ({ original }: Entry, source: Random): Mutant =>
  typeof original === "string" ? mutant(original, source) : byteMutant(original, source);

/** What one file came to. */
export interface Outcome {
  readonly kind: "result" | "error" | "fault";
  /** The error's code, or what is wrong. */
  readonly detail: string;
  readonly milliseconds: number;
}

/** A folder for the files of one run. */
export function workplace(): { readonly path: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "prefc-inputs-"));
  return { path: join(folder, "changed.json"), remove: () => rmSync(folder, { recursive: true }) };
}

/** Reads the bytes as an entry does. */
export async function outcomeOf(entry: Entry, bytes: Buffer, path: string): Promise<Outcome> {
  writeFileSync(path, bytes);
  const start = performance.now();
  const after = (): number => performance.now() - start;
  try {
    const told = await entry.read(path, bytes);
    const milliseconds = after();
    const wrong = told.find(
      (sentence) =>
        !isOneSafeLine(sentence) || /internal error|TypeError|RangeError/.test(sentence),
    );
    if (wrong !== undefined)
      return {
        kind: "fault",
        detail: `it says ${JSON.stringify(wrong.slice(0, 500))}`,
        milliseconds,
      };
    return { kind: "result", detail: "", milliseconds };
  } catch (error) {
    const milliseconds = after();
    const fault = (detail: string): Outcome => ({ kind: "fault", detail, milliseconds });
    if (!(error instanceof PrefcError))
      return fault(`no typed error: ${error instanceof Error ? error.stack : String(error)}`);
    const { code, message } = error;
    if (!isOneSafeLine(message))
      return fault(`${code} is no safe line: ${JSON.stringify(message)}`);
    // a path may hold several names of 200 characters, each of them written as an escape
    if (message.length > 4000) return fault(`${code} has ${message.length} characters`);
    if (entry.name.startsWith("golden ") && !message.startsWith("changed.json: "))
      return fault(`${code} does not name the file: ${message}`);
    return { kind: "error", detail: code, milliseconds };
  }
}
