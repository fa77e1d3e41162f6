// Holds a recorded training step against the formula in float64: every number that the trainer recorded beside the right one, the first
// that departs by more than float32 can lose, and the mistakes that would explain it.

import { bindHeights } from "../pipeline/bind.ts";
import type { Binding, Params } from "../batch/batch.ts";
import { responsesNeeded } from "../batch/check.ts";
import { nameOfDatum } from "../core/datum.ts";
import { fail, PrefcError } from "../core/error.ts";
import { promptOf, type Height } from "../core/inputs.ts";
import { cite } from "../core/quote.ts";
import type { Objective } from "../dsl/index.ts";
import { inputsOf } from "../reference/parts.ts";
import { compared, recordedOf, type Comparison } from "./compared.ts";
import { compute, type Computation } from "./compute.ts";
import { comparedGradient } from "./gradients.ts";
import { hypotheses } from "./hypotheses.ts";
import { lossKey, quantitiesOf } from "./quantities.ts";
import type { Reading } from "./reading.ts";
import { responsesIn, type Step } from "./step.ts";
import { completion, tokensBy } from "./tokens.ts";

/** What float32 loses of a log-probability, in parts of the largest logit: log Σ e^z of rows that were multiplied in any order. */
const unknownInF32 = 2 ** -19;

/** A mistake that was tried. */
export interface Tried {
  readonly name: string;
  /** Recorded tensors that the mistake reproduces, of those that were compared. */
  readonly agrees: number;
  readonly of: number;
}
export interface Audit {
  readonly comparisons: readonly Comparison[];
  /** The first quantity that departs, in the order in which a trainer computes. */
  readonly first: Comparison | null;
  /** Mistakes that reproduce everything that was recorded. */
  readonly explanations: readonly Tried[];
  /** Mistakes that reproduce the first departure and not the rest; none where something explains everything. */
  readonly partly: readonly Tried[];
  readonly right: Reading;
  readonly computation: Computation;
  /** At which heights models enter. */
  readonly heights: Readonly<Record<string, Height>>;
}

/** The right reading of a step. @throws PrefcError "audit-responses", "step-tensor-missing" */
function rightReading(step: Step, objective: Objective): Pick<Audit, "right" | "heights"> {
  const { loss, metrics } = objective;
  const roots = [loss, ...Object.values(metrics)];
  const responses = [...new Set([...objective.responses, ...responsesNeeded(roots)])];
  const pairs = [...responsesIn, ...responsesIn.map(promptOf)];
  const other = responses.find((response) => !pairs.includes(response));
  if (other !== undefined) {
    fail(
      "audit-responses",
      `The objective reads the response ${cite(other)}, but a recorded step has pairs, w (chosen) and l (rejected); audit an objective of pairs.`,
    );
  }
  if (
    responses.some((response) => !responsesIn.includes(response)) &&
    step.sequences.some(({ attention }) => attention === null)
  ) {
    fail(
      "step-tensor-missing",
      `${step.file} has no attention mask, without which the objective cannot tell the prompt from padding; record it as attention_mask.`,
    );
  }
  const models = Object.keys(step.logits);
  const read = new Set(
    inputsOf(roots).flatMap(({ datum }) => ("model" in datum ? [datum.model] : [])),
  );
  const given: Record<string, Binding> = {};
  const heights: Record<string, Height> = {};
  const absent = [...read].find((model) => !models.includes(model));
  if (absent !== undefined) {
    const values = absent === "ref" ? referenceOf(step) : null;
    if (values === null) {
      return fail(
        "step-tensor-missing",
        `${step.file} has no logits of the model ${cite(absent)} and no log-probabilities either; record ${absent}_logits, or ${absent}_chosen_logps and ${absent}_rejected_logps.`,
      );
    }
    heights[absent] = "logps";
    responsesIn.forEach((response, index) => {
      const own = values.slice(index * step.examples, (index + 1) * step.examples);
      given[nameOfDatum({ kind: "logps", model: absent, response })] = {
        height: "example",
        values: own,
      };
    });
  }
  const bound = bindHeights({ loss, metrics, next: {} }, responses, heights);
  const unknown = inputsOf([bound.loss]).find(
    ({ datum }) => datum.kind === "reward" || datum.kind === "example" || datum.kind === "tokens",
  );
  if (unknown !== undefined) {
    fail(
      "audit-responses",
      `The objective reads ${cite(unknown.name)}, which a recorded step does not have; audit an objective of logits alone.`,
    );
  }
  const tokens = tokensBy(step, [...new Set([...responsesIn, ...responses])], completion);
  checkLabels(step, tokens);
  const quantities = quantitiesOf(bound, models, responsesIn);
  return {
    heights,
    right: { tokens, rows: step.logits, quantities, derived: [], given, unknown: unknownInF32 },
  };
}

/** log π_ref(y) of each sequence where the file has no logits of the reference: as recorded, or the sum of what was recorded of its tokens. */
function referenceOf(step: Step): Float64Array | null {
  const whole = step.listed["ref logps"];
  if (whole !== undefined) return Float64Array.from(whole.values);
  const tokens = step.perPosition["ref token logps"];
  if (tokens === undefined) return null;
  return Float64Array.from(step.sequences, ({ completion: marked }, sequence) => {
    let sum = 0;
    for (let at = 1; at < marked.length; at++) if (marked[at] === 1) sum += tokens.at(sequence, at);
    return sum;
  });
}

/** @throws PrefcError "step-tensor-value" */
function checkLabels(step: Step, tokens: Reading["tokens"]): void {
  const width = Math.min(...Object.values(step.logits).map((rows) => rows.width));
  for (const { labels, sequence, position } of Object.values(tokens)) {
    const wrong = labels.findIndex((label) => label >= width);
    if (wrong < 0) continue;
    const id = step.sequences[sequence[wrong]!]!.ids[position[wrong]!]!;
    fail(
      "step-tensor-value",
      `${step.file}: the token id at position ${position[wrong]} of sequence ${sequence[wrong]} is ${id}, but a row of logits has ${width} entries; record the ids and logits of one model.`,
    );
  }
}

/**
 * Audits a step.
 * @throws PrefcError "audit-responses", "audit-term", "step-tensor-missing", "step-tensor-value", and what the interpreter throws
 */
export function audit(step: Step, objective: Objective, params: Params): Audit {
  const { right, heights } = rightReading(step, objective);
  const computation = compute(right, params, lossKey);
  const recorded = recordedOf(step, right);
  const compareAll = (reading: Reading, done: Computation): readonly Comparison[] => {
    const found = recorded.flatMap((one) => compared(one, reading, done) ?? []);
    const gradient = comparedGradient(step, reading, done);
    return gradient === null ? found : [...found, gradient];
  };
  const comparisons = compareAll(right, computation);
  const first = comparisons.find(({ departs }) => departs !== null) ?? null;
  const explanations: Tried[] = [];
  const partly: Tried[] = [];
  if (first !== null) {
    for (const { name, isLoose = false, readings } of hypotheses) {
      if (isLoose && explanations.length > 0) continue;
      const tried = readings(step, right).flatMap((reading) => {
        try {
          return [compareAll(reading, compute(reading, params, lossKey))];
        } catch (error) {
          // what a mistake makes of some steps has no value
          if (error instanceof PrefcError) return [];
          throw error;
        }
      });
      const agreeing = (all: readonly Comparison[]): number =>
        all.filter(({ departs }) => departs === null).length;
      const best = tried.toSorted((a, b) => agreeing(b) - agreeing(a))[0];
      if (best === undefined) continue;
      const found = { name, agrees: agreeing(best), of: best.length };
      if (found.agrees === found.of) explanations.push(found);
      else if (best.find(({ key }) => key === first.key)?.departs === null) partly.push(found);
    }
  }
  return {
    comparisons,
    first,
    explanations,
    partly: explanations.length > 0 ? [] : partly,
    right,
    computation,
    heights,
  };
}
