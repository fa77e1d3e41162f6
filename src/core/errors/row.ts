// One row of the catalogue of errors: what a code means, apart from the sentence that a particular error prints.

export interface ErrorRow {
  /** Why the error is raised, for someone who has never met it. */
  readonly cause: string;
  /** What to do about it. */
  readonly remedy: string;
}
