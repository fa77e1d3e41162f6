// The recorded gradient of the policy's logits beside the right one, row by row, so that neither is held as a whole. Rows that predict
// no token of a completion have no gradient.

import type { Comparison, Pair } from "./compared.ts";
import { gradientRows, type Computation } from "./compute.ts";
import type { Reading } from "./reading.ts";
import type { Step } from "./step.ts";

const logitsGradientKey = "d loss / d policy logits";

/** How much more is lost of a gradient, in parts of its largest entry, than of a log-probability. */
const steeper = 8;

/** Compares them; null where none was recorded. */
export function comparedGradient(
  { gradient, sequences }: Step,
  reading: Reading,
  computation: Computation,
): Comparison | null {
  if (gradient === null) return null;
  const { rows: recorded, name } = gradient;
  let largest = 0;
  for (const { rows } of gradientRows(reading, computation, "policy"))
    for (const entry of rows) largest = Math.max(largest, Math.abs(entry));
  const unknown = Math.max(
    0,
    ...computation.slopes.flatMap(({ allowed }) => [
      allowed.reduce((most, one) => Math.max(most, one), 0),
    ]),
  );
  const limit = steeper * reading.unknown * largest + unknown;
  let [count, departures] = [0, 0];
  let departs: Pair | null = null;
  let worst: Pair | null = null;
  const compare = (sequence: number, position: number, right: (entry: number) => number): void => {
    const row = recorded.read(sequence, position, 1);
    row.forEach((other, entry) => {
      const computed = right(entry);
      const off = Math.abs(other - computed);
      count++;
      const isOff = !(off <= limit);
      if (!isOff && worst !== null && off <= worst.off) return;
      const place = `entry ${entry} of the row at position ${position} of sequence ${sequence}`;
      const pair = { place, recorded: other, computed, off, allowed: limit };
      if (isOff) {
        departures++;
        departs ??= pair;
      }
      if (worst === null || !(off <= worst.off)) worst = pair;
    });
  };
  const seen = new Set<string>();
  for (const { response, first, rows } of gradientRows(reading, computation, "policy")) {
    const { sequence, position } = reading.tokens[response]!;
    const { width } = reading.rows["policy"]!;
    for (let row = 0; row * width < rows.length; row++) {
      const [one, at] = [sequence[first + row]!, position[first + row]! - 1];
      seen.add(`${one},${at}`);
      compare(one, at, (entry) => rows[row * width + entry]!);
    }
  }
  sequences.forEach((_, sequence) => {
    for (let at = 0; at < recorded.length(sequence); at++)
      if (!seen.has(`${sequence},${at}`)) compare(sequence, at, () => 0);
  });
  return { key: logitsGradientKey, name, count, departs, departures, worst };
}
