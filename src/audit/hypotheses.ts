// The mistakes that trainers make, each as the computation that it is. One that reproduces every number that a trainer recorded
// explains why they depart from the right ones.

import { binary, count, stop, substitute } from "../core/build.ts";
import { tokenAxis } from "../core/axis.ts";
import { logpFromLogits, logpsFromLogits, tokenInput } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { inputsOf } from "../reference/parts.ts";
import { lossKey } from "./quantities.ts";
import type { Derived, Quantities, Reading } from "./reading.ts";
import type { Rows } from "./rows.ts";
import type { Step } from "./step.ts";
import { tokensBy, type Choice } from "./tokens.ts";

export interface Hypothesis {
  /** What the trainer did, as a clause: "padding is counted as tokens". */
  readonly name: string;
  /** Whether it makes numbers less exact, and so is tried where nothing else explains them. */
  readonly isLoose?: boolean;
  /** The readings that it may have come to; none where the step has nothing that it could be done to. */
  readonly readings: (step: Step, right: Reading) => readonly Reading[];
}

// ---- which tokens count

/** Other tokens than the right ones; none where they are the same, or are no tokens. */
const counting =
  (...choices: readonly Choice[]) =>
  (step: Step, right: Reading): readonly Reading[] =>
    choices.flatMap((choice) => {
      const tokens = tokensBy(step, Object.keys(right.tokens), choice);
      const least = Math.min(...Object.values(right.rows).map(({ width }) => width));
      const own = Object.entries(tokens);
      const fits = own.every(([, { labels }]) => labels.every((label) => label < least));
      const differs = own.some(([response, { labels, position }]) => {
        const other = right.tokens[response]!;
        return labels.join() !== other.labels.join() || position.join() !== other.position.join();
      });
      return fits && differs ? [{ ...right, tokens, given: right.given }] : [];
    });

const lastOf = (marked: ArrayLike<number>): number => Array.from(marked).lastIndexOf(1);
const withPadding: Choice = ({ ids, completion, attention }, position) => {
  const isPadding = attention === null ? position > lastOf(completion) : attention[position] === 0;
  return completion[position] === 1 || isPadding ? ids[position]! : null;
};
const withPrompt: Choice = ({ ids, completion, attention }, position) => {
  const isText = attention === null ? position <= lastOf(completion) : attention[position] === 1;
  return isText ? ids[position]! : null;
};
const shiftedBy =
  (shift: number): Choice =>
  ({ ids, completion }, position) =>
    completion[position + shift] === 1 ? ids[position]! : null;
/** A mask that was made of lengths, as if padding stood behind the text. */
const paddedRight: Choice = ({ ids, completion, attention }, position) => {
  if (attention === null) return completion[position] === 1 ? ids[position]! : null;
  const before = Math.max(0, Array.from(attention).indexOf(1));
  return completion[position + before] === 1 ? ids[position]! : null;
};
const ignoredAs =
  (label: number): Choice =>
  ({ ids, completion }, position) =>
    completion[position] === 1 ? ids[position]! : label;

// ---- where logits come from

/** Rows that were cut to a width, or filled up with zeros. */
const resizedRows = (rows: Rows, width: number): Rows => ({
  ...rows,
  width,
  read: (sequence, first, many) => {
    const data = rows.read(sequence, first, many);
    const made = new Float64Array(many * width);
    const kept = Math.min(width, rows.width);
    for (let row = 0; row < many; row++)
      made.set(data.subarray(row * rows.width, row * rows.width + kept), row * width);
    return made;
  },
});

/** What is lost of a log-probability that is computed in bf16, in parts of the largest logit. */
const lostInBf16 = 2 ** -7;
/** Sums of numbers of 8 bits leave the last bits of a float32 at 0. */
const emptyBits = 4;

const bits = new Uint32Array(1);
const single = new Float32Array(bits.buffer);
const isCoarse = (value: number): boolean => {
  single[0] = value;
  return bits[0]! % 2 ** emptyBits === 0;
};

/** The right computation, known to bf16 only, where the recorded log-probabilities have no more digits than that. */
function roundedToBf16({ perPosition, listed }: Step, right: Reading): readonly Reading[] {
  const tokens = perPosition["policy token logps"];
  const values =
    tokens === undefined
      ? Array.from(listed["policy logps"]?.values ?? [])
      : Object.values(right.tokens).flatMap(({ sequence, position }) =>
          Array.from(sequence, (one, index) => tokens.at(one, position[index]!)),
        );
  const coarse = values.filter(isCoarse).length;
  return values.length > 2 && coarse >= 0.75 * values.length
    ? [{ ...right, unknown: lostInBf16 }]
    : [];
}

// ---- what the formula is

/** Quantities in which some nodes are others. */
function changed(quantities: Quantities, change: (original: Node) => Node | undefined): Quantities {
  const roots = [...quantities.values()];
  const made = substitute(
    roots,
    (rebuilt, original) => change(original) ?? rebuilt,
    topological(roots),
  );
  return new Map([...quantities.keys()].map((key, index) => [key, made[index]!]));
}

const isDifferent = (right: Reading, quantities: Quantities): boolean =>
  [...quantities].some(([key, node]) => right.quantities.get(key) !== node);
const withQuantities = (right: Reading, quantities: Quantities): readonly Reading[] =>
  isDifferent(right, quantities) ? [{ ...right, quantities }] : [];

/** log π(y_t) of the token before, and 0 for the first, as TRL 0.14 to 0.28 have it in their weights. */
function shiftedWeights(_: Step, right: Reading): readonly Reading[] {
  const derived: Derived[] = [];
  const replaced = new Map<Node, Node>();
  for (const response of Object.keys(right.tokens)) {
    const of = logpFromLogits("policy", response);
    const shifted = tokenInput("before", response);
    replaced.set(of, shifted);
    derived.push({
      input: shifted,
      of,
      make: (values, { offsets }) => {
        const made = new Float64Array(values.length);
        for (let example = 0; example + 1 < offsets.length; example++)
          for (let token = offsets[example]! + 1; token < offsets[example + 1]!; token++)
            made[token] = values[token - 1]!;
        return made;
      },
    });
  }
  const bodies = (node: Node): Node => {
    const [made] = substitute(
      [node],
      (rebuilt, original) => replaced.get(original) ?? rebuilt,
      topological([node]),
    );
    return made!;
  };
  const stopped = changed(right.quantities, (node) =>
    node.tag === "stop" ? stop(bodies(node.args[0])) : undefined,
  );
  return withQuantities(right, stopped).map((reading) => ({
    ...reading,
    derived: derived.filter(({ input }) =>
      inputsOf([...stopped.values()]).some((one) => one === input),
    ),
  }));
}

/** Whether a node is the sum along an axis over what is counted along it. */
const meanOver = (node: Node, axis: (name: string) => boolean): Node | null => {
  if (node.tag !== "binary" || node.op !== "over") return null;
  const [sum, size] = node.args;
  return sum.tag === "reduce" &&
    sum.op === "sum" &&
    axis(sum.axis) &&
    size.tag === "count" &&
    size.axis === sum.axis
    ? sum
    : null;
};

function summedTokens(_: Step, right: Reading): readonly Reading[] {
  return withQuantities(
    right,
    changed(right.quantities, (node) => {
      const sum = meanOver(node, (axis) => axis !== "batch" && axis !== "vocab");
      return sum ?? undefined;
    }),
  );
}

function summedExamples(_: Step, right: Reading): readonly Reading[] {
  const loss = right.quantities.get(lossKey)!;
  const sum = meanOver(loss, (axis) => axis === "batch");
  return sum === null
    ? []
    : [{ ...right, quantities: new Map([...right.quantities, [lossKey, sum]]) }];
}

function averagedSequences(_: Step, right: Reading): readonly Reading[] {
  const replaced = new Map<Node, Node>();
  for (const response of Object.keys(right.tokens))
    for (const model of Object.keys(right.rows)) {
      const sum = logpsFromLogits(model, response);
      replaced.set(sum, binary("over", sum, count(tokenAxis(response))));
    }
  const quantities = changed(right.quantities, (node) => replaced.get(node));
  return withQuantities(right, quantities);
}

/** In the order in which they are told. */
export const hypotheses: readonly Hypothesis[] = [
  { name: "the weights are shifted by one token", readings: shiftedWeights },
  { name: "padding is counted as tokens of the completion", readings: counting(withPadding) },
  { name: "the prompt is not masked", readings: counting(withPrompt) },
  { name: "sums stand where means over tokens belong", readings: summedTokens },
  { name: "the sum over examples stands where their mean belongs", readings: summedExamples },
  { name: "means over tokens stand where sums belong", readings: averagedSequences },
  {
    name: "labels of −100 are read as the last token of the vocabulary",
    readings: (step, right) => {
      const { width } = right.rows["policy"]!;
      const labels = width > 100 ? [width - 1, width - 100] : [width - 1];
      return labels.flatMap((label) => counting(ignoredAs(label))(step, right));
    },
  },
  {
    name: "the mask takes padding on the left for padding on the right",
    readings: counting(paddedRight),
  },
  {
    name: "the reference has another vocabulary, whose rows were cut or filled up to the policy's",
    readings: (_, right) => {
      const [policy, ref] = [right.rows["policy"]!, right.rows["ref"]];
      if (ref === undefined || ref.width === policy.width) return [];
      return [{ ...right, rows: { ...right.rows, ref: resizedRows(ref, policy.width) } }];
    },
  },
  { name: "the mask is shifted by one token", readings: counting(shiftedBy(-1), shiftedBy(1)) },
  { name: "log-softmax is computed in bf16", isLoose: true, readings: roundedToBf16 },
];
