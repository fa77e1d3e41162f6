// A recorded step as one batch for an adapter: the rows that completions read, as they are stored. Only those are held, and only once.

import type { Batch, Binding, LogitsData } from "../batch/batch.ts";
import { nameOfDatum } from "../core/datum.ts";
import { toHalf } from "../core/storage.ts";
import { rowsOf, type Reading } from "./reading.ts";
import type { Step } from "./step.ts";

/** Entries of logits that are held at most. */
export const mostEntries: number = 2 ** 27;

/** How many entries the rows of a batch have. */
export const entriesOf = ({ tokens, rows }: Reading): number =>
  Object.values(tokens).reduce((sum, { labels }) => sum + labels.length, 0) *
  Object.values(rows).reduce((sum, { width }) => sum + width, 0);

/** The batch of a step. */
export function wholeBatch({ logits, examples }: Step, { tokens, given }: Reading): Batch {
  const vocab = logits["policy"]!.width;
  const inputs: Record<string, Binding> = { ...given };
  for (const [model, rows] of Object.entries(logits))
    for (const [response, own] of Object.entries(tokens)) {
      const count = own.labels.length;
      const values = rowsOf(rows, own, 0, count);
      const { dtype } = rows;
      const data: LogitsData =
        dtype === "f32"
          ? Float32Array.from(values)
          : dtype === "f64"
            ? values
            : toHalf(values, dtype);
      inputs[nameOfDatum({ kind: "logits", model, response })] = {
        height: "logits",
        tensor: {
          name: `${model}.${response}`,
          data,
          rows: count,
          ...(dtype === "f64" ? {} : { dtype }),
          ...(rows.width === vocab ? {} : { vocab: rows.width }),
        },
        rowIndex: Uint32Array.from({ length: count }, (_, row) => row),
      };
    }
  return { examples, vocab, responses: tokens, inputs };
}
