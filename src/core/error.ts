// The one error type of the project. A wrong input ends in a PrefcError whose code is stable (tests and
// callers may switch on it) and whose message is one sentence: what is wrong, where, and what to do. A new code needs a
// row in errors/, which says why the error is raised and becomes its entry in docs/errors.md.

import type { ErrorCode } from "./errors/catalogue.ts";
import { sentenceOf } from "./quote.ts";

export type { ErrorCode } from "./errors/catalogue.ts";

export class PrefcError extends Error {
  /** Stable, kebab-case name of the kind of error; docs/errors.md has an entry for each. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, sentence: string, options?: ErrorOptions) {
    super(sentenceOf(sentence), options);
    this.name = "PrefcError";
    this.code = code;
  }
}

/** Throws a PrefcError; usable where an expression is expected. */
export function fail(code: ErrorCode, sentence: string): never {
  throw new PrefcError(code, sentence);
}
