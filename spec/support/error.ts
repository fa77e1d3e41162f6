// What a call ends in, for specs of errors.
import { PrefcError } from "../../src/core/error.ts";

/** The code and the sentence of the error of a call. Throws whatever else it throws. */
export const errorOf = (act: () => unknown): readonly [code: string, message: string] => {
  try {
    act();
  } catch (error) {
    if (error instanceof PrefcError) return [error.code, error.message];
    throw error;
  }
  throw new Error("nothing was thrown");
};
