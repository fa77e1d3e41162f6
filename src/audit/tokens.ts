// Which tokens of a step count, and as which labels. A trainer that is right takes the completion; each mistake takes others, and is
// a function of the same kind.

import { isPrompt, promptOf } from "../core/inputs.ts";
import { responsesIn, type Sequence, type Step } from "./step.ts";

/** The label of the token at a position, or null where it does not count. */
export type Choice = (sequence: Sequence, position: number) => number | null;

/** The tokens of a response that count, example by example. */
export interface Tokens {
  readonly offsets: Uint32Array;
  readonly labels: Uint32Array;
  /** Where each token lies. */
  readonly sequence: Uint32Array;
  readonly position: Uint32Array;
}

/** The tokens of the completion. */
export const completion: Choice = ({ ids, completion: marked }, position) =>
  marked[position] === 1 ? ids[position]! : null;

/** The tokens of the prompt, which only an attention mask tells from padding. */
const prompt: Choice = ({ ids, completion: marked, attention }, position) =>
  marked[position] === 0 && attention?.[position] === 1 ? ids[position]! : null;

/** The tokens of each response; nothing predicts the first of a sequence. Labels that are no token are left out. */
export function tokensBy(
  step: Step,
  responses: readonly string[],
  choice: Choice = completion,
): Readonly<Record<string, Tokens>> {
  const own = (response: string): Tokens => {
    const position = responsesIn.findIndex(
      (name) => name === response || promptOf(name) === response,
    );
    const chosen = isPrompt(response) ? prompt : choice;
    const offsets = [0];
    const labels: number[] = [];
    const [sequences, positions]: [number[], number[]] = [[], []];
    for (let example = 0; example < step.examples; example++) {
      const index = position * step.examples + example;
      const sequence = step.sequences[index]!;
      for (let at = 1; at < sequence.ids.length; at++) {
        const label = chosen(sequence, at);
        if (label === null) continue;
        labels.push(label);
        sequences.push(index);
        positions.push(at);
      }
      offsets.push(labels.length);
    }
    return {
      offsets: Uint32Array.from(offsets),
      labels: Uint32Array.from(labels),
      sequence: Uint32Array.from(sequences),
      position: Uint32Array.from(positions),
    };
  };
  return Object.fromEntries(responses.map((response) => [response, own(response)]));
}
