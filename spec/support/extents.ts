// The extents of a kernel that reads none of a batch: what the interpreter on the host wants to be told all the same.

/** Every extent is 0. */
export const noExtents = {
  examples: 0,
  tokens: 0,
  vocab: 0,
  "first row": 0,
  rows: 0,
  "grid width": 0,
  "work reads": 0,
  "work writes": 0,
  "work count": 0,
  "work grid width": 0,
} as const;
