// Prompt and completion in one sequence, as trainers hold them: token ids with a mask that marks the completion, and
// perhaps one that marks what is no padding, which then marks the prompt too. Logits at a position predict the token
// after it, so a token at position p reads row p − 1, and the first token of a sequence is predicted by nothing. Padded
// rectangles and packed rows differ only in where sequences start.

import { fail } from "../core/error.ts";
import { logitsOf, promptOf, tokenInput, type ModelName } from "../core/inputs.ts";
import { assemble, entriesOf, type Entry, type Extras } from "./assemble.ts";
import type { Batch, LogitsTensor, ResponseTokens } from "./batch.ts";
import { memberPath } from "../core/json.ts";
import { completionOf, readMask } from "./masks.ts";
import { fieldOf, modelsAt } from "./models.ts";
import { flatten, isArrayLike, isNested, type Nested } from "./numbers.ts";
import { partsOf, requireNames } from "./record.ts";
import { readLogits, readOther, storedIn, type LogitsSource } from "./source.ts";
import { cite } from "../core/quote.ts";

/** Whole sequences, one after the other. */
export interface Sequences {
  readonly ids: ArrayLike<number>;
  /** Sequence s is the positions starts[s] … starts[s+1]−1. */
  readonly starts: ArrayLike<number>;
}

/** Some tokens of every example, and where they lie. */
interface Selected {
  readonly response: string;
  readonly tokens: ResponseTokens;
  /** The position of each token; the row before it predicts it. */
  readonly positions: readonly number[];
}

/** The tokens of the sequences first … first + examples − 1 for which `wanted` holds, but for the first of each. */
function select(
  { ids, starts }: Sequences,
  response: string,
  first: number,
  examples: number,
  wanted: (position: number) => boolean,
): Selected {
  const offsets = [0];
  const labels: number[] = [];
  const positions: number[] = [];
  for (let example = 0; example < examples; example++) {
    const [from, to] = [starts[first + example]!, starts[first + example + 1]!];
    for (let position = from + 1; position < to; position++) {
      if (!wanted(position)) continue;
      const label = ids[position]!;
      if (!Number.isInteger(label) || label < 0 || label >= 2 ** 32) {
        fail(
          "label-out-of-range",
          `Token ${labels.length - offsets.at(-1)!} of example ${example} in response ${cite(response)} has label ${label} (input_ids[${first + example}][${position - from}]); labels are whole numbers from 0 upward, and tokens to be ignored have mask 0.`,
        );
      }
      labels.push(label);
      positions.push(position);
    }
    offsets.push(labels.length);
  }
  const tokens = { offsets: Uint32Array.from(offsets), labels: Uint32Array.from(labels) };
  return { response, tokens, positions };
}

/** Where sequences come from. */
interface Origin {
  /** Precedes the names of fields in sentences. */
  readonly where: string;
  /** Follows the names of the models in those of the tensors. */
  readonly suffix: string;
}

/** What becomes a batch. */
export interface Contents extends Omit<Batch, "inputs"> {
  readonly entries: readonly Entry[];
}

/** What every layout of whole sequences brings, whatever its responses are called. */
export interface SequenceParts extends Extras {
  /**
   * 1 where a token belongs to the completion; may be left out where token ids are -100 at all others. The first token of a
   * sequence is ignored: nothing predicts it.
   */
  readonly completion_mask?: Nested;
  /** 1 where a token is no padding. What it marks outside the completion are the prompt tokens, for `prompt(y)`. */
  readonly attention_mask?: Nested;
  readonly policy_logits: LogitsSource;
  /** Those of the reference and of any other model, under its name. */
  readonly ref_logits?: LogitsSource;
  readonly [modelLogits: `${string}_logits`]: LogitsSource | undefined;
  /** Any number per position by name, such as a token weight; those at completion tokens are read. */
  readonly tokens?: Readonly<Record<string, Nested>>;
}

/** The fields of whole sequences, apart from what models say. */
export const sequenceFields: readonly string[] = [
  "input_ids",
  "completion_mask",
  "attention_mask",
  "tokens",
  "examples",
  "rewards",
];

/** What a layout brings whose responses may be named. */
export interface SequenceData extends SequenceParts {
  /** The responses in the order of their sequences: all of the first, then all of the second. Default: "w", "l". */
  readonly responses?: readonly string[];
}

/**
 * The responses of whole sequences: with B examples, sequences 0 … B−1 are the first response, B … 2B−1 the second.
 * All share the tensors that are given, with one row of `vocab` numbers per position.
 */
export function readSequences(
  sequences: Sequences,
  data: SequenceData,
  vocab: number | undefined,
  { where, suffix }: Origin = { where: "", suffix: "" },
): Contents {
  const completion = completionOf(data, where, sequences);
  const attention =
    data.attention_mask === undefined
      ? null
      : readMask(data.attention_mask, `${where}attention_mask`, sequences);
  const names = data.responses ?? ["w", "l"];
  requireNames(names, `${where}responses`);
  const count = sequences.starts.length - 1;
  const examples = count / names.length;
  if (!Number.isInteger(examples)) {
    fail(
      "sequences-uneven",
      `${count} sequences cannot be shared evenly by the responses ${names.map((name) => cite(name)).join(", ")}; give as many of each.`,
    );
  }
  if (examples < 1)
    fail("empty-batch", "The batch has no sequences; give at least one per response.");

  const isCompletion = (position: number): boolean => completion[position] === 1;
  const isPrompt = (position: number): boolean =>
    attention![position] === 1 && completion[position] === 0;
  const completions = names.map((name, n) =>
    select(sequences, name, n * examples, examples, isCompletion),
  );
  const prompts =
    attention === null
      ? []
      : names.map((name, n) => select(sequences, promptOf(name), n * examples, examples, isPrompt));
  const found = [...completions, ...prompts];
  const bound = (model: ModelName, tensor: LogitsTensor): readonly Entry[] =>
    found.map(({ response, positions }) => [
      logitsOf(model, response),
      { height: "logits", tensor, rowIndex: Uint32Array.from(positions, (one) => one - 1) },
    ]);
  const read = modelTensors(data, sequences, vocab, { where, suffix });
  return {
    examples,
    vocab: read.vocab,
    responses: Object.fromEntries(found.map(({ response, tokens }) => [response, tokens])),
    entries: [
      ...read.tensors.flatMap(([model, tensor]) => bound(model, tensor)),
      ...tokenEntries(data.tokens, completions, sequences),
    ],
  };
}

/**
 * Refuses logits that have lost their last or first position, as those of a loss have whose labels are shifted.
 * @throws PrefcError "logits-shifted"
 */
function refuseShifted(
  source: LogitsSource,
  what: string,
  { ids, starts }: Sequences,
  vocab: number | undefined,
): void {
  const count = starts.length - 1;
  const fewer = ids.length - count;
  const { data } = storedIn(source);
  if (fewer < 1 || !isArrayLike(data)) return;
  const isFlat = !isNested(data);
  const held = isFlat ? data.length : NaN;
  const shape = isFlat ? [] : flatten(data, what).shape;
  const isShifted = isFlat
    ? vocab === undefined
      ? !Number.isInteger(held / ids.length) && Number.isInteger(held / fewer)
      : held === fewer * vocab
    : shape.length === 3 && shape[0] === count && fewer === count * shape[1]!;
  if (!isShifted) return;
  fail(
    "logits-shifted",
    `${what} has one position less in each sequence than there are token ids; give the logits of all positions, not shifted by one: those at t predict token t + 1.`,
  );
}

/** The tensor of each model, and the width of the policy's rows. */
function modelTensors(
  data: SequenceData,
  sequences: Sequences,
  vocab: number | undefined,
  { where, suffix }: Origin,
): { readonly vocab: number; readonly tensors: readonly (readonly [ModelName, LogitsTensor])[] } {
  const name = (model: ModelName): string => `${where}${fieldOf(model, "logits")}`;
  const rows = sequences.ids.length;
  refuseShifted(data.policy_logits, name("policy"), sequences, vocab);
  const policy = readLogits(data.policy_logits, `policy${suffix}`, name("policy"), rows, vocab);
  const others = modelsAt<LogitsSource>(data, "logits", where).flatMap(([model, source]) =>
    model === "policy"
      ? []
      : [[model, readOther(source, `${model}${suffix}`, name(model), rows, policy.vocab)] as const],
  );
  return { vocab: policy.vocab, tensors: [["policy", policy.tensor], ...others] };
}

/** Numbers per position, as numbers per completion token. */
function tokenEntries(
  given: SequenceData["tokens"],
  completions: readonly Selected[],
  { ids }: Sequences,
): readonly Entry[] {
  return partsOf(given, "tokens").flatMap(([name, source]) => {
    const what = memberPath("tokens", name);
    const { values } = flatten(source, what);
    if (values.length !== ids.length) {
      fail(
        "tokens-length",
        `${what} has ${values.length} entries for ${ids.length} token ids; give one for each.`,
      );
    }
    return completions.map(({ response, positions }): Entry => {
      const own = Float64Array.from(positions, (position) => values[position]!);
      return [tokenInput(name, response), { height: "token", values: own }];
    });
  });
}

/** A batch of whole sequences and of the numbers that accompany them. */
export function fromSequences(
  sequences: Sequences,
  data: SequenceData,
  vocab: number | undefined,
): Batch {
  const { entries, ...shape } = readSequences(sequences, data, vocab);
  const names = data.responses ?? ["w", "l"];
  return assemble(shape, [...entries, ...entriesOf(data, names)]);
}
