// Batches as trainers have them: marks of tokens without loss, flat ids, one array for two responses, fields that nobody reads.
import { describe, expect, it } from "vitest";
import {
  dpo,
  evaluate,
  fromHalf,
  fromResponses,
  fromTrl,
  fromUnpaired,
  toHalf,
} from "../../src/index.ts";
import { expectError } from "../support/checks.ts";

const numbers = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => ((i * 37) % 50) / 10);
const [T, V] = [4, 5];
const ids = [
  [0, 3, 1, 2],
  [0, 2, 4, 1],
];
const mask = [
  [0, 0, 1, 1],
  [0, 1, 1, 0],
];
const trl = {
  input_ids: ids,
  completion_mask: mask,
  policy_logits: numbers(2 * T * V),
  ref_logits: numbers(2 * T * V).toReversed(),
};
const loss = (batch: ReturnType<typeof fromTrl>): number =>
  evaluate([dpo().loss], batch, {})[0]!.data[0]!;

describe("the mark -100", () => {
  const marked = ids.map((row, b) => row.map((id, t) => (mask[b]![t] === 1 ? id : -100)));

  it("means no loss beside a mask and without one", () => {
    expect(loss(fromTrl({ ...trl, input_ids: marked }))).toBe(loss(fromTrl(trl)));
    const { completion_mask: _, ...unmasked } = trl;
    expect(loss(fromTrl({ ...unmasked, input_ids: marked }))).toBe(loss(fromTrl(trl)));
  });

  it("takes a token out of a mask that marks it", () => {
    const all = mask.map((row) => row.map(() => 1));
    expect(loss(fromTrl({ ...trl, input_ids: marked, completion_mask: all }))).toBe(
      loss(fromTrl(trl)),
    );
  });

  it("is told where a layout has no masks", () => {
    const w = { labels: [1, -100], lengths: [2], policy_logits: numbers(10) };
    expectError(
      () => fromResponses({ w }),
      "label-out-of-range",
      /-100 at position 1, the mark of a token without loss/,
    );
  });
});

describe("flat token ids", () => {
  it("are as long as what is nested beside them", () => {
    const flat = BigInt64Array.from(ids.flat(), BigInt);
    expect(loss(fromTrl({ ...trl, input_ids: flat }))).toBe(loss(fromTrl(trl)));
    const rows = ids.map((_, b) =>
      Array.from({ length: T }, (__, t) => [
        ...trl.policy_logits.subarray((b * T + t) * V, (b * T + t + 1) * V),
      ]),
    );
    const batch = { ...trl, input_ids: flat, completion_mask: mask.flat(), policy_logits: rows };
    expect(loss(fromTrl(batch))).toBe(loss(fromTrl(trl)));
  });
});

describe("one array for two responses", () => {
  it("is two tensors that are equal", () => {
    const shared = numbers(10);
    const [w, l] = [{ labels: [[1, 2]] }, { labels: [[3, 0]] }].map((one) => ({
      ...one,
      policy_logits: shared,
      ref_logits: shared,
    })) as [object, object] as never as [{ labels: number[][] }, { labels: number[][] }];
    const batch = fromResponses({ w, l });
    const own = fromResponses({
      w: { ...w, policy_logits: numbers(10), ref_logits: numbers(10) },
      l: { ...l, policy_logits: numbers(10), ref_logits: numbers(10) },
    });
    expect(loss(batch)).toBe(loss(own));
    const names = Object.values(batch.inputs).map((one) =>
      one.height === "logits" ? one.tensor.name : "",
    );
    expect(names.toSorted()).toEqual(["policy.l", "policy.w", "ref.l", "ref.w"]);
  });
});

describe("what is not read", () => {
  it("is refused with what was probably meant", () => {
    expectError(
      () => fromTrl({ ...trl, completion_masks: mask } as never),
      "unknown-field",
      /Did you mean "completion_mask"/,
    );
    expectError(() => fromTrl({ ...trl, labels: ids } as never), "unknown-field", /input_ids/);
    expectError(
      () => fromTrl({ ...trl, ref_chosen_logps: [1] } as never),
      "unknown-field",
      /ref_logps: \{ chosen/,
    );
    expectError(() => fromUnpaired({ ...trl, labels: [1] } as never), "unknown-field", /label/);
    const w = { labels: [[1]], policy_logits: numbers(2) };
    expectError(() => fromResponses({ w }, { vocab: 2 } as never), "unknown-option", /vocab_size/);
    expectError(
      () => fromResponses({ w: { ...w, row: [0] } as never }),
      "unknown-field",
      /Did you mean "rows"/,
    );
  });
});

describe("a batch that is almost one", () => {
  it("says what attention_mask is not", () => {
    const { completion_mask: _, ...rest } = trl;
    expectError(
      () => fromTrl({ ...rest, attention_mask: mask }),
      "mask-needed",
      /attention_mask marks the prompt and the completion alike/,
    );
  });

  it("says that logits are shifted, flat or nested", () => {
    const policy_logits = numbers(2 * (T - 1) * V);
    expectError(
      () => fromTrl({ ...trl, policy_logits, shape: [2, T, V] }),
      "logits-shifted",
      /not shifted by one/,
    );
    const nested = ids.map(() => Array.from({ length: T - 1 }, () => [...numbers(V)]));
    expectError(
      () => fromTrl({ ...trl, policy_logits: nested }),
      "logits-shifted",
      /policy_logits has one position less/,
    );
  });

  it("says how to compile for the log-probabilities that it brings", () => {
    const { ref_logits: _, ...rest } = trl;
    const batch = fromTrl({ ...rest, ref_logps: { chosen: [-1], rejected: [-2] } });
    expectError(() => loss(batch), "missing-input", /heights: \{ ref: "logps" \}/);
  });
});

describe("16-bit numbers", () => {
  it("have the names that batches take, and say which one another library's name is", () => {
    expect([...fromHalf(toHalf([1.5], "bf16"), "bf16")]).toEqual([1.5]);
    expectError(() => toHalf([1.5], "bfloat16" as never), "unknown-dtype", /Did you mean "bf16"\?/);
    expectError(
      () => fromHalf(Uint16Array.of(1), "float16" as never),
      "unknown-dtype",
      /Did you mean "f16"\?/,
    );
    expectError(() => toHalf([1.5], "f32" as never), "unknown-dtype", /"f16" or "bf16"/);
  });
});
