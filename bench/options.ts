// What is measured: objectives × rows × vocabulary × storage, what is varied, and where the figures go; from the command
// line. A wrong word or number ends in one sentence.

import { parseArgs } from "node:util";
import { didYouMean } from "../src/core/names.ts";
import { storageTypes, type StorageType } from "../src/core/storage.ts";
import { builtIn, builtIns } from "../src/index.ts";

export const directions = ["forward", "backward", "full"] as const;
export type Direction = (typeof directions)[number];
export const clocks = ["gpu", "wall"] as const;
export type Clock = (typeof clocks)[number];

export interface Options {
  readonly objectives: readonly string[];
  /** Rows of each logits tensor, of both responses together. */
  readonly rows: readonly number[];
  readonly vocab: readonly number[];
  readonly dtype: readonly StorageType[];
  readonly directions: readonly Direction[];
  readonly clocks: readonly Clock[];
  readonly repeats: number;
  readonly warmUps: number;
  /** Bytes read between samples so that nothing is left in a cache; 0 for none. */
  readonly flushBytes: number;
  /** Whether compiled objectives without metrics run as well. */
  readonly withoutMetrics: boolean;
  readonly cachedReference: boolean;
  readonly inPlace: boolean;
  /** Share of the rows that are prompt or padding. */
  readonly padding: number;
  readonly adapter: string | undefined;
  readonly json: string | undefined;
  readonly report: string | undefined;
  readonly roofline: string | undefined;
  readonly peers: boolean;
  readonly help: boolean;
}

const texts = {
  objectives: ["dpo,wpo", "built-in objectives, or all"],
  rows: ["256", "rows of logits, of all responses together"],
  vocab: ["32000,128256", "vocabulary entries"],
  dtype: ["f32", `storage of logits and gradient: ${storageTypes.join(", ")}`],
  directions: [directions.join(","), "which directions are reported"],
  clock: [clocks.join(","), "the GPU's timestamps, the time of whole calls, or both"],
  metrics: ["on", "off: compiled-no-metrics runs beside compiled"],
  padding: ["0", "share of rows that are prompt or padding, for example 0.67"],
  repeats: ["15", "measured rounds"],
  "warm-up": ["3", "rounds before them"],
  "flush-mib": ["128", "MiB read between samples to empty caches; 0 for none"],
} as const;
const paths = {
  adapter: "auto, hardware, software, lavapipe or swiftshader",
  json: "file for JSON lines",
  report: "file for the Markdown report",
  roofline: "file for the roofline picture (SVG)",
} as const;
const flags = {
  "cached-reference": "log-probabilities of the reference are given, its logits are not read",
  "in-place": "the gradient is written over the policy's logits",
  peers: "other frameworks on the same inputs",
  help: "this text",
} as const;

/** What `--help` prints. */
export function usage(): string {
  const line = (name: string, text: string): string => `  --${name.padEnd(20)} ${text}`;
  return [
    "npm run bench -- [options]; lists are separated by commas",
    "",
    ...Object.entries(texts).map(([name, [initial, text]]) => line(name, `${text} (${initial})`)),
    ...Object.entries({ ...paths, ...flags }).map(([name, text]) => line(name, text)),
    "",
  ].join("\n");
}

const list = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  ),
];

function words<const T extends string>(
  name: string,
  text: string,
  known: readonly T[],
): readonly T[] {
  const given = list(text);
  if (given.length === 0)
    throw new Error(`--${name}: nothing is named; choose from ${known.join(", ")}.`);
  return given.map((word) => {
    const found = known.find((one) => one === word);
    if (found !== undefined) return found;
    throw new Error(`--${name}: "${word}" is not known; choose from ${known.join(", ")}.`);
  });
}

function whole(name: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name}: "${text}" is not a whole number of at least ${least}.`);
}

const wholes = (name: string, text: string): readonly number[] => {
  const given = list(text);
  if (given.length === 0)
    throw new Error(`--${name}: no number is given; write for example --${name} 256.`);
  return given.map((part) => whole(name, part, 1));
};

function share(name: string, text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (value >= 0 && value < 1) return value;
  throw new Error(`--${name}: "${text}" is not a share from 0 to below 1.`);
}

function objectivesNamed(text: string): readonly string[] {
  const given = list(text);
  if (given.length === 0)
    throw new Error("--objectives: nothing is named; write for example --objectives dpo,wpo.");
  if (given.includes("all")) return Object.keys(builtIns);
  for (const name of given) builtIn(name);
  return given;
}

/** Reads the command line. @throws Error with one sentence */
export function readOptions(args: readonly string[]): Options {
  const strings = Object.entries(texts).map(
    ([name, [initial]]) => [name, { type: "string", default: initial }] as const,
  );
  const files = Object.keys(paths).map((name) => [name, { type: "string" }] as const);
  const booleans = Object.keys(flags).map(
    (name) => [name, { type: "boolean", default: false }] as const,
  );
  const known = Object.fromEntries([...strings, ...files, ...booleans]);
  const values = parsed(args, known);
  const text = (name: keyof typeof texts): string => values[name] as string;
  const path = (name: keyof typeof paths): string | undefined => values[name] as string | undefined;
  const flag = (name: keyof typeof flags): boolean => values[name] === true;
  return {
    objectives: objectivesNamed(text("objectives")),
    rows: wholes("rows", text("rows")),
    vocab: wholes("vocab", text("vocab")),
    dtype: words("dtype", text("dtype"), storageTypes),
    directions: words("directions", text("directions"), directions),
    clocks: words("clock", text("clock"), clocks),
    repeats: whole("repeats", text("repeats"), 1),
    warmUps: whole("warm-up", text("warm-up"), 0),
    flushBytes: whole("flush-mib", text("flush-mib"), 0) * 2 ** 20,
    withoutMetrics: words("metrics", text("metrics"), ["on", "off"])[0] === "off",
    padding: share("padding", text("padding")),
    cachedReference: flag("cached-reference"),
    inPlace: flag("in-place"),
    peers: flag("peers"),
    help: flag("help"),
    adapter: path("adapter"),
    json: path("json"),
    report: path("report"),
    roofline: path("roofline"),
  };
}

function parsed(
  args: readonly string[],
  options: Readonly<Record<string, { readonly type: "string" | "boolean" }>>,
): Readonly<Record<string, unknown>> {
  const names = Object.keys(options);
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional")
      throw new Error(`"${token.value}" is no option; see npm run bench -- --help.`);
    if (token.kind !== "option") continue;
    const { name, value } = token;
    if (!Object.hasOwn(options, name)) {
      throw new Error(
        `there is no option --${name}; see npm run bench -- --help.${didYouMean(name, names)}`,
      );
    }
    const takesValue = options[name]!.type === "string";
    if (takesValue && (value === undefined || value === "" || value.startsWith("--")))
      throw new Error(`--${name} needs a value; see npm run bench -- --help.`);
    if (!takesValue && value !== undefined)
      throw new Error(`--${name} takes no value, but was given "${value}".`);
  }
  return parseArgs({ args: [...args], options, strict: false }).values;
}
