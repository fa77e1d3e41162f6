// The loss of one pair, its gradient and its weight, as something changes: what the float64 interpreter makes of an objective when
// the log-probabilities of sequences are given as data or, where a loss reads single tokens, logits that have them.

import type { Batch, Binding, Params } from "../batch/batch.ts";
import { tokenAxis } from "../core/axis.ts";
import { binary } from "../core/build.ts";
import { fail, PrefcError } from "../core/error.ts";
import type { Input } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import { compileProgram, type Program } from "../pipeline/pipeline.ts";
import type { Objective } from "../dsl/index.ts";
import { evaluate } from "../reference/interpret.ts";
import { factorsOf } from "../reference/parts.ts";

/** Numbers of a pair: log π(y) of the policy and of every other model, and tokens, by response. */
export interface Pair {
  readonly policy: Readonly<Record<string, number>>;
  readonly others: Readonly<Record<string, number>>;
  readonly lengths: Readonly<Record<string, number>>;
}
/** What curves are drawn against. */
export interface Against {
  /** What the horizontal axis measures. */
  readonly axis: string;
  readonly positions: readonly number[];
  readonly pair: (position: number) => Pair;
  readonly params: (position: number) => Params;
  /** What is held fixed, in a sentence. */
  readonly fixed: string;
}
export interface Curves {
  readonly loss: readonly number[];
  /** d loss / d log π(y), or d loss / d reward, by response. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  /** The product of the factors that are data to the gradient; null where there are none. */
  readonly weight: readonly number[] | null;
  readonly isReward: boolean;
  /** What was made of logits because single tokens are read; null where nothing was. */
  readonly fromLogits: string | null;
}

/** Entries of the vocabulary where logits are made; the label has its probability, and the others share what is left. */
const vocab = 16;
const likeliest = 1 - 1e-9;

/** Data per example that objectives may need and that are not 1. */
const examples: Readonly<Record<string, number>> = {
  "example.chosen_probs_win": 1,
  "example.chosen_probs_lose": 0,
};

/** What an input of one number for each example is in a plot. */
export const exampleValue = (input: string): number => examples[input] ?? 1;

/** How a loss is computed: of log-probabilities of sequences, or of logits where it reads more. */
function programOf(objective: Objective): {
  readonly program: Program;
  readonly isOfLogits: boolean;
} {
  const compiled = (heights: Parameters<typeof compileProgram>[1]): Program =>
    compileProgram(objective, { ...heights, metrics: false });
  try {
    return { program: compiled({ heights: { policy: "logps", ref: "logps" } }), isOfLogits: false };
  } catch (error) {
    if (!(error instanceof PrefcError) || error.code !== "input-too-high") throw error;
    return { program: compiled({}), isOfLogits: true };
  }
}

/** log π(y); responses beside the pair, such as prompts, have what the reference has of the rejected one. */
const numberOf = ({ policy, others }: Pair, model: string, response: string): number =>
  (model === "policy" ? policy : others)[response] ?? others[response] ?? others["l"]!;

/** A batch of one pair. */
function batchAt(pair: Pair, { responses, inputs }: Program): Batch {
  const lengthOf = (response: string): number => pair.lengths[response] ?? pair.lengths["l"]!;
  const binding = ({ name, datum }: Input): Binding => {
    switch (datum.kind) {
      case "logits": {
        const tokens = lengthOf(datum.response);
        const p = Math.min(
          likeliest,
          Math.exp(numberOf(pair, datum.model, datum.response) / tokens),
        );
        const row = Array.from({ length: vocab }, (_, v) =>
          Math.log(v === 0 ? p : (1 - p) / (vocab - 1)),
        );
        const data = Float64Array.from({ length: tokens * vocab }, (_, at) => row[at % vocab]!);
        return {
          height: "logits",
          tensor: { name, data, rows: tokens },
          rowIndex: Uint32Array.from({ length: tokens }, (_, token) => token),
        };
      }
      case "logps":
        return example(numberOf(pair, datum.model, datum.response));
      case "logp": {
        const tokens = lengthOf(datum.response);
        const each = numberOf(pair, datum.model, datum.response) / tokens;
        return { height: "token", values: new Float64Array(tokens).fill(each) };
      }
      case "reward":
        return example(
          numberOf(pair, "policy", datum.response) - numberOf(pair, "ref", datum.response),
        );
      case "tokens":
        return { height: "token", values: new Float64Array(lengthOf(datum.response)).fill(1) };
      default:
        return example(exampleValue(name));
    }
  };
  return {
    examples: 1,
    vocab,
    responses: Object.fromEntries(
      responses.map((response) => {
        const tokens = lengthOf(response);
        return [response, { offsets: Uint32Array.of(0, tokens), labels: new Uint32Array(tokens) }];
      }),
    ),
    inputs: Object.fromEntries(
      inputs.filter(({ dtype }) => dtype !== "i32").map((input) => [input.name, binding(input)]),
    ),
  };
}
const example = (value: number): Binding => ({ height: "example", values: Float64Array.of(value) });

/**
 * The curves of an objective of a chosen and a rejected response.
 * @throws PrefcError "plot-objective", and what the interpreter throws where the loss of one pair has no value
 */
export function curvesOf(objective: Objective, against: Against): Curves {
  if (!objective.responses.includes("w") || !objective.responses.includes("l")) {
    fail(
      "plot-objective",
      `${cite(objective.name)} is no loss of a chosen and a rejected response (it reads ${objective.responses.join(", ")}), so it has no margin; plot a loss of pairs.`,
    );
  }
  const { program, isOfLogits } = programOf(objective);
  const swept = program.gradients.flatMap(({ input, node }) => {
    const { datum } = input;
    const isOne = datum.kind === "reward" || ("model" in datum && datum.model === "policy");
    return isOne && "response" in datum && (datum.response === "w" || datum.response === "l")
      ? [{ response: datum.response, datum, node }]
      : [];
  });
  const factors = factorsOf(program.loss);
  const weight =
    factors.length === 0 ? [] : [factors.reduce((all, one) => binary("times", all, one))];
  const roots = [program.loss, ...weight, ...swept.map(({ node }) => node)];
  const inputs = program.inputs.filter(({ dtype }) => dtype !== "i32");
  const rows = against.positions.map((position) => {
    const pair = against.pair(position);
    const batch = batchAt(pair, { ...program, inputs });
    const values = evaluate(roots, batch, against.params(position));
    return values.map(({ axes, data }, index): number => {
      const slope = swept[index - 1 - weight.length];
      if (slope?.datum.kind !== "logits") return data[0]!;
      // the label's logit moves log π by 1 − p; tokens are alike
      const tokens = batch.responses[slope.response]!.labels.length;
      const p = Math.min(likeliest, Math.exp(numberOf(pair, "policy", slope.response) / tokens));
      const count = axes.includes(tokenAxis(slope.response)) ? tokens : 1;
      let sum = 0;
      for (let token = 0; token < count; token++) sum += data[token * vocab]!;
      return sum / count / (1 - p);
    });
  });
  if (rows.flat().some((value) => !Number.isFinite(value))) {
    fail(
      "plot-objective",
      `${cite(objective.name)} is not finite somewhere along ${against.axis}, for one pair; plot it against something else.`,
    );
  }
  const column = (index: number): readonly number[] => rows.map((row) => row[index]!);
  return {
    loss: column(0),
    weight: weight.length === 0 ? null : column(1),
    gradients: Object.fromEntries(
      swept.map(({ response }, index) => [response, column(1 + weight.length + index)]),
    ),
    isReward: swept.some(({ datum }) => datum.kind === "reward"),
    fromLogits: isOfLogits
      ? `logits of ${vocab} entries, of which the label has its probability and the others share the rest; all tokens are alike`
      : null,
  };
}
