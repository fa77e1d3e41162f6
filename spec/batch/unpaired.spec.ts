// Rows with a yes or no each: where their tokens, labels and mismatched completions go, and what is said of those that
// do not fit.
import { describe, expect, it } from "vitest";
import type { LogitsBinding } from "../../src/batch/batch.ts";
import { fromUnpaired, type UnpairedBatch } from "../../src/batch/unpaired.ts";
import { expectError } from "../support/checks.ts";

const logits = (rows: number, length: number, seed: number): number[][][] =>
  Array.from({ length: rows }, (_, r) =>
    Array.from({ length }, (_, t) => [0, 1].map((v) => Math.sin(seed + 6 * r + 2 * t + v))),
  );
const rows: UnpairedBatch = {
  input_ids: [
    [0, 1, 1],
    [1, 0, 0],
    [0, 0, 1],
  ],
  completion_mask: [
    [0, 0, 1],
    [0, 1, 0],
    [0, 1, 1],
  ],
  label: [true, false, true],
  policy_logits: logits(3, 3, 1),
  ref_logits: logits(3, 3, 2),
};
const KL = {
  input_ids: [
    [1, 1],
    [0, 1],
    [0, 0],
  ],
  completion_mask: [
    [0, 1],
    [0, 1],
    [0, 1],
  ],
  policy_logits: logits(3, 2, 3),
};
const wrong = (change: object, code: string, ...messages: readonly RegExp[]): void =>
  expectError(() => fromUnpaired({ ...rows, KL, ...change }), code, ...messages);

describe("an unpaired batch", () => {
  it("has one example a row, with its completion and its label", () => {
    const batch = fromUnpaired(rows);
    expect(batch.examples).toBe(3);
    expect(batch.responses).toEqual({
      y: { offsets: Uint32Array.of(0, 1, 2, 4), labels: Uint32Array.of(1, 0, 0, 1) },
    });
    expect(batch.inputs["example.desirable"]).toEqual({
      height: "example",
      values: Float64Array.of(1, 0, 1),
    });
    expect((batch.inputs["ref.logits.y"] as LogitsBinding).rowIndex).toEqual(
      Uint32Array.of(1, 3, 6, 7),
    );
  });

  it("has mismatched completions of the same examples, with tensors of their own", () => {
    const batch = fromUnpaired({ ...rows, KL, ref_logps: { kl: [-1, -2, -3] } });
    expect(batch.responses["kl"]).toEqual({
      offsets: Uint32Array.of(0, 1, 2, 3),
      labels: Uint32Array.of(1, 1, 0),
    });
    const { tensor, rowIndex } = batch.inputs["policy.logits.kl"] as LogitsBinding;
    expect([tensor.name, tensor.rows, ...rowIndex]).toEqual(["policy.kl", 6, 0, 2, 4]);
    expect(batch.inputs["ref.logps.kl"]).toMatchObject({ values: Float64Array.of(-1, -2, -3) });
    expect(batch.inputs["ref.logits.kl"]).toBeUndefined();
  });

  it("has prompts like any other sequence", () => {
    const attention_mask = [
      [1, 1, 1],
      [1, 1, 0],
      [1, 1, 1],
    ];
    const batch = fromUnpaired({ ...rows, attention_mask });
    expect(batch.responses["y.prompt"]).toEqual({
      offsets: Uint32Array.of(0, 1, 1, 1),
      labels: Uint32Array.of(1),
    });
  });
});

describe("an unpaired batch that does not fit", () => {
  it("has a label for each row, yes or no", () => {
    wrong({ label: [true, false] }, "label-length", /label has 2 entries for 3 rows/);
    wrong({ label: [1, 0, 2] }, "label-not-boolean", /label is 2 at row 2; give true/);
    wrong({ label: [1, 0.5, 0] }, "label-not-boolean", /label is 0.5 at row 1/);
  });

  it("has one mismatched completion for each row", () => {
    const two = {
      ...KL,
      input_ids: KL.input_ids.slice(1),
      completion_mask: KL.completion_mask.slice(1),
      policy_logits: KL.policy_logits.slice(1),
    };
    wrong({ KL: two }, "sequences-uneven", /KL\.input_ids has 2 rows for 3 examples/);
  });

  it("says which of the two kinds of rows is wrong", () => {
    wrong({ KL: { ...KL, completion_mask: [[1]] } }, "mask-length", /^KL\.completion_mask has 1/);
    wrong(
      { KL: { ...KL, input_ids: [1, 1], completion_mask: [1, 1] } },
      "shape-mismatch",
      /^KL\.input_ids has 2 entries/,
    );
    wrong(
      { KL: { ...KL, policy_logits: logits(2, 2, 0) } },
      "logits-too-small",
      /^KL\.policy_logits/,
    );
    wrong({ completion_mask: [[1]] }, "mask-length", /^completion_mask has 1/);
  });

  it("has one vocabulary", () => {
    const wide = KL.policy_logits.map((row) => row.map((list) => [...list, 0]));
    wrong(
      { KL: { ...KL, policy_logits: wide } },
      "vocabulary-differs",
      /KL\.policy_logits has rows of 3/,
    );
  });
});
