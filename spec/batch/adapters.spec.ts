// The three layouts bring the same data to the same place: one random batch, written as TRL's rectangle, as packed rows
// and a response at a time, has the same logits, labels and lengths.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  exampleInput,
  idsOf,
  logitsOf,
  logpsInput,
  rewardInput,
  tokenInput,
} from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { fromPacked } from "../../src/batch/packed.ts";
import { fromResponses } from "../../src/batch/separate.ts";
import { fromTrl } from "../../src/batch/trl.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { valuesOf } from "../support/checks.ts";

/** Sequences with prompts, their completions by TRL's convention, and a logits row for every position. */
interface Sequence {
  readonly ids: readonly number[];
  readonly mask: readonly number[];
  readonly logits: readonly (readonly number[])[];
}

const sequence = (vocab: number): fc.Arbitrary<Sequence> =>
  fc
    .record({ prompt: fc.integer({ min: 1, max: 3 }), completion: fc.integer({ min: 1, max: 4 }) })
    .chain(({ prompt, completion }) => {
      const length = prompt + completion;
      return fc.record({
        ids: fc.array(fc.nat(vocab - 1), { minLength: length, maxLength: length }),
        mask: fc.constant(Array.from({ length }, (_, t) => Number(t >= prompt))),
        logits: fc.array(
          fc.array(fc.integer({ min: -9, max: 9 }), { minLength: vocab, maxLength: vocab }),
          { minLength: length, maxLength: length },
        ),
      });
    });

const pairs = fc
  .record({ examples: fc.integer({ min: 1, max: 3 }), vocab: fc.integer({ min: 2, max: 5 }) })
  .chain(({ examples, vocab }) =>
    fc.array(sequence(vocab), { minLength: 2 * examples, maxLength: 2 * examples }),
  );

const roots: readonly Node[] = (["w", "l"] as const).flatMap((response) => [
  logitsOf("policy", response),
  idsOf(response),
]);
const contents = (batch: Batch): unknown => ({
  tables: evaluate(roots, batch, {}).map(({ data }) => [...data]),
  offsets: ["w", "l"].map((response) => [...batch.responses[response]!.offsets]),
});

const pad = <T>(list: readonly T[], length: number, filler: T): readonly T[] => [
  ...list,
  ...Array.from({ length: length - list.length }, () => filler),
];

const asTrl = (sequences: readonly Sequence[]): Batch => {
  const length = Math.max(...sequences.map(({ ids }) => ids.length));
  const vocab = sequences[0]!.logits[0]!.length;
  return fromTrl({
    input_ids: sequences.map(({ ids }) => pad(ids, length, 0)),
    completion_mask: sequences.map(({ mask }) => pad(mask, length, 0)),
    policy_logits: sequences.map(({ logits }) =>
      pad(
        logits,
        length,
        Array.from({ length: vocab }, () => 7),
      ),
    ),
  });
};
const asPacked = (sequences: readonly Sequence[]): Batch => {
  const starts = [0];
  for (const { ids } of sequences) starts.push(starts.at(-1)! + ids.length);
  return fromPacked({
    input_ids: sequences.flatMap(({ ids }) => ids),
    completion_mask: sequences.flatMap(({ mask }) => mask),
    cu_seqlens: starts,
    policy_logits: Float32Array.from(sequences.flatMap(({ logits }) => logits.flat())),
  });
};
/** By definition: the completion's tokens, and for each the logits one position earlier. */
const asResponses = (sequences: readonly Sequence[]): Batch => {
  const half = sequences.length / 2;
  const response = (part: readonly Sequence[]) => ({
    labels: part.map(({ ids, mask }) => ids.filter((_, t) => mask[t] === 1)),
    policy_logits: part.flatMap(({ logits, mask }) => logits.filter((_, t) => mask[t + 1] === 1)),
  });
  return fromResponses({
    w: response(sequences.slice(0, half)),
    l: response(sequences.slice(half)),
  });
};

describe("the layouts", () => {
  it("bring the same logits and labels", () => {
    fc.assert(
      fc.property(pairs, (sequences) => {
        const expected = contents(asResponses(sequences));
        expect(contents(asTrl(sequences))).toEqual(expected);
        expect(contents(asPacked(sequences))).toEqual(expected);
      }),
    );
  });
});

const logits = Float32Array.from({ length: 2 * 3 * 2 }, (_, n) => n);
const trl = {
  input_ids: [
    [0, 1, 1],
    [0, 1, 0],
  ],
  completion_mask: [
    [0, 1, 0],
    [0, 1, 1],
  ],
  policy_logits: logits,
};

describe("TRL's layout", () => {
  it("copies no flat logits, and both responses read one tensor", () => {
    const { inputs } = fromTrl({ ...trl, ref_logits: logits });
    const [w, l] = [inputs["policy.logits.w"]!, inputs["policy.logits.l"]!];
    if (w.height !== "logits" || l.height !== "logits") throw new Error("logits are missing");
    expect(w.tensor).toBe(l.tensor);
    expect(w.tensor).toMatchObject({ name: "policy", rows: 6 });
    expect(w.tensor.data).toBe(logits);
    expect([[...w.rowIndex], [...l.rowIndex]]).toEqual([[0], [3, 4]]);
    expect(inputs["ref.logits.w"]).toMatchObject({ tensor: { name: "ref" } });
  });

  it("ignores the mask of column 0, which nothing predicts", () => {
    const batch = fromTrl({
      ...trl,
      completion_mask: [
        [1, 1, 0],
        [1, 1, 1],
      ],
    });
    expect(batch.responses).toEqual(fromTrl(trl).responses);
  });

  it("takes flat arrays of any integer type, and booleans as a mask", () => {
    const flat = {
      input_ids: BigInt64Array.of(0n, 1n, 1n, 0n, 1n, 0n),
      completion_mask: [false, true, false, false, true, true],
      policy_logits: logits,
      shape: [2, 3, 2],
    } as const;
    expect(fromTrl(flat)).toEqual(fromTrl(trl));
    expect(fromTrl({ ...flat, input_ids: Int32Array.of(0, 1, 1, 0, 1, 0) })).toEqual(fromTrl(trl));
  });

  it("takes logits in a GPU buffer when the shape is given", () => {
    const buffer = { size: 48, mapAsync: () => Promise.resolve() } as unknown as GPUBuffer;
    const batch = fromTrl({ ...trl, policy_logits: buffer, shape: [2, 3, 2] });
    expect(batch.inputs["policy.logits.l"]).toMatchObject({ tensor: { data: buffer, rows: 6 } });
  });

  it("brings cached log-probabilities, rewards and numbers of the examples", () => {
    const batch = fromTrl({
      ...trl,
      ref_logps: { chosen: [-1], rejected: [-2] },
      policy_logps: { w: [-3] },
      rewards: { chosen: Float32Array.of(4) },
      examples: { margin: [5] },
    });
    const nodes = [
      logpsInput("ref", "w"),
      logpsInput("ref", "l"),
      logpsInput("policy", "w"),
      rewardInput("w"),
      exampleInput("margin"),
    ];
    expect(nodes.map((node) => valuesOf(node, batch))).toEqual([[-1], [-2], [-3], [4], [5]]);
  });

  it("may hold other responses: one, or three", () => {
    const one = fromTrl({ ...trl, responses: ["w"] });
    expect(one.examples).toBe(2);
    expect(Object.keys(one.responses)).toEqual(["w"]);
    const three = fromTrl({
      input_ids: [
        [0, 1],
        [0, 1],
        [0, 1],
      ],
      completion_mask: [
        [0, 1],
        [0, 1],
        [0, 1],
      ],
      policy_logits: new Float32Array(12),
      responses: ["w", "l", "gold"],
    });
    expect(three.inputs["policy.logits.gold"]).toMatchObject({ rowIndex: Uint32Array.of(4) });
  });
});

describe("responses that come apart", () => {
  it("have a tensor each", () => {
    const batch = fromResponses({
      w: {
        labels: [1, 0],
        lengths: [2],
        policy_logits: new Float64Array(4),
        ref_logits: new Float64Array(4),
      },
      l: { labels: [1], offsets: [0, 1], policy_logits: [[1, 2]] },
    });
    expect(batch.inputs["policy.logits.w"]).toMatchObject({
      tensor: { name: "policy.w", rows: 2 },
    });
    expect(batch.inputs["ref.logits.w"]).toMatchObject({ tensor: { name: "ref.w" } });
    expect(valuesOf(logitsOf("policy", "l"), batch)).toEqual([1, 2]);
  });

  it("may share one array, each with its own rows", () => {
    const shared = Float32Array.from({ length: 8 }, (_, n) => n);
    const batch = fromResponses(
      {
        w: { labels: [[1]], policy_logits: shared, rows: [2] },
        l: { labels: [[0]], policy_logits: shared, rows: [0] },
      },
      { vocab_size: 2 },
    );
    const [w, l] = [batch.inputs["policy.logits.w"]!, batch.inputs["policy.logits.l"]!];
    if (w.height !== "logits" || l.height !== "logits") throw new Error("logits are missing");
    expect(w.tensor).toBe(l.tensor);
    expect(w.tensor).toMatchObject({ name: "policy", rows: 4 });
    expect(valuesOf(logitsOf("policy", "w"), batch)).toEqual([4, 5]);
  });

  it("bring numbers at every height without any logits", () => {
    const batch = fromResponses(
      {
        w: {
          labels: [[1], [0, 1]],
          policy_logp: [-1, -2, -3],
          ref_logps: [-4, -5],
          reward: [6, 7],
          tokens: { weight: [8, 9, 10] },
        },
      },
      { vocab_size: 2, examples: { margin: [11, 12] } },
    );
    const nodes = [
      logpsInput("ref", "w"),
      rewardInput("w"),
      tokenInput("weight", "w"),
      exampleInput("margin"),
    ];
    expect(nodes.map((node) => valuesOf(node, batch))).toEqual([
      [-4, -5],
      [6, 7],
      [8, 9, 10],
      [11, 12],
    ]);
    expect(batch.inputs["policy.logp.w"]).toEqual({
      height: "token",
      values: Float64Array.of(-1, -2, -3),
    });
  });
});
