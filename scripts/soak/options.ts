// What `npm run soak` is asked for: how much of each part, on which adapter, and how much growth is allowed.
import { parseArgs } from "node:util";
import { adapterNames } from "../../src/runtime/device/adapter.ts";

export interface Options {
  readonly adapter: string | undefined;
  /** Compile, run, dispose, on one device. */
  readonly cycles: number;
  /** Open, run, lose or not, dispose. */
  readonly devices: number;
  /** Cold starts of the command line. */
  readonly starts: number;
  /** Short lives with a fault at a random call. */
  readonly faults: number;
  /** Runs whose waits are measured. */
  readonly waits: number;
  readonly waitRows: number;
  readonly seed: number;
  /** Allowed growth of memory after the first fifth, as a share. */
  readonly growth: number;
}

const texts = {
  cycles: ["1000", "compile-run-dispose cycles on one device"],
  devices: ["100", "device cycles, of which every second loses its device"],
  starts: ["100", "cold starts of the command line"],
  faults: ["50", "lives with a fault at a random call to WebGPU"],
  waits: ["10", "runs whose waits are measured"],
  "wait-rows": ["64", "rows of 128,256 logits that a measured run reads"],
  seed: ["1", "what determines the faults"],
  growth: ["10", "percent that memory may grow after the first fifth"],
} as const;

/** What `--help` prints. */
export const usage = (): string =>
  [
    "npm run soak -- [options]; a part with the count 0 is left out",
    "",
    ...Object.entries(texts).map(
      ([name, [initial, text]]) => `  --${name.padEnd(10)} ${text} (${initial})`,
    ),
    `  --${"adapter".padEnd(10)} ${adapterNames.join(", ")}`,
    "",
  ].join("\n");

/** Reads the command line; null when help is asked for. @throws Error with one sentence */
export function readOptions(args: readonly string[]): Options | null {
  const strings = Object.entries(texts).map(
    ([name, [initial]]) => [name, { type: "string", default: initial }] as const,
  );
  const values: Readonly<Record<string, unknown>> = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(strings),
      adapter: { type: "string" },
      help: { type: "boolean", default: false },
    },
  }).values;
  if (values["help"] === true) return null;
  const whole = (name: keyof typeof texts): number => {
    const text = String(values[name]);
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(value)) return value;
    throw new Error(`--${name}: "${text}" is not a whole number of at least 0.`);
  };
  for (const part of ["cycles", "devices"] as const)
    if (whole(part) > 0 && whole(part) < 5)
      throw new Error(`--${part}: growth shows in 5 cycles or more; 0 leaves them out.`);
  return {
    adapter: values["adapter"] as string | undefined,
    cycles: whole("cycles"),
    devices: whole("devices"),
    starts: whole("starts"),
    faults: whole("faults"),
    waits: whole("waits"),
    waitRows: Math.max(2, whole("wait-rows")),
    seed: whole("seed"),
    growth: whole("growth") / 100,
  };
}
