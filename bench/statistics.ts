// Medians and percentiles of repeated measurements, and the line that a measurement becomes.

import type { Direction } from "./options.ts";

/** A measured direction of a provider; the fields that every consumer of the JSON lines may rely on come first. */
export interface Line {
  readonly objective: string;
  /** "compiled", "expert", "ceiling-copy", "ceiling-read", or a peer's name. */
  readonly provider: string;
  readonly rows: number;
  readonly vocab: number;
  readonly dtype: string;
  readonly direction: Direction;
  readonly ms_median: number;
  readonly ms_p20: number;
  readonly ms_p80: number;
  /** Bytes moved to and from memory by the provider's own plan, per second. */
  readonly gb_s: number;
  readonly loss: number | null;
  /** Whether the loss agrees with the reference of the run. */
  readonly ok: boolean;
  readonly bytes: number;
  /** "gpu" for timestamps of the GPU, "wall" for the whole call. */
  readonly clock: "gpu" | "wall";
  readonly device: string;
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>;
}

export interface Times {
  readonly median: number;
  readonly p20: number;
  readonly p80: number;
}

export function times(samples: readonly number[]): Times {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { median: at(0.5), p20: at(0.2), p80: at(0.8) };
}
