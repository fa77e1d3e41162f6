// Every error of the catalogue, provoked: what is thrown for each code, in the order of the catalogue. The types of the tables
// see to it that no code is without a provocation.
import { PrefcError, type ErrorCode } from "../../../src/core/error.ts";
import { batches } from "./batches.ts";
import { benchmarks } from "./benchmarks.ts";
import { commands } from "./commands.ts";
import { expressions } from "./expressions.ts";
import { internal } from "./internal.ts";
import { objectives } from "./objectives.ts";
import type { Provocations } from "./provocations.ts";
import { running } from "./running.ts";
import { tensors } from "./tensors.ts";

export const provocations: Provocations<Record<ErrorCode, unknown>> = {
  ...expressions,
  ...objectives,
  ...batches,
  ...running,
  ...commands,
  ...tensors,
  ...benchmarks,
  ...internal,
};

export interface Provoked {
  /** The code of the error; undefined when nothing was thrown, or something else than a PrefcError. */
  readonly code: string | undefined;
  readonly message: string;
}

const provoked = async (act: () => unknown): Promise<Provoked> => {
  try {
    await act();
    return { code: undefined, message: "nothing was thrown" };
  } catch (error) {
    if (error instanceof PrefcError) return { code: error.code, message: error.message };
    return { code: undefined, message: String(error) };
  }
};

/** What each provocation ended in, by the code that it is to provoke. */
export const provokeAll = async (): Promise<Readonly<Record<string, Provoked>>> => {
  const found: Record<string, Provoked> = {};
  for (const [code, act] of Object.entries(provocations)) found[code] = await provoked(act);
  return found;
};
