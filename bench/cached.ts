// Log-probabilities of the reference as a trainer caches them: given with the batch, so that the reference's logits are not
// read. They are computed here by the interpreter, in float64, from the logits that would have been read.

import {
  builtIn,
  compile,
  type Batch,
  type Binding,
  type Compiled,
  type Height,
} from "../src/index.ts";
import { PrefcError } from "../src/core/error.ts";
import type { Place } from "./provider.ts";

/** At which height they can be given: a sum per sequence, else per token; null where that is not all that is read. */
export function cachedHeight(objective: string): Height | null {
  const source = builtIn(objective);
  const reads = compile(source).program.inputs.some(
    ({ datum }) => datum.kind === "logits" && datum.model === "ref",
  );
  if (!reads) return null;
  for (const height of ["logps", "logp"] as const) {
    try {
      compile(source, { heights: { ref: height } });
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
  const bound = program.inputs.flatMap(({ name }): readonly (readonly [string, Binding])[] => {
    const match = /^ref\.(logps?)\.(.+)$/.exec(name);
    if (match === null) return [];
    const [, height, response] = match as unknown as [string, string, string];
    const tokens = truth.referenceLogp(response, whole);
    if (height === "logp") return [[name, { height: "token", values: tokens }]];
    const { offsets } = layout.responses[response]!;
    const values = Float64Array.from({ length: layout.examples }, (_, example) =>
      tokens
        .subarray(offsets[example], offsets[example + 1])
        .reduce((total, value) => total + value, 0),
    );
    return [[name, { height: "example", values }]];
  });
  return Object.fromEntries(bound);
}
