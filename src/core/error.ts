// The one error type of the project. A wrong input ends in a PrefcError whose code is stable (tests and
// callers may switch on it) and whose message is one sentence: what is wrong, where, and what to do.

export class PrefcError extends Error {
  /** Stable, kebab-case name of the kind of error. */
  readonly code: string;

  constructor(code: string, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.name = "PrefcError";
    this.code = code;
  }
}

/** Throws a PrefcError; usable where an expression is expected. */
export function fail(code: string, sentence: string): never {
  throw new PrefcError(code, sentence);
}
