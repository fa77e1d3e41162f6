// Files whose recorded gradient is the rounding of a saturated σ. A kernel that has more digits than the record cannot be
// held against it; it is held against the same derivative without that rounding, and only after the derivative with it was
// found to be what the file records.

import { gradient } from "../ad/gradient.ts";
import type { Batch } from "../batch/batch.ts";
import { gradientError, interpreterTolerance } from "../check/error.ts";
import { isDifferentiated } from "../core/inputs.ts";
import { topological, type Input } from "../core/node.ts";
import { evaluate } from "../reference/interpret.ts";
import type { Reading } from "./names.ts";
import type { Expected } from "./recorded.ts";
import { overBatch, recordedGradient } from "./reference.ts";
import { asRecorded } from "./rounding.ts";

/** What is expected with the gradient before that rounding; null where rounding σ does not explain the record. */
export function beforeRounding(
  reading: Reading,
  batch: Batch,
  expected: Expected,
): Expected | null {
  const loss = overBatch(reading.objective.loss);
  const inputs = topological([loss]).filter(
    (node): node is Input => node.tag === "input" && isDifferentiated(node),
  );
  const slopes = gradient(loss, inputs);
  const rounded = asRecorded(slopes);
  if (rounded.every((node, position) => node === slopes[position])) return null;
  const values = evaluate([...slopes, ...rounded], batch, { ...reading.params, ...reading.state });
  const as = recordedGradient(inputs, values.slice(slopes.length), batch);
  const unit = Math.max(...Array.from(expected.gradient, Math.abs));
  const scaled = (of: ArrayLike<number>): readonly number[] =>
    Array.from(of, (value) => value / unit);
  if (!(gradientError(scaled(as), scaled(expected.gradient)) <= interpreterTolerance)) return null;
  const exact = Float64Array.from(recordedGradient(inputs, values.slice(0, slopes.length), batch));
  return { ...expected, gradient: exact };
}
