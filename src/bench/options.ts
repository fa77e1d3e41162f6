// What is measured: objectives × rows × vocabulary × storage, what is varied, and where the figures go; as a table from which
// help texts and readers are made. A wrong word or number ends in one sentence.

import { PrefcError } from "../core/error.ts";
import { storageTypes, type StorageType } from "../core/storage.ts";
import { layoutKinds, type LayoutKind } from "../explain/shape.ts";
import { dataKinds, type Data } from "./values.ts";
import { share, whole, wholes, words } from "./words.ts";

const directions = ["forward", "backward", "full"] as const;
export type Direction = (typeof directions)[number];
export const clocks = ["gpu", "wall"] as const;
export type Clock = (typeof clocks)[number];

export interface Options {
  /** Rows of each logits tensor, of all responses together. */
  readonly rows: readonly number[];
  readonly vocab: readonly number[];
  readonly dtype: readonly StorageType[];
  readonly data: readonly Data[];
  /** Whether the responses of a model share a tensor, or have one each; a second layout runs beside the first. */
  readonly layout: readonly LayoutKind[];
  /** Tokens of completions: a number, the path of a file of them, or null for about sixteen, all equal where that fits. */
  readonly lengths: number | string | null;
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
  readonly timeoutMs: number;
  readonly json: string | undefined;
  readonly csv: string | undefined;
  readonly report: string | undefined;
  readonly roofline: string | undefined;
}

type Valued =
  | "rows"
  | "vocab"
  | "dtype"
  | "data"
  | "layout"
  | "lengths"
  | "directions"
  | "clock"
  | "metrics"
  | "padding"
  | "repeats"
  | "warm-up"
  | "flush-mib"
  | "timeout";
type Path = "adapter" | "json" | "csv" | "report" | "roofline";
type Flag = "cached-reference" | "in-place";

/** Options with a value: what it is when it is not given, what it says, and what may be written. */
export const valued: Readonly<
  Record<Valued, readonly [initial: string, text: string, hint: string]>
> = {
  rows: [
    "256",
    "rows of logits, of all responses together; a list is measured one by one",
    "count",
  ],
  vocab: ["32000,128256", "vocabulary entries, one or several", "count"],
  dtype: ["f32", `storage of logits and gradient: ${storageTypes.join(", ")}`, "type"],
  data: [
    "uniform",
    "uniform noise, or peaked: logits as of a language model, with the label near the top",
    "kind",
  ],
  layout: [
    "stacked",
    "stacked: all responses of a model in one tensor; separate: a tensor for each; both run beside each other",
    "kinds",
  ],
  lengths: [
    "16",
    "tokens of a completion; or a file of lengths, such as of real data, that completions take in turn",
    "count or file",
  ],
  directions: [directions.join(","), "which directions are reported", "names"],
  clock: [clocks.join(","), "the GPU's timestamps, the time of whole calls, or both", "names"],
  metrics: ["on", "off: compiled-no-metrics runs beside compiled", "on or off"],
  padding: ["0", "share of rows that are prompt or padding, for example 0.67", "share"],
  repeats: [
    "21",
    "measured rounds; of so many a difference of 5 % is told from noise of 2 %",
    "count",
  ],
  "warm-up": ["3", "rounds before them", "count"],
  "flush-mib": ["128", "MiB read between samples to empty caches; 0 for none", "count"],
  timeout: ["600", "the longest wait for the GPU, in seconds", "seconds"],
};
/** Names and files: what they say, and what may be written. */
export const paths: Readonly<Record<Path, readonly [text: string, hint: string]>> = {
  adapter: ["auto, hardware, software, lavapipe or swiftshader", "name"],
  json: ["file for JSON lines, with the samples of every round", "file"],
  csv: ["file for a table that spreadsheets read", "file"],
  report: ["file for the Markdown report", "file"],
  roofline: ["file for the roofline picture (SVG)", "file"],
};
/** Options without a value. */
export const flags: Readonly<Record<Flag, string>> = {
  "cached-reference": "log-probabilities of the reference are given, its logits are not read",
  "in-place": "the gradient is written over the policy's logits",
};

/** What was written on a command line; what is absent was not. */
export type Written = Readonly<Record<string, string | boolean | undefined>>;

/** Reads options. @throws PrefcError option-value */
export function readOptions(written: Written): Options {
  const text = (name: Valued): string => {
    const value = written[name];
    return typeof value === "string" ? value : valued[name][0];
  };
  const path = (name: Path): string | undefined => written[name] as string | undefined;
  const flag = (name: Flag): boolean => written[name] === true;
  const lengths = written["lengths"];
  const layout = words("layout", text("layout"), layoutKinds);
  if (layout.includes("separate") && flag("in-place")) {
    throw new PrefcError(
      "option-value",
      "--in-place: gradients over the logits are measured in one tensor; leave out --layout separate.",
    );
  }
  return {
    rows: wholes("rows", text("rows")),
    vocab: wholes("vocab", text("vocab")),
    dtype: words("dtype", text("dtype"), storageTypes),
    data: words("data", text("data"), dataKinds),
    layout,
    lengths:
      typeof lengths !== "string"
        ? null
        : /^\d+$/.test(lengths)
          ? whole("lengths", lengths, 1)
          : lengths,
    directions: words("directions", text("directions"), directions),
    clocks: words("clock", text("clock"), clocks),
    repeats: whole("repeats", text("repeats"), 1),
    warmUps: whole("warm-up", text("warm-up"), 0),
    flushBytes: whole("flush-mib", text("flush-mib"), 0) * 2 ** 20,
    withoutMetrics: words("metrics", text("metrics"), ["on", "off"])[0] === "off",
    padding: share("padding", text("padding")),
    cachedReference: flag("cached-reference"),
    inPlace: flag("in-place"),
    timeoutMs: whole("timeout", text("timeout"), 1) * 1000,
    adapter: path("adapter"),
    json: path("json"),
    csv: path("csv"),
    report: path("report"),
    roofline: path("roofline"),
  };
}
