// The lines of peers, in the form of every other line of a benchmark, and what counts as agreement.

import { distance, gradientTolerance, lossTolerance } from "./agreement.ts";
import {
  beta,
  type Cost,
  type Ended,
  type Own,
  type PeerContext,
  type PeerSetting,
  type Rounds,
} from "./peerrounds.ts";
import { times } from "../src/bench/statistics.ts";

/** The fields that every line of a benchmark has, and what is particular to peers. */
export interface PeerLine extends PeerSetting {
  readonly objective: string;
  /** A peer's name, or "compiled" for the steps of prefc that were timed between those of peers. */
  readonly provider: string;
  readonly rows: number;
  readonly vocab: number;
  readonly dtype: string;
  readonly direction: "full";
  /** Null where nothing could be measured; `note` says why. */
  readonly ms_median: number | null;
  readonly ms_p20: number | null;
  readonly ms_p80: number | null;
  /** The bytes that have to be moved, whatever the provider moves, per second: logits twice, reference and gradient once. */
  readonly gb_s: number | null;
  readonly loss: number | null;
  /** Whether loss and gradient agree with prefc's. False as well where there is neither. */
  readonly ok: boolean;
  readonly clock: "wall" | "gpu";
  readonly samples: number;
  /** Time of all threads of the process for one step: steadier than the clock on a busy machine without a GPU. */
  readonly processor_ms_median: number | null;
  /** Time / time of prefc by the same clock in the same rounds: above 1, prefc is faster. Medians over rounds. */
  readonly ms_vs_compiled: number | null;
  readonly processor_ms_vs_compiled: number | null;
  readonly loss_error: number | null;
  readonly gradient_error: number | null;
  readonly outcome: "measured" | "wrong" | "crashed" | "skipped";
  readonly note: string | null;
  readonly peer_versions: Readonly<Record<string, string>>;
  /** What was measured together, as a report titles it. */
  readonly section: string;
}

const blank = (objective: string, provider: string, context: PeerContext) => ({
  objective,
  provider,
  rows: context.batch.rows,
  vocab: context.batch.vocab,
  dtype: context.dtype,
  direction: "full" as const,
  ms_median: null,
  ms_p20: null,
  ms_p80: null,
  gb_s: null,
  loss: null,
  ok: false,
  clock: "wall" as const,
  samples: 0,
  processor_ms_median: null,
  ms_vs_compiled: null,
  processor_ms_vs_compiled: null,
  loss_error: null,
  gradient_error: null,
  note: null,
  peer_versions: {},
  section: context.section,
  ...context.setting,
});

const bytesOfType: Readonly<Record<string, number>> = { f32: 4, f16: 2, bf16: 2 };

function timesOf(
  samples: readonly number[],
  { batch, dtype }: PeerContext,
): Pick<PeerLine, "ms_median" | "ms_p20" | "ms_p80" | "gb_s" | "samples"> {
  const { median, p20, p80 } = times(samples);
  const bytes = 4 * batch.rows * batch.vocab * (bytesOfType[dtype] ?? 4);
  return {
    ms_median: median,
    ms_p20: p20,
    ms_p80: p80,
    gb_s: bytes / median / 1e6,
    samples: samples.length,
  };
}

/** The median over rounds of a / b. */
const ratio = (a: readonly number[], b: readonly number[]): number =>
  times(a.map((value, round) => value / b[round]!)).median;

/** The line of prefc's own steps between those of peers. */
export function ownLine(
  objective: string,
  steps: readonly Cost[],
  loss: number,
  context: PeerContext,
): PeerLine {
  return {
    ...blank(objective, "compiled", context),
    ...timesOf(
      steps.map(({ wall }) => wall),
      context,
    ),
    processor_ms_median: times(steps.map(({ processor }) => processor)).median,
    loss,
    ok: true,
    outcome: "measured",
  };
}

/** One line of a peer; two where it reads the clock of a GPU as well. */
export async function peerLinesOf(
  name: string,
  done: Rounds | Ended,
  own: Own,
  context: PeerContext,
): Promise<readonly PeerLine[]> {
  const start = blank(own.objective, name, context);
  if ("outcome" in done) return [{ ...start, ...done }];
  const { batch, tokens, dtype } = context;
  const problem = { vocab: batch.vocab, tokens, beta, dtype };
  const lossError = distance(done.checked.loss, done.loss);
  const gradientError = distance(done.checked.gradient_norm, await own.gradientNorm());
  const wrong = [
    lossError <= lossTolerance(problem) ? "" : `the loss is not that of prefc, ${done.loss}`,
    gradientError <= gradientTolerance(problem) ? "" : "the gradient is not that of prefc",
  ].filter((part) => part !== "");
  const wall = done.peer.map(({ milliseconds }) => milliseconds);
  const processor = done.peer.map(({ processor_milliseconds }) => processor_milliseconds);
  const gpu = done.peer.flatMap(({ gpu_milliseconds }) => gpu_milliseconds ?? []);
  const line: PeerLine = {
    ...start,
    ...timesOf(wall, context),
    loss: done.checked.loss,
    ok: wrong.length === 0,
    processor_ms_median: times(processor).median,
    ms_vs_compiled: ratio(
      wall,
      done.own.map((cost) => cost.wall),
    ),
    processor_ms_vs_compiled: ratio(
      processor,
      done.own.map((cost) => cost.processor),
    ),
    loss_error: lossError,
    gradient_error: gradientError,
    outcome: wrong.length === 0 ? "measured" : "wrong",
    note: wrong.length === 0 ? null : wrong.join("; "),
    peer_versions: done.versions,
  };
  if (gpu.length === 0) return [line];
  const none = { processor_ms_median: null, ms_vs_compiled: null, processor_ms_vs_compiled: null };
  return [line, { ...line, ...none, ...timesOf(gpu, context), clock: "gpu" }];
}
