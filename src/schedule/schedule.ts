// How kernels are laid out on an adapter: lanes per workgroup, vector width, unrolling, and how many workgroups share a row.
// A schedule changes the order of additions and nothing else. The defaults are measured (docs/notes), not guessed: software
// adapters run one subgroup per workgroup fastest, a discrete GPU wants hundreds of lanes for one row. `prefc tune` measures
// them on the adapter at hand, and options.ts checks what is given by hand.

/** Logits loaded at once. */
export type Vector = 1 | 4;

/** How a kernel over rows of logits is laid out. */
export interface RowSchedule {
  /** Invocations that share one row of logits, or one part of it; a power of two. */
  readonly rowLanes: number;
  /** Logits loaded at once; 1 where a row has fewer than 4. */
  readonly vector: Vector;
  /** Whether every row begins at a whole vector; follows from the vocabulary. */
  readonly aligned: boolean;
  /** Whether every row is made of pairs of vectors, which are loaded at once where entries take 16 bits. */
  readonly paired: boolean;
  /** Vectors in flight per lane. */
  readonly unroll: number;
  /** Workgroups that share a row; their accumulators are merged by a dispatch of its own. */
  readonly split: number;
  /** Rows that share a workgroup, where rows are short; a power of two, and 1 where a row is split. From 2 on no result depends on it. */
  readonly groupRows: number;
}
/** The fields of RowSchedule are those of passes that read; the gradient pass has its own. */
export interface Schedule extends RowSchedule {
  readonly gradient: RowSchedule;
  /** Invocations of the single workgroup that runs a row program; a power of two. */
  readonly programLanes: number;
  /** How many of them share the tokens of one example; a power of two, at most `programLanes`. */
  readonly tokenLanes: number;
  /** Whether the lanes of a subgroup tell each other their running maxima, so that fewer blocks raise one. */
  readonly shareMaxima: boolean;
  /**
   * How the lanes of a row are combined: by operations of the subgroup that they are, without barriers, or over workgroup
   * memory, by any number of lanes.
   */
  readonly combine: Combine;
  /** Pair operations in a straight run of a row program; null for no limit. See blocks.ts. */
  readonly blockLength: number | null;
}

export type Combine = "subgroup" | "shared";

export type RowOptions = Partial<Omit<RowSchedule, "aligned" | "paired">>;
/** What may be chosen by hand, each with the meaning it has in Schedule; `gradient` starts from what is chosen beside it. */
export interface ScheduleOptions extends RowOptions {
  readonly gradient?: RowOptions;
  readonly programLanes?: number;
  readonly tokenLanes?: number;
  readonly shareMaxima?: boolean;
  readonly combine?: Combine;
  readonly blockLength?: number | null;
}

export interface AdapterTraits {
  readonly software: boolean;
  readonly subgroupSize: number;
  readonly maxInvocations: number;
  /** Whether shaders may use subgroup operations. */
  readonly subgroups: boolean;
  /** Whether every subgroup has the same number of lanes. */
  readonly evenSubgroups: boolean;
  /** Workgroups that keep the adapter busy; of fewer rows than that, several share one. */
  readonly workgroups: number;
  /** Whether its compiler takes more than linear time in the length of a straight run of code. */
  readonly slowRegisterAllocation: boolean;
}

/** What a schedule is chosen for: entries of a row, and rows, as many as there are completion tokens. */
export interface RowShape {
  readonly vocab: number;
  readonly rows: number;
}

/** A schedule for an adapter and a shape; what was measured there, and then what is given by hand, goes before the defaults. */
export function chooseSchedule(
  traits: AdapterTraits,
  shape: RowShape,
  measured: ScheduleOptions = {},
  options: ScheduleOptions = {},
): Schedule {
  const { gradient: measuredGradient, ...first } = measured;
  const { gradient: optionsGradient, ...second } = options;
  const usual = defaults(traits);
  const lanes = second.combine === "subgroup" ? { rowLanes: traits.subgroupSize } : {};
  const isGiven = { ...first, ...lanes, ...second }.rowLanes !== undefined;
  const short = isGiven ? {} : shortRows(traits, shape, { ...usual, ...first, ...second });
  const chosen = { ...usual, ...short, ...first, ...lanes, ...second };
  const { rowLanes, vector, unroll, split, groupRows } = {
    ...chosen,
    ...measuredGradient,
    ...second,
  };
  const gradient = {
    rowLanes,
    vector,
    unroll,
    ...defined({ split, groupRows }),
    ...optionsGradient,
  };
  const rows = fitted(chosen, traits, shape);
  const isAlone = rows.groupRows === 1;
  const isSubgroup = isAlone && hasEvenSubgroups(traits) && chosen.rowLanes === traits.subgroupSize;
  return {
    ...chosen,
    ...rows,
    // lanes of several rows have nothing to tell each other
    shareMaxima: chosen.shareMaxima && isAlone,
    // a barrier costs a software adapter more than the additions: it keeps every variable of the kernel in memory around it
    combine: isSubgroup ? (chosen.combine ?? "subgroup") : "shared",
    gradient: fitted(gradient, traits, shape),
  };
}

/** Entries of a row up to which it is short: a lane has them all, or a few lanes have some vectors each. */
const longestShort = 512;

/** Rows of a few vectors share a workgroup, where there are enough of them: lanes that a row has no work for serve another. */
function shortRows(
  { software, maxInvocations, workgroups }: AdapterTraits,
  { vocab, rows }: RowShape,
  { rowLanes, vector, unroll }: Omit<Chosen, "split">,
): RowOptions {
  if (vocab > longestShort) return software ? {} : sharedByTwo({ workgroups }, { vocab, rows });
  const own = software ? 1 : powerUpTo(Math.min(rowLanes, Math.ceil(vocab / (vector * unroll))));
  const groupRows = Math.min(rowLanes, maxInvocations) / own;
  if (groupRows === 1 || rows < groupRows * workgroups) return {};
  // a lane that has a row of its own soon comes to its end
  return { rowLanes: own, groupRows, ...(software ? { unroll: 2 } : {}) };
}
/** Entries up to which two rows share a workgroup of a GPU: an H100 reads 2,048 rows of so many in 0.75 of the time of one row to each. */
const longestShared = 8192;
const sharedByTwo = (
  { workgroups }: Pick<AdapterTraits, "workgroups">,
  { vocab, rows }: RowShape,
): RowOptions =>
  vocab > longestShared || rows < 2 * workgroups ? {} : { rowLanes: 128, groupRows: 2 };
const powerUpTo = (count: number): number => 2 ** Math.ceil(Math.log2(count));
/** Whether a workgroup of as many lanes as a subgroup is one. */
const hasEvenSubgroups = ({ subgroups, evenSubgroups }: AdapterTraits): boolean =>
  subgroups && evenSubgroups;
type Open = Partial<Pick<RowSchedule, "split" | "groupRows">>;
const defined = ({ split, groupRows }: { [K in keyof Open]: Open[K] | undefined }): Open => ({
  ...(split === undefined ? {} : { split }),
  ...(groupRows === undefined ? {} : { groupRows }),
});

type Chosen = Omit<RowSchedule, "aligned" | "paired" | "split" | "groupRows"> & Open;

function fitted(chosen: Chosen, traits: AdapterTraits, { vocab, rows }: RowShape): RowSchedule {
  const { rowLanes, unroll } = chosen;
  const vector: Vector = vocab < 4 ? 1 : chosen.vector;
  const split = chosen.split ?? splitFor(traits, rows, vocab / vector / (rowLanes * unroll));
  const paired = vector === 4 && vocab % 8 === 0 && unroll % 2 === 0;
  const most = Math.max(1, Math.floor(traits.maxInvocations / rowLanes));
  const groupRows = split > 1 ? 1 : Math.min(chosen.groupRows ?? 1, most);
  return { rowLanes, vector, unroll, aligned: vocab % vector === 0, paired, split, groupRows };
}

/** Blocks that a part of a row should have at least, so that what comes before and after them stays small. */
const fewestBlocks = { software: 64, hardware: 2 };
const mostParts = 64;

/** Parts of a row, a power of two: enough to keep the adapter busy, and none too short. */
function splitFor({ software, workgroups }: AdapterTraits, rows: number, blocks: number): number {
  const wanted = Math.min(workgroups / rows, mostParts);
  const most = blocks / (software ? fewestBlocks.software : fewestBlocks.hardware);
  let split = 1;
  while (2 * split <= Math.min(wanted, most)) split *= 2;
  return split;
}

function defaults(
  traits: AdapterTraits,
): Omit<Schedule, "aligned" | "paired" | "split" | "groupRows" | "gradient" | "combine"> &
  Open & { readonly combine?: Combine } {
  const vector: Vector = 4;
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

const single = <T extends RowSchedule>(schedule: T): T => ({
  ...schedule,
  vector: 1,
  aligned: true,
  paired: false,
});

/** A schedule for rows of several widths: only what holds of all of them is relied on. */
export function forWidths(schedule: Schedule, widths: readonly number[]): Schedule {
  const fits = <T extends RowSchedule>(rows: T): T => ({
    ...rows,
    aligned: rows.aligned && widths.every((width) => width % rows.vector === 0),
    paired: rows.paired && widths.every((width) => width % 8 === 0),
  });
  return widths.some((width) => width < 4)
    ? singleEntries(schedule)
    : { ...fits(schedule), gradient: fits(schedule.gradient) };
}

/** The same with single entries in place of vectors: for buffers that end inside a vector. */
export const singleEntries = (schedule: Schedule): Schedule => ({
  ...single(schedule),
  gradient: single(schedule.gradient),
});

/** One entry at a time, for expressions that are evaluated entry by entry. */
export const oneByOne = <T extends RowSchedule>(schedule: T): T => ({
  ...single(schedule),
  unroll: 1,
});

/** The schedule that explanations assume when no adapter is given. */
export const typicalTraits: AdapterTraits = {
  software: false,
  subgroupSize: 32,
  maxInvocations: 256,
  subgroups: true,
  evenSubgroups: true,
  workgroups: 256,
  slowRegisterAllocation: false,
};
