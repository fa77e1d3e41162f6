// A row of the table that maps recorded objectives to expressions: which names it answers to, what its hyper-parameters
// mean, and the objective they describe. A family of sources is a list of rows.

import type { Objective } from "../dsl/index.ts";
import type { Golden } from "./golden.ts";
import type { Keys, OptionValue } from "./keys.ts";
import type { Layout } from "./layout.ts";
import type { Place } from "./place.ts";
import type { Quantities } from "./quantities.ts";

/** Options by name, only those that a file gives. */
export type Chosen = Readonly<Record<string, OptionValue>>;

export interface Row {
  /** The names that files carry; a pattern where a name repeats the hyper-parameters. */
  readonly names: readonly (string | RegExp)[];
  /** Every key that `params` may have, which may depend on the losses that they and the objective name. */
  readonly keys: Keys | ((params: Place, objective: string) => Keys);
  /** The objective that the options describe. Of run-time parameters it sees the names and no values: those compile nothing. */
  readonly objective: (options: Chosen, given: ReadonlySet<string>) => Objective;
  /** Options and run-time parameters that a file gives beside its hyper-parameters, by what else it records. */
  readonly variant?: (golden: Golden) => Chosen;
  readonly params?: (golden: Golden) => Readonly<Record<string, number>>;
  /** What cancellation in the source's float64 leaves unknown of a recorded gradient; 0 unless given. */
  readonly lost?: (golden: Golden) => number;
  /** How inputs become a batch; chosen rows before rejected ones unless given. */
  readonly layout?: Layout;
  /** What recorded outputs are, besides those that every pair of responses has. */
  readonly quantities?: (options: Chosen, given: ReadonlySet<string>) => Quantities;
  /** Why files of these names are no specification. They are read, reported apart and not compared. */
  readonly defect?: string;
}

/** Whether a row answers to an objective's name. */
export const answersTo = ({ names }: Row, objective: string): boolean =>
  names.some((name) => (typeof name === "string" ? name === objective : name.test(objective)));
