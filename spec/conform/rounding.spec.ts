// Records that hold the rounding of a saturated σ: which they are, that the interpreter finds their digits, and what a
// kernel is held against instead.

import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { unary, param, binary } from "../../src/core/build.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { asRecorded } from "../../src/conform/rounding.ts";
import { beforeRounding } from "../../src/conform/saturated.ts";
import type { Expected } from "../../src/conform/recorded.ts";
import { fromTrl } from "../../src/batch/trl.ts";
import { apoZero, dpo, type PairwiseObjective } from "../../src/objectives/index.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { printExpression } from "../../src/core/print.ts";
import { scalar } from "../objectives/slopes.ts";

const x = param("x", 0);
const σ = unary("sigmoid", x);

it("writes the derivative of σ as PyTorch computes it, and leaves other products alone", () => {
  const [slope] = gradient(σ, [x]);
  expect(printExpression(slope!)).toContain("sigmoid(-x)");
  const [recorded] = asRecorded([slope!]);
  const value = (at: number): number => evaluate([recorded!], noData, { x: at })[0]!.data[0]!;
  expect(value(1)).toBeCloseTo(evaluate([slope!], noData, { x: 1 })[0]!.data[0]!, 14);
  // float64 has nothing left of 1 − σ(40)
  expect(value(40)).toBe(0);
  expect(evaluate([slope!], noData, { x: 40 })[0]!.data[0]).toBeGreaterThan(4e-18);
  const other = binary("times", σ, unary("sigmoid", param("y", 0)));
  expect(asRecorded([other])).toEqual([other]);
});

const noData: Batch = { examples: 1, vocab: 1, responses: {}, inputs: {} };

/** One pair of one token each, with log-ratios of ±30. */
const batch = fromTrl({
  input_ids: [0, 0, 0, 0],
  completion_mask: [0, 1, 0, 1],
  policy_logits: [0, 0, 0, 0, -30, 0, 0, 0],
  ref_logits: [-30, 0, 0, 0, 0, 0, 0, 0],
  shape: [2, 2, 2],
});

const reading = (objective: PairwiseObjective) => ({
  objective,
  params: { beta: 1 },
  layout: () => ({ batch, gradient: new Float64Array() }),
  quantities: {},
  defect: null,
  lost: 0,
});
const expecting = (values: ArrayLike<number>): Expected => ({
  loss: 0,
  isSingle: false,
  lost: 0,
  rounding: 0,
  gradient: Float64Array.from(values),
  perExample: null,
  quantities: {},
  metrics: {},
  averages: {},
});

describe("what a kernel is held against", () => {
  const objective = apoZero({ beta: 1 });
  const inputs = [logitsOf("policy", "w"), logitsOf("policy", "l")];
  const slopes = gradient(scalar(objective), inputs);
  /** In the shape of the logits: positions of two entries, the last of each row unused. */
  const laidOut = (nodes: typeof slopes): readonly number[] =>
    evaluate(nodes, batch, { beta: 1 }).flatMap(({ data }) => [...data, 0, 0]);

  it("is the derivative without the rounding, where rounding is what the file records", () => {
    const recorded = laidOut(asRecorded(slopes));
    const exact = laidOut(slopes);
    expect(recorded).not.toEqual(exact);
    const found = beforeRounding(reading(objective), batch, expecting(recorded));
    expect([...found!.gradient]).toEqual(exact);
  });

  it("stays the record where rounding does not explain it", () => {
    const off = laidOut(asRecorded(slopes)).map((value) => value * (1 + 1e-7));
    expect(beforeRounding(reading(objective), batch, expecting(off))).toBeNull();
  });

  it("stays the record of a loss without σ", () => {
    expect(beforeRounding(reading(dpo({ beta: 1 })), batch, expecting([0]))).toBeNull();
  });
});
