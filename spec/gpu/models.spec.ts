// Objectives of several models on the GPU against the interpreter: a teacher, a policy of the past, three models in one
// sum; and models whose vocabularies have different sizes, where no entry of one is compared with an entry of another.
import { describe, expect, it } from "vitest";
import { checkObjective } from "../../src/check/check.ts";
import { gradientError, lossError } from "../../src/check/error.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { gradient } from "../../src/ad/gradient.ts";
import { scatterRows } from "../../src/reference/tensor.ts";
import {
  compile,
  dpo,
  exp,
  fromResponses,
  fromTrl,
  log,
  logSoftmax,
  mean,
  minimum,
  neg,
  objective,
  sum,
  tdpo2,
  type Batch,
  type Device,
  type LogitsTensor,
  type Objective,
} from "../../src/index.ts";
import { random as randomOf } from "../../src/sample/random.ts";
import { seed } from "../seed.ts";
import { withDevice } from "../support/device.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const source = "a test";

/** KL(teacher ‖ policy) and a clipped ratio to the policy of the past. */
const distilled = objective(
  "distilled",
  ["w"],
  ({ policy, teacher, old, y, tokens }) => {
    const target = logSoftmax("vocab", teacher.logits(y.w));
    const own = logSoftmax("vocab", policy.logits(y.w));
    const kl = mean("token", sum("vocab", exp(target).times(target.minus(own))));
    const r = exp(policy.logp(y.w).minus(old.logp(y.w)));
    const clipped = mean("token", neg(minimum(r, 1.2)).times(tokens("advantage", y.w)));
    return kl.plus(clipped);
  },
  { source, models: ["teacher", "old"] },
);
/** Three models in one sum: KL to the mean of two teachers. */
const mixture = objective(
  "mixture",
  ["w"],
  ({ policy, teacher_a, teacher_b, y }) => {
    const target = exp(logSoftmax("vocab", teacher_a.logits(y.w))).plus(
      exp(logSoftmax("vocab", teacher_b.logits(y.w))),
    );
    const own = logSoftmax("vocab", policy.logits(y.w));
    return mean("token", neg(sum("vocab", target.times(own))).over(2));
  },
  { source, models: ["teacher_a", "teacher_b"] },
);
const jensenShannon = objective(
  "generalised JSD",
  ["w"],
  ({ policy, teacher, y }) => {
    const p = exp(logSoftmax("vocab", policy.logits(y.w)));
    const q = exp(logSoftmax("vocab", teacher.logits(y.w)));
    const m = p.plus(q).over(2);
    const [ofP, ofQ] = [log(p).minus(log(m)), log(q).minus(log(m))];
    return mean("token", sum("vocab", p.times(ofP).plus(q.times(ofQ)))).over(2);
  },
  { source, models: ["teacher"] },
);

describe("the kernels agree with the interpreter on objectives of several models", () => {
  it.each<readonly [string, Objective]>([
    ["a teacher and a policy of the past", distilled],
    ["two teachers", mixture],
    ["a divergence of two models", jensenShannon],
  ])("%s", async (_name, of) => {
    const failures: (readonly string[])[] = [];
    for await (const report of checkObjective(of, { batches: 3, seed, device }))
      failures.push(report.failures);
    expect(failures.length).toBeGreaterThanOrEqual(3);
    expect(failures.flat()).toEqual([]);
  });

  it("where the past enters as log-probabilities of tokens", async () => {
    const options = { batches: 2, seed, device, heights: { old: "logp" } } as const;
    for await (const { failures } of checkObjective(distilled, options))
      expect(failures).toEqual([]);
  });
});

const random = randomOf(seed, 1);
const numbers = (length: number): Float32Array =>
  Float32Array.from({ length }, () => 2 * random.normal());

/** Four sequences of four positions; the reference has a vocabulary of its own. */
const batchOf = (vocab: number, other: number): Batch =>
  fromTrl({
    input_ids: [
      [0, 1, 2, 1],
      [0, 2, 1, 0],
      [1, 1, 0, 2],
      [2, 0, 2, 0],
    ],
    completion_mask: Array.from({ length: 4 }, (_, row) => [0, 1, 1, row % 2]),
    policy_logits: numbers(16 * vocab),
    ref_logits: numbers(16 * other),
  });

describe("models with vocabularies of their own", () => {
  it.each([
    [9, 12],
    [12, 9],
    [16, 24],
    [5, 3],
  ])("of %i and %i entries", async (vocab, other) => {
    const batch = batchOf(vocab, other);
    for (const of of [dpo()]) {
      const compiled = compile(of, { device });
      const { program } = compiled;
      const [right] = evaluate([program.loss], batch, {});
      const slopes = gradient(
        program.loss,
        program.inputs.filter(({ datum }) => datum.kind === "logits" && datum.model === "policy"),
      );
      const inputs = program.inputs.filter(
        ({ datum }) => datum.kind === "logits" && datum.model === "policy",
      );
      const named = Object.fromEntries(
        evaluate(slopes, batch, {}).map((tensor, n) => [inputs[n]!.name, tensor]),
      );
      const binding = batch.inputs["policy.logits.w"]!;
      const tensor = (binding as { readonly tensor: LogitsTensor }).tensor;
      const result = await compiled.valueAndGrad(batch);
      compiled.dispose();
      expect(lossError(result.loss, right!.data[0]!)).toBeLessThan(1e-5);
      const expected = scatterRows(tensor, named, batch);
      expect(gradientError(result.gradients["policy"] as Float32Array, expected)).toBeLessThan(
        1e-5,
      );
    }
  });

  it("give each model the probability of its own entries", () => {
    const batch = batchOf(3, 5);
    const { program } = compile(dpo());
    const rows = (name: string, width: number): readonly number[] => {
      const { tensor, rowIndex } = batch.inputs[name] as {
        readonly tensor: LogitsTensor;
        readonly rowIndex: Uint32Array;
      };
      const { labels, offsets } = batch.responses[name.at(-1)!]!;
      const data = tensor.data as Float32Array;
      const tokens = [...rowIndex].map((row, n) => {
        const own = [...data.subarray(row * width, (row + 1) * width)];
        return own[labels[n]!]! - Math.log(own.reduce((total, z) => total + Math.exp(z), 0));
      });
      return [0, 1].map((example) =>
        tokens.slice(offsets[example], offsets[example + 1]).reduce((a, b) => a + b, 0),
      );
    };
    const h = (response: string): readonly number[] => {
      const ref = rows(`ref.logits.${response}`, 5);
      return rows(`policy.logits.${response}`, 3).map((logps, n) => logps - ref[n]!);
    };
    const [w, l] = [h("w"), h("l")];
    const losses = w.map((one, n) => Math.log1p(Math.exp(-0.1 * (one - l[n]!))));
    const [loss] = evaluate([program.loss], batch, {});
    expect(loss!.data[0]).toBeCloseTo((losses[0]! + losses[1]!) / 2, 13);
  });

  it("are refused where an entry of one meets an entry of another", async () => {
    const compiled = compile(tdpo2(), { device });
    await expect(compiled.value(batchOf(9, 12))).rejects.toMatchObject({
      code: "vocabulary-differs",
      message: expect.stringMatching(
        /compares entries of two vocabularies in .*"(?:policy|ref)\.logits\.[wl]" has (?:9|12) entries and/,
      ) as string,
    });
    compiled.dispose();
  });

  it("are refused where it would be unclear which vocabulary is counted", () => {
    const average = objective(
      "average",
      ["w"],
      ({ ref, y }) => mean("token", mean("vocab", ref.logits(y.w))),
      { source },
    );
    expect(() => evaluate([average.loss], batchOf(9, 12), {})).toThrow(
      /vocabularies of different sizes, so that count\[vocab\]/,
    );
  });

  it("are said where rows do not show them", () => {
    const data = numbers(3 * 20);
    const response = { labels: [[0, 1, 2]], policy_logits: numbers(9) };
    const batch = fromResponses({ w: { ...response, teacher_logits: { data, vocab_size: 20 } } });
    expect((batch.inputs["teacher.logits.w"] as { tensor: LogitsTensor }).tensor.vocab).toBe(20);
    // twenty times as many numbers are rather an array of something else
    expect(() => fromResponses({ w: { ...response, teacher_logits: data } })).toThrow(
      /"?w"?\.?.*teacher_logits holds 60 numbers, but 3 rows of 3 are 9/,
    );
  });

  it("have every label that is read", () => {
    const w = {
      labels: [[0, 2]],
      policy_logits: numbers(6),
      ref_logits: [
        [0, 1],
        [1, 0],
      ],
    };
    expect(() => fromResponses({ w })).toThrow(
      'Token 1 of response "w" has label 2, but the vocabulary of "ref.logits.w" has 2 entries',
    );
  });
});
