// One long-lived process of Python with torch, which runs emitted files: a request a line, an answer a line. The interpreter is
// PREFC_PYTHON, or python3; whoever has neither is told so in one sentence, and nothing else here depends on it.

import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { fail, PrefcError } from "../core/error.ts";
import { cite } from "../core/quote.ts";

/** A tensor in float64, or of whole numbers. */
export interface Sent {
  readonly shape: readonly number[];
  readonly values: Float64Array;
  readonly kind: "real" | "whole";
}
export interface Call {
  /** The module that was loaded. */
  readonly key: string;
  readonly function: string;
  readonly tensors: Readonly<Record<string, Sent>>;
  readonly numbers: Readonly<Record<string, number>>;
  /** The tensors with respect to which the gradient is asked for. */
  readonly gradients: readonly string[];
  readonly dtype?: "float64" | "float32" | "bfloat16" | "float16";
  /** "compile" uses fullgraph=True. */
  readonly mode?: "eager" | "fx" | "compile";
  /** The back end of "compile"; "aot_eager" traces everything and generates no code. */
  readonly backend?: "inductor" | "aot_eager";
}
export interface Answer {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly state: Readonly<Record<string, number>>;
  readonly gradients: Readonly<Record<string, Float64Array>>;
}
export interface Python {
  /** Versions in one line. */
  readonly line: string;
  /** Makes a module of an emitted file. */
  readonly load: (key: string, text: string) => Promise<void>;
  /** @throws PrefcError "python-raised" with what the file raised */
  readonly call: (call: Call) => Promise<Answer>;
  /** What a piece of Python leaves under the name `result`. */
  readonly script: (text: string) => Promise<unknown>;
  readonly close: () => void;
}

const file = fileURLToPath(new URL("../../python/worker.py", import.meta.url));

/** The interpreter that would be used. */
export const interpreter = (): string => process.env["PREFC_PYTHON"] ?? "python3";

let known: { readonly name: string; readonly found: boolean } | null = null;

/** Whether that interpreter has torch. It is asked once. */
export function hasTorch(): boolean {
  const name = interpreter();
  if (known?.name !== name) {
    const { status } = spawnSync(name, ["-c", "import torch, numpy"], { stdio: "ignore" });
    known = { name, found: status === 0 };
  }
  return known.found;
}

const bytesOf = (values: Float64Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
function numbersOf(text: string): Float64Array {
  const bytes = Buffer.from(text, "base64");
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
const numberOf = (text: string): number => numbersOf(text)[0]!;
const mapped = <A, B>(
  record: Readonly<Record<string, A>>,
  of: (value: A) => B,
): Readonly<Record<string, B>> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(value)]));

interface Raw {
  readonly error?: { readonly type: string; readonly message: string };
  readonly [name: string]: unknown;
}

/** The process has gone; `told` is what it wrote last to its error output. */
export const pythonEnded = (told: string): PrefcError =>
  new PrefcError(
    "python-ended",
    `The process of Python has ended, so nothing can be run in it; it said ${cite(told.trim())}.`,
  );

/** An emitted file has raised an error. */
export const pythonRaised = ({ type, message }: NonNullable<Raw["error"]>): PrefcError =>
  new PrefcError("python-raised", `${type}: ${message === "" ? "it gave no reason" : message}`);

/** Starts the process. @throws PrefcError "python-missing" */
export async function openPython(): Promise<Python> {
  const name = interpreter();
  if (!hasTorch())
    fail(
      "python-missing",
      `There is no Python with torch and numpy: ${cite(name)} has none; set PREFC_PYTHON to one that has, after pip install torch numpy.`,
    );
  const child: ChildProcessWithoutNullStreams = spawn(name, [file], { stdio: "pipe" });
  const waiting: ((line: string) => void)[] = [];
  let told = "";
  child.stderr.on("data", (data: Buffer) => {
    told = (told + data.toString()).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout });
  const early: string[] = [];
  lines.on("line", (line) => {
    const next = waiting.shift();
    if (next === undefined) early.push(line);
    else next(line);
  });
  const lost = new Promise<never>((_, reject) => {
    child.on("exit", () => {
      reject(pythonEnded(told));
    });
  });
  lost.catch(() => undefined);
  const answer = (): Promise<string> => {
    const line = early.shift();
    return line !== undefined
      ? Promise.resolve(line)
      : Promise.race([new Promise<string>((resolve) => waiting.push(resolve)), lost]);
  };
  let turn: Promise<unknown> = Promise.resolve();
  const ask = async (request: object): Promise<Raw> => {
    // one after another, since answers carry no number
    const own = turn.then(async () => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return JSON.parse(await answer()) as Raw;
    });
    turn = own.catch(() => undefined);
    const made = await own;
    if (made.error !== undefined) throw pythonRaised(made.error);
    return made;
  };
  const { torch, python } = JSON.parse(await answer()) as { torch: string; python: string };
  return {
    line: `torch ${torch}, Python ${python}`,
    load: async (key, text) => void (await ask({ do: "load", key, text })),
    call: async ({ tensors, dtype = "float64", mode = "eager", ...rest }) => {
      const sent = mapped(tensors, ({ values, ...one }) => ({ ...one, data: bytesOf(values) }));
      const raw = await ask({ do: "run", ...rest, dtype, mode, tensors: sent });
      return {
        loss: numberOf(raw["loss"] as string),
        metrics: mapped(raw["metrics"] as Readonly<Record<string, string>>, numberOf),
        state: mapped(raw["state"] as Readonly<Record<string, string>>, numberOf),
        gradients: mapped(raw["gradients"] as Readonly<Record<string, string>>, numbersOf),
      };
    },
    script: async (text) => (await ask({ do: "script", text }))["result"],
    close: () => {
      child.stdin.end();
      child.kill();
    },
  };
}
