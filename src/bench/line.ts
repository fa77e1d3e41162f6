// A line of a benchmark: what --json writes and what reports and pictures are made from.

import type { Clock, Direction } from "./options.ts";
import type { LayoutKind } from "../explain/shape.ts";
import type { Verdict } from "./statistics.ts";

type Interval = readonly [low: number, high: number] | null;

/** The form of these lines; readers refuse others. */
export const schema = "prefc-bench-2";

/** A measured direction of a provider; the fields that every consumer of the JSON lines may rely on come first. */
export interface Line {
  readonly schema: typeof schema;
  readonly objective: string;
  /** "compiled" and variants of it, "expert", "ceiling-copy", "ceiling-read", or a peer's name. */
  readonly provider: string;
  /** Rows of each logits tensor, those of prompts and padding included. */
  readonly rows: number;
  readonly vocab: number;
  readonly dtype: string;
  readonly direction: Direction;
  /** By the GPU's clock, or by the wall where `clock` says so. */
  readonly ms_median: number;
  readonly ms_p20: number;
  readonly ms_p80: number;
  /** Bytes moved to and from memory by the provider's own plan, per second. */
  readonly gb_s: number;
  readonly loss: number | null;
  /** Whether the results agree with an independent value, or none was to be had. */
  readonly ok: boolean;

  readonly clock: Clock;
  /** Measured rounds. */
  readonly samples: number;
  /** Milliseconds in the order of the rounds, by the clock of the line; and of whole calls where they were timed. */
  readonly samples_ms: readonly number[];
  readonly wall_samples_ms: readonly number[] | null;
  /** What holds the true median 19 times of 20; null of fewer than six rounds. */
  readonly ms_interval: Interval;
  /** The time of the whole call, to the loss on the host; null where a direction is not a call. */
  readonly wall_ms_median: number | null;
  readonly wall_ms_p20: number | null;
  readonly wall_ms_p80: number | null;
  readonly bytes: number | null;
  /** Entries of logits visited. */
  readonly entries: number | null;
  /** gb_s as a share of the rate at which this adapter copies, and reads, the logits: medians over rounds. */
  readonly percent_of_copy: number | null;
  readonly percent_of_read: number | null;
  /** The time that its bytes take at those rates. */
  readonly predicted_ms: number | null;
  /** Time of the kernels written by hand / own time: above 1 is faster than they are. */
  readonly speed_vs_expert: number | null;
  /** Own time / time of `compiled` for the same objective, what holds that ratio 19 times of 20, and what follows. */
  readonly ms_vs_compiled: number | null;
  readonly ms_vs_compiled_interval: Interval;
  readonly verdict_vs_compiled: Verdict | null;
  /** Own time / time of the same provider for the first objective of the run. */
  readonly ms_vs_first: number | null;
  /** Time of the same in f32 / own time, where logits are stored otherwise. */
  readonly speed_vs_f32: number | null;
  /** What loss and gradient were compared with, and how far they are from it. */
  readonly checked_against: string | null;
  readonly loss_error: number | null;
  readonly gradient_error: number | null;
  /** Which output is wrong, where and by how much; null where nothing is. */
  readonly wrong: string | null;
  /** Bytes of buffers beside logits and gradient, also as a share of the policy's logits; and buffers made in the second step. */
  readonly memory_bytes: number | null;
  readonly memory_percent: number | null;
  readonly new_buffers: number | null;
  /** Share of the rows that are prompt or padding. */
  readonly padding: number;
  readonly metrics: boolean;
  readonly cached_reference: boolean;
  readonly in_place: boolean;
  /** Whether the responses of a model share a tensor. */
  readonly layout: LayoutKind;
  /** Examples, and tokens of the shortest and the longest completion. */
  readonly examples: number;
  readonly tokens: readonly [shortest: number, longest: number];
  /** How logits were made: uniform noise, or peaked as those of a language model. */
  /** uniform, peaked, or the file of a recorded step. */
  readonly data: string;
  /** What was measured together, as a report titles it. */
  readonly section: string;
  readonly device: string;
  readonly driver: string;
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>;
}
