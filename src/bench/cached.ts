// Log-probabilities of the reference as a trainer caches them: given with the batch, so that the reference's logits are not
// read. They are computed here by the interpreter, in float64, from the logits that would have been read.

import type { Batch, Binding, Compiled, Height } from "../index.ts";
import { PrefcError } from "../core/error.ts";
import type { Place } from "./provider.ts";
import { compileSubject, type Subject } from "./subject.ts";

/** At which height they can be given: a sum per sequence, else per token; null where that is not all that is read. */
export function cachedHeight(subject: Subject): Height | null {
  const reads = compileSubject(subject).program.inputs.some(
    ({ datum }) => datum.kind === "logits" && datum.model === "ref",
  );
  if (!reads) return null;
  for (const height of ["logps", "logp"] as const) {
    try {
      compileSubject(subject, { heights: { ...subject.heights, ref: height } });
      return height;
    } catch (error) {
      if (!(error instanceof PrefcError && error.code === "input-too-high")) throw error;
    }
  }
  return null;
}

/** The inputs of an objective that was compiled at such a height; `whole` brings the reference's logits. */
export function cachedInputs(
  { program }: Compiled,
  { layout, truth }: Place,
  whole: Batch,
): Readonly<Record<string, Binding>> {
  const bound = program.inputs.flatMap(
    ({ name, datum }): readonly (readonly [string, Binding])[] => {
      const isCached = (datum.kind === "logp" || datum.kind === "logps") && datum.model === "ref";
      if (!isCached) return [];
      const { response } = datum;
      const tokens = truth.referenceLogp(response, whole);
      if (datum.kind === "logp") return [[name, { height: "token", values: tokens }]];
      const { offsets } = layout.responses[response]!;
      const values = Float64Array.from({ length: layout.examples }, (_, example) =>
        tokens
          .subarray(offsets[example], offsets[example + 1])
          .reduce((total, value) => total + value, 0),
      );
      return [[name, { height: "example", values }]];
    },
  );
  return Object.fromEntries(bound);
}
