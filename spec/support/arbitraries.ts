// Random ragged batches for property tests: one to four examples, completions of one to five tokens, two to
// seventeen vocabulary entries, logits of ordinary, peaked or extreme size, in TRL's layout or in separate buffers.
// A batch comes with logits and cached log-probabilities of both models for the responses "w" and "l".
import fc from "fast-check";
import type { Batch, Binding, LogitsTensor, ResponseTokens } from "../../src/batch/batch.ts";

export type Layout = "trl" | "separate";
export type Scale = "normal" | "peaked" | "extreme";

export interface BatchOptions {
  /** Default: both. */
  readonly layouts?: readonly Layout[];
  /** Default: all three. `extreme` reaches ±80, so that probabilities underflow in single precision. */
  readonly scales?: readonly Scale[];
  /** Whether some logits that are not a label's are −∞, the same in both models, as in a padded vocabulary. Default: false. */
  readonly masked?: boolean;
  readonly maxExamples?: number;
  readonly maxLength?: number;
  readonly maxVocab?: number;
}

const responses = ["w", "l"] as const;

interface Sizes {
  readonly examples: number;
  readonly vocab: number;
  readonly lengths: Readonly<Record<(typeof responses)[number], readonly number[]>>;
  readonly layout: Layout;
  readonly scale: Scale;
}

const sizes = (options: BatchOptions): fc.Arbitrary<Sizes> =>
  fc
    .record({
      examples: fc.integer({ min: 1, max: options.maxExamples ?? 4 }),
      vocab: fc.integer({ min: 2, max: options.maxVocab ?? 17 }),
      layout: fc.constantFrom(...(options.layouts ?? (["trl", "separate"] as const))),
      scale: fc.constantFrom(...(options.scales ?? (["normal", "peaked", "extreme"] as const))),
    })
    .chain((drawn) => {
      const lengths = fc.array(fc.integer({ min: 1, max: options.maxLength ?? 5 }), {
        minLength: drawn.examples,
        maxLength: drawn.examples,
      });
      return fc
        .record({ w: lengths, l: lengths })
        .map((byResponse) => ({ ...drawn, lengths: byResponse }));
    });

/** A generator of numbers below 1 from a 32-bit seed (a linear congruence, its high bits): shrinks to one seed. */
const uniforms = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
};

/** Logits lie between ± this, and a peaked label is lifted so that its probability is near 1. */
const amplitudes: Readonly<Record<Scale, number>> = { normal: 3, peaked: 2, extreme: 80 };
const peak = 14;

const offsetsFrom = (lengths: readonly number[]): Uint32Array => {
  const offsets = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, example) => (offsets[example + 1] = offsets[example]! + length));
  return offsets;
};

/** Where the tokens of both responses lie in the logits: rows of one tensor, or a tensor each. */
interface Placement {
  readonly rows: number;
  readonly rowIndex: Uint32Array;
  readonly tensor: string;
}

const place = (drawn: Sizes, response: (typeof responses)[number], prompt: number): Placement => {
  const lengths = drawn.lengths[response];
  if (drawn.layout === "separate") {
    const rows = lengths.reduce((sum, length) => sum + length, 0);
    return {
      rows,
      rowIndex: Uint32Array.from({ length: rows }, (_, row) => row),
      tensor: `.${response}`,
    };
  }
  const width = prompt + Math.max(...drawn.lengths.w, ...drawn.lengths.l);
  const first = response === "w" ? 0 : drawn.examples;
  const rowIndex = lengths.flatMap((length, example) =>
    Array.from({ length }, (_, t) => (first + example) * width + prompt + t - 1),
  );
  return { rows: 2 * drawn.examples * width, rowIndex: Uint32Array.from(rowIndex), tensor: "" };
};

const build = (drawn: Sizes, seed: number, masked: boolean): Batch => {
  const random = uniforms(seed);
  const { examples, vocab, scale } = drawn;
  const prompt = 1 + Math.floor(random() * 2);
  const spread = (size: number): number => Math.fround((2 * random() - 1) * size);
  const tokens: Record<string, ResponseTokens> = {};
  const inputs: Record<string, Binding> = {};
  const tensors = new Map<string, LogitsTensor & { data: Float32Array }>();

  for (const response of responses) {
    const offsets = offsetsFrom(drawn.lengths[response]);
    const count = offsets[examples]!;
    const labels = Uint32Array.from({ length: count }, () => Math.floor(random() * vocab));
    tokens[response] = { offsets, labels };
    const masks = masked && Array.from({ length: count * vocab }, () => random() < 0.25);
    const { rows, rowIndex, tensor: suffix } = place(drawn, response, prompt);
    for (const model of ["policy", "ref"] as const) {
      const name = `${model}${suffix}`;
      const data =
        tensors.get(name)?.data ??
        new Float32Array(rows * vocab).map(() => spread(amplitudes[scale]));
      const tensor = tensors.get(name) ?? { name, data, rows };
      tensors.set(name, tensor);
      rowIndex.forEach((row, token) => {
        const label = labels[token]!;
        if (scale === "peaked") data[row * vocab + label]! += peak;
        if (masks === false) return;
        for (let v = 0; v < vocab; v++) {
          if (v !== label && masks[token * vocab + v]) data[row * vocab + v] = -Infinity;
        }
      });
      inputs[`${model}.logits.${response}`] = { height: "logits", tensor, rowIndex };
      inputs[`${model}.logp.${response}`] = {
        height: "token",
        values: new Float32Array(count).map(() => Math.fround(-5 * random())),
      };
      inputs[`${model}.logps.${response}`] = {
        height: "example",
        values: new Float32Array(examples).map(() => Math.fround(-20 * random())),
      };
    }
  }
  return { examples, vocab, responses: tokens, inputs };
};

/** Batches of the responses "w" and "l". */
export const ragged = (options: BatchOptions = {}): fc.Arbitrary<Batch> =>
  fc
    .tuple(sizes(options), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
    .map(([drawn, seed]) => build(drawn, seed, options.masked ?? false));

/** One such batch, for tests that need an example rather than a property. */
export const exampleBatch = (options: BatchOptions = {}, seed = 1): Batch =>
  fc.sample(ragged(options), { numRuns: 1, seed })[0]!;
