// What is measured: objectives × rows × vocabulary × storage, what is varied, and where the figures go; from the command
// line. A wrong word or number ends in one sentence.

import { storageTypes, type StorageType } from "../src/core/storage.ts";
import { builtIn, builtIns } from "../src/index.ts";
import { makesPairs, unevenRows } from "./layout.ts";
import { peerNames, peerObjectives, type PeerName } from "./peers.ts";
import { dataKinds, type Data } from "./values.ts";
import { list, parsed, share, whole, wholes, words, type Kinds } from "./words.ts";

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
  readonly data: readonly Data[];
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
  readonly peers: readonly PeerName[];
  /** Whether only peers are measured, and prefc beside them. */
  readonly onlyPeers: boolean;
  readonly help: boolean;
}

const texts = {
  objectives: ["dpo,wpo", "built-in objectives, or all"],
  rows: ["256", "rows of logits, of all responses together"],
  vocab: ["32000,128256", "vocabulary entries"],
  dtype: ["f32", `storage of logits and gradient: ${storageTypes.join(", ")}`],
  data: [
    "uniform",
    "uniform noise, or peaked: logits as of a language model, with the label near the top",
  ],
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
  "only-peers": "peers, and nothing but prefc beside them",
  help: "this text",
} as const;
/** Flags that may have a value after an equals sign. */
const perhaps = {
  peers: `other libraries on the same inputs; --peers=NAMES for some of ${peerNames.join(", ")}`,
} as const;

/** What `--help` prints. */
export function usage(): string {
  const line = (name: string, text: string): string => `  --${name.padEnd(20)} ${text}`;
  return [
    "npm run bench -- [options]; lists are separated by commas",
    "",
    ...Object.entries(texts).map(([name, [initial, text]]) => line(name, `${text} (${initial})`)),
    ...Object.entries({ ...paths, ...perhaps, ...flags }).map(([name, text]) => line(name, text)),
    "",
  ].join("\n");
}

function objectivesNamed(text: string): readonly string[] {
  const given = list(text);
  if (given.length === 0)
    throw new Error("--objectives: nothing is named; write for example --objectives dpo,wpo.");
  if (given.includes("all")) return Object.keys(builtIns);
  for (const name of given) builtIn(name);
  return given;
}

const peersNamed = (given: string | boolean): readonly PeerName[] => {
  if (typeof given === "string") return words("peers", given, peerNames);
  return given ? peerNames : [];
};

/** Reads the command line. @throws Error with one sentence */
export function readOptions(args: readonly string[]): Options {
  const kinds: Kinds = Object.fromEntries([
    ...Object.keys({ ...texts, ...paths }).map((name) => [name, "string" as const]),
    ...Object.keys(flags).map((name) => [name, "boolean" as const]),
    ...Object.keys(perhaps).map((name) => [name, "perhaps" as const]),
  ]);
  const values = parsed(
    args.map((arg) => (arg === "-h" ? "--help" : arg)),
    kinds,
  );
  const text = (name: keyof typeof texts): string => {
    const value = values[name];
    return typeof value === "string" ? value : texts[name][0];
  };
  const path = (name: keyof typeof paths): string | undefined => values[name] as string | undefined;
  const flag = (name: keyof typeof flags): boolean => values[name] === true;
  const rows = wholes("rows", text("rows"));
  const peers = peersNamed(values["peers"] ?? flag("only-peers"));
  const uneven = peers.length === 0 ? undefined : rows.find((count) => !makesPairs(count));
  if (uneven !== undefined) throw new Error(unevenRows(uneven));
  const objectives = objectivesNamed(text("objectives"));
  if (peers.length > 0 && !objectives.some((name) => peerObjectives.includes(name)))
    throw new Error(
      `--peers: peers have ${peerObjectives.join(" and ")}; name one of them in --objectives.`,
    );
  return {
    objectives,
    rows,
    vocab: wholes("vocab", text("vocab")),
    dtype: words("dtype", text("dtype"), storageTypes),
    data: words("data", text("data"), dataKinds),
    directions: words("directions", text("directions"), directions),
    clocks: words("clock", text("clock"), clocks),
    repeats: whole("repeats", text("repeats"), 1),
    warmUps: whole("warm-up", text("warm-up"), 0),
    flushBytes: whole("flush-mib", text("flush-mib"), 0) * 2 ** 20,
    withoutMetrics: words("metrics", text("metrics"), ["on", "off"])[0] === "off",
    padding: share("padding", text("padding")),
    cachedReference: flag("cached-reference"),
    inPlace: flag("in-place"),
    peers,
    onlyPeers: flag("only-peers"),
    help: flag("help"),
    adapter: path("adapter"),
    json: path("json"),
    report: path("report"),
    roofline: path("roofline"),
  };
}
