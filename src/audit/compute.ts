// The quantities of a step under a reading, in float64, and what rounding in float32 leaves unknown of each: terms over the vocabulary
// are computed a few examples at a time, moved by as much as float32 loses, and everything is computed again from what was moved.

import { gradient } from "../ad/gradient.ts";
import type { Batch, Binding, Params } from "../batch/batch.ts";
import { fail } from "../core/error.ts";
import { tokenAxis } from "../core/axis.ts";
import { reduce } from "../core/build.ts";
import { logitsOf } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { printExpression } from "../core/infix.ts";
import { evaluate } from "../reference/interpret.ts";
import {
  inputsOf,
  looksAcross,
  readingTerms,
  tokensOf,
  vocabularyTerms,
} from "../reference/parts.ts";
import { expand } from "../reference/tensor.ts";
import { partBatch, partsOf, type Reading } from "./reading.ts";

/** A quantity: a number for each token of a response, for each example, or one in all. */
export interface Computed {
  readonly axes: Node["axes"];
  readonly values: Float64Array;
  /** What rounding in float32 leaves unknown of each. */
  readonly allowed: Float64Array;
}
export interface Computation {
  readonly quantities: ReadonlyMap<string, Computed>;
  /** d loss / d term, a number for each token, for every term over the vocabulary of one response. */
  readonly slopes: readonly Slope[];
  readonly params: Params;
}
export interface Slope {
  readonly term: Node;
  readonly response: string;
  readonly values: Float64Array;
  readonly allowed: Float64Array;
}

/** What it leaves unknown of a result, in parts of itself. */
const rounding = 2 ** -19;
/** Errors may add up a little more than was tried. */
const margin = 2;

interface Term {
  readonly node: Node;
  readonly response: string;
  readonly values: Float64Array;
  readonly step: number;
}

/** The values of a term over the vocabulary, and by how much they are moved. */
function valuesOf(
  term: Node,
  response: string,
  reading: Reading,
  params: Params,
): Omit<Term, "node" | "response"> {
  const models = [
    ...new Set(
      inputsOf([term]).flatMap(({ datum }) => (datum.kind === "logits" ? [datum.model] : [])),
    ),
  ];
  const { offsets } = reading.tokens[response]!;
  const values = new Float64Array(offsets.at(-1)!);
  let largest = 1;
  for (const [from, to] of partsOf(reading, response)) {
    if (offsets[to] === offsets[from]) continue;
    const batch = partBatch(reading, response, models, [from, to]);
    values.set(evaluate([term], batch, params)[0]!.data, offsets[from]);
    for (const binding of Object.values(batch.inputs)) {
      if (binding.height !== "logits") continue;
      for (const z of binding.tensor.data as Float64Array)
        if (Number.isFinite(z) && Math.abs(z) > largest) largest = Math.abs(z);
    }
  }
  return { values, step: reading.unknown * largest };
}

/**
 * The quantities of a reading.
 * @param loss the quantity that is differentiated
 * @throws PrefcError "audit-term" for a term that cannot be computed by parts, and what the interpreter throws
 */
export function compute(reading: Reading, params: Params, loss: string): Computation {
  const keys = [...reading.quantities.keys()];
  const roots = [...reading.quantities.values()];
  const nodes = vocabularyTerms([...roots, ...reading.derived.map(({ of }) => of)]);
  const terms = nodes.map((node): Term => {
    const response = tokensOf(node);
    if (response === null || looksAcross(node)) {
      return fail(
        "audit-term",
        `The objective has a term over the vocabulary that is no number of a token, ${printExpression(node, 12)}, which audit cannot compute a few examples at a time; use prefc check.`,
      );
    }
    return { node, response, ...valuesOf(node, response, reading, params) };
  });
  const { roots: reduced, names } = readingTerms(roots, nodes);
  const batchOf = (moved: number): Batch => {
    const inputs: Record<string, Binding> = { ...reading.given };
    const valuesAt = (index: number): Float64Array => {
      const { values, step } = terms[index]!;
      return index === moved ? values.map((value) => value + step) : values;
    };
    terms.forEach((_, index) => {
      inputs[names[index]!] = { height: "token", values: valuesAt(index) };
    });
    for (const { input, of, make } of reading.derived) {
      const index = nodes.indexOf(of);
      const own = reading.tokens[terms[index]!.response]!;
      inputs[(input as { name: string } & Node).name] = {
        height: "token",
        values: make(valuesAt(index), own),
      };
    }
    return { examples, vocab, responses: reading.tokens, inputs };
  };
  const examples = Object.values(reading.tokens)[0]!.offsets.length - 1;
  const vocab = Object.values(reading.rows)[0]!.width;
  const slopeRoots = gradient(
    reduced[keys.indexOf(loss)]!,
    inputsOf(reduced).filter(({ name }) => names.includes(name)),
  );
  const slopeNames = inputsOf(reduced)
    .filter(({ name }) => names.includes(name))
    .map(({ name }) => name);
  const wanted = [...reduced, ...slopeRoots];
  const whole = batchOf(-1);
  const listed = (batch: Batch): readonly Float64Array[] =>
    evaluate(wanted, batch, params).map((tensor, index) => {
      const slope = slopeNames[index - reduced.length];
      const axes = slope === undefined ? tensor.axes : nodes[names.indexOf(slope)]!.axes;
      return expand(tensor, axes, batch).data;
    });
  const right = listed(whole);
  const off = right.map((values) => new Float64Array(values.length));
  terms.forEach((_, index) => {
    listed(batchOf(index)).forEach((values, at) =>
      values.forEach((value, place) => {
        off[at]![place]! += Math.abs(value - right[at]![place]!);
      }),
    );
  });
  const allowed = (at: number): Float64Array =>
    off[at]!.map((moved, place) => margin * moved + rounding * Math.abs(right[at]![place]!));
  return {
    quantities: new Map(
      keys.map((key, at) => [
        key,
        { axes: reduced[at]!.axes, values: right[at]!, allowed: allowed(at) },
      ]),
    ),
    slopes: slopeNames.map((name, index): Slope => {
      const { node, response } = terms[names.indexOf(name)]!;
      const at = reduced.length + index;
      return { term: node, response, values: right[at]!, allowed: allowed(at) };
    }),
    params,
  };
}

/** Some rows of a gradient of logits: those of the tokens from `first` on, one after the other. */
export interface GradientRows {
  readonly response: string;
  readonly first: number;
  readonly rows: Float64Array;
}

/** The gradient of a model's logits, a few examples at a time. */
export function* gradientRows(
  reading: Reading,
  { slopes, params }: Computation,
  model: string,
): Generator<GradientRows> {
  for (const [response, { offsets }] of Object.entries(reading.tokens)) {
    const logits = logitsOf(model, response);
    const own = slopes.filter(
      ({ term, response: of }) =>
        of === response && inputsOf([term]).some((node) => node === logits),
    );
    for (const [from, to] of partsOf(reading, response)) {
      const [first, last] = [offsets[from]!, offsets[to]!];
      if (first === last || own.length === 0) continue;
      let rows: Float64Array | undefined;
      for (const { term, values } of own) {
        const models = [
          ...new Set(
            inputsOf([term]).flatMap(({ datum }) => (datum.kind === "logits" ? [datum.model] : [])),
          ),
        ];
        const batch = partBatch(reading, response, models, [from, to]);
        const [slope] = gradient(summed(term), [logits]);
        const made = expand(evaluate([slope!], batch, params)[0]!, logits.axes, batch).data;
        const width = made.length / (last - first);
        rows ??= new Float64Array(made.length);
        for (let at = 0; at < made.length; at++)
          rows[at]! += made[at]! * values[first + Math.floor(at / width)]!;
      }
      yield { response, first, rows: rows! };
    }
  }
}

/** The sum of a term over the tokens of all examples, whose slope at a token's logits is that of the token's own term. */
const summed = (term: Node): Node =>
  reduce("sum", "batch", reduce("sum", tokenAxis(tokensOf(term)!), term));
