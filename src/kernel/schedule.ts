// How a kernel is laid out on an adapter: lanes per workgroup, vector width, unrolling. A schedule changes
// the order of additions and nothing else. The choices are measured (docs/notes), not guessed: software
// adapters run one subgroup per workgroup fastest, a discrete GPU wants hundreds of lanes for one row.

import type { Lanes } from "./kernel.ts";

export interface Schedule {
  /** Invocations that share one row of logits; a power of two. */
  readonly rowLanes: number;
  /** Logits loaded at once: 4 when rows are 16-byte aligned. */
  readonly vector: Lanes;
  /** Vectors in flight per lane. */
  readonly unroll: number;
  /** Invocations of the single workgroup that runs a row program; a power of two. */
  readonly programLanes: number;
  /** How many of them share the tokens of one example; a power of two, at most `programLanes`. */
  readonly tokenLanes: number;
  /** Pair operations in a straight run of a row program; null for no limit. See blocks.ts. */
  readonly blockLength: number | null;
}

export interface AdapterTraits {
  readonly software: boolean;
  readonly subgroupSize: number;
  readonly maxInvocations: number;
  /** Whether its compiler takes more than linear time in the length of a straight run of code. */
  readonly slowRegisterAllocation: boolean;
}

export function chooseSchedule(traits: AdapterTraits, vocab: number): Schedule {
  const vector: Lanes = vocab % 4 === 0 ? 4 : 1;
  if (traits.software) {
    const rowLanes = Math.max(traits.subgroupSize, 4);
    const blockLength = traits.slowRegisterAllocation ? 6 : null;
    return { rowLanes, vector, unroll: 4, programLanes: 16, tokenLanes: 1, blockLength };
  }
  const rowLanes = Math.min(256, traits.maxInvocations);
  return { rowLanes, vector, unroll: 4, programLanes: rowLanes, tokenLanes: 16, blockLength: null };
}

/** The schedule that explanations assume when no adapter is given. */
export const typicalTraits: AdapterTraits = {
  software: false,
  subgroupSize: 32,
  maxInvocations: 256,
  slowRegisterAllocation: false,
};
