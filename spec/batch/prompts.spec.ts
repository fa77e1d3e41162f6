// Prompt tokens and numbers per position, in TRL's rectangle and in packed rows: which tokens they are, which rows predict
// them, and what is said of masks that do not fit.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch, LogitsBinding } from "../../src/batch/batch.ts";
import { checkBatch } from "../../src/batch/check.ts";
import { fromPacked } from "../../src/batch/packed.ts";
import { fromTrl } from "../../src/batch/trl.ts";
import { idsOf, logitsOf, promptOf, tokenInput } from "../../src/core/inputs.ts";
import { reduce } from "../../src/core/build.ts";
import { tokenAxis } from "../../src/core/axis.ts";
import { logpsFromLogits } from "../../src/core/inputs.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expectError } from "../support/checks.ts";

/** Two rows of five positions: padding after the first, and a completion from the second token on in the second. */
const trl = {
  input_ids: [
    [1, 2, 3, 4, 0],
    [4, 3, 2, 1, 1],
  ],
  completion_mask: [
    [0, 0, 0, 1, 0],
    [0, 1, 1, 1, 1],
  ],
  attention_mask: [
    [1, 1, 1, 1, 0],
    [1, 1, 1, 1, 1],
  ],
  policy_logits: Float64Array.from({ length: 50 }, (_, n) => Math.sin(n)),
};
const rowsOf = (batch: Batch, response: string): readonly number[] => [
  ...(batch.inputs[`policy.logits.${response}`] as LogitsBinding).rowIndex,
];

describe("prompt tokens in TRL's layout", () => {
  const batch = fromTrl({ ...trl, ref_logits: trl.policy_logits });

  it("are those that attention_mask marks and completion_mask does not, but for the first of a row", () => {
    expect(batch.responses["w.prompt"]).toEqual({
      offsets: Uint32Array.of(0, 2),
      labels: Uint32Array.of(2, 3),
    });
  });

  it("are predicted by the row before them, of the same tensor", () => {
    expect(rowsOf(batch, "w.prompt")).toEqual([0, 1]);
    expect(rowsOf(batch, "w")).toEqual([2]);
    const tensor = (name: string): unknown => (batch.inputs[name] as LogitsBinding).tensor;
    expect(tensor("policy.logits.w.prompt")).toBe(tensor("policy.logits.w"));
    expect(tensor("ref.logits.w.prompt")).toBe(tensor("ref.logits.w"));
  });

  it("may be none", () => {
    expect(batch.responses["l.prompt"]).toEqual({
      offsets: Uint32Array.of(0, 0),
      labels: new Uint32Array(0),
    });
    const needed = [logitsOf("policy", "l.prompt"), idsOf("l.prompt")];
    expect(() => checkBatch(batch, needed)).not.toThrow();
    const [sum] = evaluate([logpsFromLogits("policy", "l.prompt")], batch, {});
    expect([...sum!.data]).toEqual([0]);
  });

  it("are left out without attention_mask, and a completion keeps its tokens either way", () => {
    const { attention_mask: _, ...without } = trl;
    const plain = fromTrl(without);
    expect(Object.keys(plain.responses)).toEqual(["w", "l"]);
    expect(plain.responses["w"]).toEqual(batch.responses["w"]);
    expectError(
      () => checkBatch(plain, [idsOf(promptOf("w"))]),
      "missing-response",
      /reads response "w\.prompt"/,
      /give attention_mask beside completion_mask/,
    );
  });

  it("share no token with the completion, and both together are what is attended to", () => {
    const row = fc.array(fc.constantFrom("pad", "prompt", "completion"), {
      minLength: 6,
      maxLength: 6,
    });
    fc.assert(
      fc.property(row, row, (first, second) => {
        const kinds = [first, second].map((list) => [...list.slice(0, 5), "completion"]);
        const mask = (...wanted: readonly string[]): number[][] =>
          kinds.map((list) => list.map((kind) => Number(wanted.includes(kind))));
        const made = fromTrl({
          input_ids: kinds.map((list) => list.map(() => 0)),
          completion_mask: mask("completion"),
          attention_mask: mask("prompt", "completion"),
          policy_logits: new Float32Array(24),
        });
        ["w", "l"].forEach((response, n) => {
          const rows = [...rowsOf(made, response), ...rowsOf(made, promptOf(response))];
          const attended = kinds[n]!.flatMap((kind, t) =>
            kind !== "pad" && t > 0 ? [6 * n + t - 1] : [],
          );
          expect(rows.toSorted((a, b) => a - b)).toEqual(attended);
        });
      }),
    );
  });
});

describe("numbers per position", () => {
  it("are read at the completion tokens of each response, in either layout", () => {
    const flat = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    const nested = [flat.slice(0, 5), flat.slice(5)];
    const packed = fromPacked({
      ...trl,
      input_ids: trl.input_ids.flat(),
      completion_mask: trl.completion_mask.flat(),
      attention_mask: trl.attention_mask.flat(),
      cu_seqlens: [0, 5, 10],
      tokens: { u: flat },
    });
    for (const batch of [fromTrl({ ...trl, tokens: { u: nested } }), packed]) {
      const sums = ["w", "l"].map((name) => reduce("sum", tokenAxis(name), tokenInput("u", name)));
      expect(evaluate(sums, batch, {}).map(({ data }) => data[0])).toEqual([3, 6 + 7 + 8 + 9]);
      expect(batch.responses["w.prompt"]!.labels).toEqual(Uint32Array.of(2, 3));
    }
  });

  it("are as many as there are positions", () => {
    expectError(
      () => fromTrl({ ...trl, tokens: { u: [[1, 2]] } }),
      "tokens-length",
      /tokens\.u has 2 entries for 10 token ids/,
    );
  });
});

describe("attention_mask", () => {
  it("has an entry of 0 or 1 for each token id", () => {
    expectError(
      () => fromTrl({ ...trl, attention_mask: [[1, 1]] }),
      "mask-length",
      /attention_mask has 2/,
    );
    const wrong = [trl.attention_mask[0]!, [1, 1, 2, 1, 1]];
    expectError(
      () => fromTrl({ ...trl, attention_mask: wrong }),
      "mask-value",
      /attention_mask is 2 at position 7/,
    );
  });
});
