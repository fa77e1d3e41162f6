// What is measured: objectives × rows × vocabulary × directions, from the command line.

import { parseArgs } from "node:util";

export type Direction = "forward" | "backward" | "full";

export interface Options {
  readonly objectives: readonly string[];
  readonly rows: readonly number[];
  readonly vocab: readonly number[];
  readonly dtype: readonly "f32"[];
  readonly repeats: number;
  readonly adapter: string | undefined;
  readonly json: string | undefined;
  readonly report: string | undefined;
  readonly peers: boolean;
}

const list = (text: string): readonly string[] => text.split(",").filter((part) => part !== "");

function numbers(name: string, text: string): readonly number[] {
  return list(text).map((part) => {
    const value = Number(part);
    if (!Number.isInteger(value) || value < 1) {
      throw new Error(
        `--${name}: "${part}" is not a whole number above 0; write for example --${name} 256.`,
      );
    }
    return value;
  });
}

export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      objectives: { type: "string", default: "dpo,wpo" },
      rows: { type: "string", default: "256" },
      vocab: { type: "string", default: "32000,128256" },
      dtype: { type: "string", default: "f32" },
      repeats: { type: "string", default: "15" },
      adapter: { type: "string" },
      json: { type: "string" },
      report: { type: "string" },
      peers: { type: "boolean", default: false },
    },
  });
  const dtype = list(values.dtype);
  const unknown = dtype.find((name) => name !== "f32");
  if (unknown !== undefined)
    throw new Error(`--dtype: "${unknown}" is not stored yet; choose f32.`);
  const rows = numbers("rows", values.rows);
  const odd = rows.find((count) => count % (2 * tokensPerResponse) !== 0);
  if (odd !== undefined) {
    throw new Error(
      `--rows: ${odd} is not a multiple of ${2 * tokensPerResponse}, a pair of responses of ${tokensPerResponse} tokens.`,
    );
  }
  return {
    objectives: list(values.objectives),
    rows,
    vocab: numbers("vocab", values.vocab),
    dtype: dtype as readonly "f32"[],
    repeats: numbers("repeats", values.repeats)[0]!,
    adapter: values.adapter,
    json: values.json,
    report: values.report,
    peers: values.peers,
  };
}

/** Completion tokens of each response of the benchmark's batches. */
export const tokensPerResponse = 16;
