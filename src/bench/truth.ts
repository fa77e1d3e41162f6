// The loss of a benchmark's batch by the interpreter, in float64: what every provider's loss is held against. Terms over
// the vocabulary are interpreted a few examples at a time and kept, since most objectives share them and whole logits in
// float64 would not fit; the rest of the objective is then interpreted over all examples as it stands.

import { evaluate, type Batch, type Params } from "../index.ts";
import type { Program } from "../pipeline/pipeline.ts";
import { logpFromLogits } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import {
  inputsOf,
  looksAcross,
  readingTerms,
  tokensOf as responseWhose,
  vocabularyTerms,
} from "../reference/parts.ts";
import { hostPart, type Stored } from "./data.ts";
import type { Layout } from "./layout.ts";

export interface Truth {
  /** Null where a term cannot be interpreted by parts, or would take minutes. */
  readonly loss: (program: Program, batch: Batch, params: Params) => number | null;
  /** log π_ref(y_t) of every token of a response. */
  readonly referenceLogp: (response: string, batch: Batch) => Float64Array;
}

/** Entries of a table of the interpreter, and entries that it is asked to visit at most, at about 0.1 µs each. */
const tableEntries = 2 ** 20;
const mostEntries = 2 ** 27;

/** Whether a parameter changes a term. */
const readsParams = (term: Node): boolean => topological([term]).some(({ tag }) => tag === "param");

/** The truth on a layout. Values are kept: an objective that shares terms with an earlier one costs little. */
export function truthOn(layout: Layout, stored: Stored): Truth {
  const { vocab, examples, responses } = layout;
  // by term, and by the parameters where it reads any
  const known = new Map<Node, Map<string, Float64Array>>();
  const keyOf = (term: Node, params: Params): string =>
    readsParams(term) ? JSON.stringify(params) : "";

  const tokensOf = (term: Node): Uint32Array | null => {
    const response = responseWhose(term);
    return response === null ? null : responses[response]!.offsets;
  };
  const values = (term: Node, offsets: Uint32Array, batch: Batch, params: Params): Float64Array => {
    const kept = known.get(term)?.get(keyOf(term, params));
    if (kept !== undefined) return kept;
    const all = new Float64Array(offsets[examples]!);
    for (let from = 0, to = 0; from < examples; from = to) {
      to = from + 1;
      while (to < examples && (offsets[to + 1]! - offsets[from]!) * vocab <= tableEntries) to++;
      const part = hostPart(layout, inputsOf([term]), batch, stored, [from, to]);
      all.set(evaluate([term], part, params)[0]!.data, offsets[from]);
    }
    known.set(term, (known.get(term) ?? new Map()).set(keyOf(term, params), all));
    return all;
  };

  const loss = (program: Program, batch: Batch, params: Params): number | null => {
    const terms = vocabularyTerms([program.loss]);
    if (terms.some((term) => tokensOf(term) === null || looksAcross(term))) return null;
    const unknown = terms.filter((term) => known.get(term)?.has(keyOf(term, params)) !== true);
    const entries = unknown.reduce((sum, term) => sum + tokensOf(term)![examples]! * vocab, 0);
    if (entries > mostEntries) return null;
    const { roots, names } = readingTerms([program.loss], terms);
    const bound = Object.fromEntries(
      terms.map((term, position) => [
        names[position]!,
        { height: "token", values: values(term, tokensOf(term)!, batch, params) } as const,
      ]),
    );
    const whole = { ...batch, inputs: { ...batch.inputs, ...bound } };
    return evaluate(roots, whole, params)[0]!.data[0]!;
  };

  return {
    loss,
    referenceLogp: (response, batch) =>
      values(logpFromLogits("ref", response), responses[response]!.offsets, batch, {}),
  };
}
