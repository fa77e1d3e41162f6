// Misuses of the surface language as tables: what is done, the code of the error, the words that a reader
// needs from its sentence. JavaScript users are told at construction what the types would have refused.

import { describe, expect, it } from "vitest";
import { PrefcError } from "../../src/dsl/index.ts";

/** A value that the types would refuse. */
export const any = (value: unknown): never => value as never;

/** An expression as JavaScript sees it: every method is there to be called. */
export const js = (value: unknown): Record<string, (b?: unknown) => unknown> => value as never;

export type Misuse = readonly [name: string, code: string, sentence: RegExp, misuse: () => unknown];

export function describeMisuses(title: string, misuses: readonly Misuse[]): void {
  describe(title, () => {
    it.each(misuses)("%s", (_name, code, sentence, misuse) => {
      let error: unknown;
      try {
        misuse();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(PrefcError);
      expect(error).toMatchObject({ code, message: expect.stringMatching(sentence) });
      expect((error as PrefcError).message).toMatch(/[.?]$/);
    });
  });
}
