// How a kernel is laid out on an adapter: lanes per workgroup, vector width, unrolling. A schedule changes
// the order of additions and nothing else. The choices are measured (docs/notes), not guessed: software
// adapters run one subgroup per workgroup fastest, a discrete GPU wants hundreds of lanes for one row.

import type { Lanes } from "./kernel.ts";

export interface Schedule {
  /** Invocations that share one row of logits; a power of two. */
  readonly rowLanes: number;
  /** Logits loaded at once; 1 where a row has fewer than 4. */
  readonly vector: Lanes;
  /** Whether every row begins at a whole vector; follows from the vocabulary. */
  readonly aligned: boolean;
  /** Vectors in flight per lane. */
  readonly unroll: number;
  /** Invocations of the single workgroup that runs a row program; a power of two. */
  readonly programLanes: number;
  /** How many of them share the tokens of one example; a power of two, at most `programLanes`. */
  readonly tokenLanes: number;
  /** Whether the lanes of a subgroup tell each other their running maxima, so that fewer blocks raise one. */
  readonly shareMaxima: boolean;
  /** Pair operations in a straight run of a row program; null for no limit. See blocks.ts. */
  readonly blockLength: number | null;
}
/** What may be chosen freely. */
export type ScheduleOptions = Partial<Omit<Schedule, "aligned">>;

export interface AdapterTraits {
  readonly software: boolean;
  readonly subgroupSize: number;
  readonly maxInvocations: number;
  /** Whether shaders may use subgroup operations. */
  readonly subgroups: boolean;
  /** Whether its compiler takes more than linear time in the length of a straight run of code. */
  readonly slowRegisterAllocation: boolean;
}

export function chooseSchedule(
  traits: AdapterTraits,
  vocab: number,
  options: ScheduleOptions = {},
): Schedule {
  const chosen = { ...defaults(traits), ...options };
  const vector: Lanes = vocab < 4 ? 1 : chosen.vector;
  return { ...chosen, vector, aligned: vocab % vector === 0 };
}

function defaults(traits: AdapterTraits): Omit<Schedule, "aligned"> {
  const vector: Lanes = 4;
  const shareMaxima = traits.subgroups;
  if (traits.software) {
    const rowLanes = Math.max(traits.subgroupSize, 4);
    const blockLength = traits.slowRegisterAllocation ? 6 : null;
    return {
      rowLanes,
      vector,
      unroll: 4,
      programLanes: 16,
      tokenLanes: 1,
      shareMaxima,
      blockLength,
    };
  }
  const rowLanes = Math.min(256, traits.maxInvocations);
  return {
    rowLanes,
    vector,
    unroll: 4,
    programLanes: rowLanes,
    tokenLanes: 16,
    shareMaxima,
    blockLength: null,
  };
}

/** The same with single entries in place of vectors: for buffers that end inside a vector. */
export const singleEntries = <T extends Schedule>(schedule: T): T => ({
  ...schedule,
  vector: 1,
  aligned: true,
});

/** One entry at a time, for expressions that are evaluated entry by entry. */
export const oneByOne = <T extends Schedule>(schedule: T): T => ({
  ...singleEntries(schedule),
  unroll: 1,
});

/** The schedule that explanations assume when no adapter is given. */
export const typicalTraits: AdapterTraits = {
  software: false,
  subgroupSize: 32,
  maxInvocations: 256,
  subgroups: true,
  slowRegisterAllocation: false,
};
