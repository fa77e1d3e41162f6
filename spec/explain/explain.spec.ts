// The explanation of a compiled objective: that bytes and floors are what the mathematics says for objectives whose
// traffic can be counted by hand, and that nothing a user must know is left out.

import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { explanationText } from "../../src/explain/text.ts";
import {
  abs,
  at,
  builtIn,
  compile,
  exp,
  logSoftmax,
  mean,
  neg,
  objective,
  square,
  stopGrad,
  sum,
  type Given,
  type Objective,
} from "../../src/index.ts";

const source = "this test";
const vocab = 50_257;
const rows = 300;
const matrix = rows * vocab * 4;

const explained = (
  made: Objective,
  heights: NonNullable<Parameters<typeof compile>[1]>["heights"] = {},
) => compile(made, { heights }).explain({ rows, vocab, examples: 3 });

/** Σ_v |π − π_ref|: no running pass can accumulate it, because both softmaxes must be known before the sum. */
const totalVariation = objective(
  "total variation",
  ["w"],
  ({ policy, ref, y }: Given<"w">) => {
    const [p, q] = [policy, ref].map((m) => exp(logSoftmax("vocab", m.logits(y.w))));
    return mean("token", sum("vocab", abs(p!.minus(q!))));
  },
  { source },
);

describe("the bytes of WPO", () => {
  const { valueAndGrad, value } = explained(builtIn("wpo"));

  it("are those of the floor: policy twice, reference once, gradient once", () => {
    expect(valueAndGrad.traffic).toHaveLength(4);
    for (const { model, reads, floorReads, writes, floorWrites } of valueAndGrad.traffic) {
      expect([reads, writes]).toEqual(model === "policy" ? [2, 1] : [1, 0]);
      expect([floorReads, floorWrites]).toEqual([reads, writes]);
    }
    expect(valueAndGrad.moved).toBe(4 * matrix);
    expect(valueAndGrad.floor).toBe(4 * matrix);
    expect(valueAndGrad.ratio).toBe(1);
  });
  it("take three dispatches over logits, and no extra pass", () => {
    const overLogits = valueAndGrad.kernels.filter(({ models }) => models.length > 0);
    expect(overLogits).toHaveLength(3);
    expect(valueAndGrad.extraPasses).toEqual([]);
  });
  it("are one read of each model for the value alone", () => {
    expect(value.moved).toBe(2 * matrix);
    expect(value.floor).toBe(2 * matrix);
  });
  it("are the sums of the kernels' bytes", () => {
    const total = valueAndGrad.kernels.reduce(
      (bytes, kernel) => bytes + kernel.bytes.read + kernel.bytes.written,
      0,
    );
    expect(total).toBe(valueAndGrad.moved);
    expect(valueAndGrad.memory.gradient).toBe(matrix);
    // what kernels hand to each other is a matter of tokens, not of the vocabulary
    expect(valueAndGrad.small).toBeLessThan(100 * 4 * rows);
  });
});

describe("the floor", () => {
  it("leaves out a reference that comes as cached log-probabilities", () => {
    const { valueAndGrad } = explained(builtIn("dpo"), { ref: "logps" });
    expect(valueAndGrad.traffic.map(({ model }) => model)).toEqual(["policy", "policy"]);
    expect(valueAndGrad.floor).toBe(3 * matrix);
    expect(valueAndGrad.moved).toBe(3 * matrix);
  });
  it("asks for one read where the gradient needs no reduction of its row", () => {
    // d/dz Σ z² = 2z: reading an entry and writing its gradient could be one step
    const squares = objective(
      "squares",
      ["w"],
      ({ policy, y }) => mean("token", sum("vocab", square(policy.logits(y.w)))),
      {
        source,
      },
    );
    const { valueAndGrad, value } = explained(squares);
    expect(value.floor).toBe(matrix);
    expect(valueAndGrad.floor).toBe(2 * matrix);
  });
  it("asks for single entries where only the label is read", () => {
    const entry = objective(
      "label",
      ["w"],
      ({ policy, y }) => mean("token", at(policy.logits(y.w), "vocab", y.w.ids)),
      { source },
    );
    const { value, valueAndGrad } = explained(entry);
    expect(value.floor).toBe(4 * rows);
    expect(valueAndGrad.floor).toBe(4 * rows + matrix);
  });
  it("counts a stopped term as read but asks no second read for it", () => {
    const stopped = objective("stopped", ["w"], ({ policy, y }) => stopGrad(policy.logps(y.w)), {
      source,
    });
    const { valueAndGrad } = explained(stopped);
    expect(valueAndGrad.traffic).toMatchObject([{ floorReads: 1, floorWrites: 0 }]);
  });
  it("asks for a second read of the reference where the gradient has its entries", () => {
    const divergence = objective(
      "forward divergence",
      ["w"],
      ({ policy, ref, y }) => {
        const [p, q] = [
          logSoftmax("vocab", policy.logits(y.w)),
          logSoftmax("vocab", ref.logits(y.w)),
        ];
        return neg(mean("token", sum("vocab", exp(q).times(p))));
      },
      { source },
    );
    const { valueAndGrad } = explained(divergence);
    expect(valueAndGrad.floor).toBe(5 * matrix);
    expect(valueAndGrad.moved).toBe(5 * matrix);
  });
  it("is zero where no logits are needed", () => {
    const { valueAndGrad } = explained(builtIn("dpo"), { ref: "logps", policy: "logp" });
    expect(valueAndGrad).toMatchObject({ moved: 0, floor: 0, ratio: 1, traffic: [] });
  });
});

describe("a term outside the class", () => {
  const { valueAndGrad, value } = explained(totalVariation);

  it("is reported as an extra pass, by name", () => {
    expect(value.extraPasses).toHaveLength(1);
    expect(value.extraPasses[0]!.terms[0]!.text).toContain("abs(");
    expect(value.extraPasses[0]!.terms[0]!.responses).toEqual(["w"]);
    expect(value.extraPasses[0]!.body).toMatch(/^sum\[vocab\] abs\(/);
    expect(value.kernels.filter(({ kind }) => kind === "extra pass")).toHaveLength(1);
  });
  it("costs a second read of what it reduces, above the floor", () => {
    expect(value.floor).toBe(2 * matrix);
    expect(value.moved).toBe(4 * matrix);
    expect(valueAndGrad.ratio).toBeGreaterThan(1);
  });
});

describe("what else is told", () => {
  const wpo = explained(builtIn("wpo", { alignment: "greedy" }));

  it("the stopped terms, the data, the parameters and the metrics", () => {
    expect(wpo.notDifferentiated.stopped.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^exp\(.*max/),
    ]);
    expect(wpo.notDifferentiated.data).toEqual(["ref.logits.w", "ref.logits.l"]);
    expect(wpo.differentiated).toEqual(["policy.logits.w", "policy.logits.l"]);
    expect(wpo.params).toEqual({ beta: 0.1, label_smoothing: 0 });
    expect(wpo.metrics).toContain("rewards/margins");
    expect(explained(builtIn("wpo", { stop: false })).notDifferentiated.stopped).toEqual([]);
  });
  it("the metrics that a batch is too high for", () => {
    const { metrics, dropped } = explained(builtIn("dpo"), { policy: "logps", ref: "logps" });
    expect(dropped).toEqual(["entropy", "mean_token_accuracy"]);
    expect(metrics).not.toContain("entropy");
  });
  it("every rewrite that was applied", () => {
    const simplify = wpo.passes.find(({ name }) => name === "simplify")!;
    expect(simplify.before["nodes"]).toBeGreaterThan(0);
    expect(Object.keys(simplify.applied)).toContain("at-minus");
  });
  it("equal terms of both responses once", () => {
    const [first] = wpo.valueAndGrad.kernels;
    const shared = first!.serves.find(({ text }) => text === "logSumExp[vocab](policy.logits.y)")!;
    expect(shared.responses.toSorted()).toEqual(["l", "w"]);
  });
  it("as data that JSON can hold", () => {
    expect(JSON.parse(JSON.stringify(wpo))).toEqual(wpo);
  });
});

describe("a shape that does not fit", () => {
  const compiled = compile(builtIn("dpo"));

  it.each([
    ["shape-size", /vocab is 0; give a whole number of at least 1/, { vocab: 0 }],
    ["shape-size", /rows is 1, but the objective has 2 responses/, { rows: 1 }],
    ["shape-size", /rows is 2.5; give a whole number/, { rows: 2.5 }],
    ["shape-size", /examples is -1; give a whole number/, { examples: -1 }],
    ["shape-size", /rows of "l" is 0/, { rows: { w: 3, l: 0 } }],
    ["shape-responses", /"l" does not fit/, { rows: { w: 3 } }],
    ["shape-responses", /"x" does not fit/, { rows: { w: 3, l: 4, x: 5 } }],
    ["unknown-dtype", /there is no dtype "f8"/, { dtype: "f8" as "f32" }],
  ])("ends in one sentence: %s %s", (code, sentence, shape) => {
    expect(() => compiled.explain(shape)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(sentence) }),
    );
  });
  it("has half the bytes of logits and gradient in 16 bits, and as many beside them", () => {
    const wide = compiled.explain({ dtype: "f32" }).valueAndGrad;
    for (const dtype of ["f16", "bf16"] as const) {
      const narrow = compiled.explain({ dtype }).valueAndGrad;
      expect(2 * narrow.moved).toBe(wide.moved);
      expect(2 * narrow.floor).toBe(wide.floor);
      expect(2 * narrow.memory.gradient).toBe(wide.memory.gradient);
      expect(narrow.small).toBe(wide.small);
    }
  });
  it("shares rows that do not divide evenly", () => {
    expect(compiled.explain({ rows: 7 }).shape.rows).toEqual({ w: 4, l: 3 });
    expect(compiled.explain({ rows: { w: 5, l: 1 } }).shape.totalRows).toBe(6);
  });
});

describe("the text", () => {
  it("of a small objective", () => {
    const likelihood = objective(
      "likelihood",
      ["w"],
      ({ policy, y }) => neg(mean("token", policy.logp(y.w))),
      { source },
    );
    expect(explanationText(compile(likelihood).explain({ rows: 100, vocab: 32_000, examples: 2 })))
      .toMatchInlineSnapshot(`
        "likelihood
          loss = -(sum[token.w]((policy.logits.w - logSumExp[vocab](policy.logits.w))[vocab = ids.w]) /
          count[token.w])

          shape       100 rows of 32,000 f32 (100 of w), 2 examples
          schedule    256 lanes to each of 2 parts of a row, each with 4 x 4 logits in flight
                      chosen for a typical GPU, as no device is given
          parameters  none
          metrics     none
          averages    over examples: loss

        value and gradient: 8 dispatches, 38.4 MB moved, floor 38.4 MB (1.00 x)
                         responses  reads  floor  gradient writes  floor
          policy logits  w              2      2                1      1
          beside the logits: 16.2 kB moved; memory 6.88 kB, and 12.8 MB for the gradient
          rows that are no completion token are not read; zeros written as their gradient are not counted

          1. read policy logits  (running pass, policy of w)
             moves    12.8 MB of logits read, 3.20 kB beside
             leaves   accumulators of each part of a row, 6 words in all
             serves   policy.logits.w[vocab = ids.w]
                      d loss / d policy.logits.w
                      logSumExp[vocab](policy.logits.w)

          2. merge the parts of policy rows  (merge of parts, policy of w)
             moves    4.40 kB beside
             leaves   Σ_v e^{x} − 1 (policy), z_y (policy), max_v z(policy)
             serves   policy.logits.w[vocab = ids.w]
                      d loss / d policy.logits.w
                      logSumExp[vocab](policy.logits.w)

          3. row program: tokens and their sums  (row program)
             moves    2.82 kB beside
             leaves   1 value per token for later steps, 1 sum over the tokens of each response

          4. row program: examples  (row program)
             moves    32 B beside
             leaves   1 value per example for later steps

          5. row program: tokens  (row program)
             moves    3.60 kB beside
             leaves   2 values per token for the gradient pass

          6. row program: examples  (row program)
             moves    64 B beside
             leaves   the loss of each example, 1 value per example for later steps

          7. row program: results  (row program)
             moves    48 B beside
             leaves   loss

          8. write the gradient of policy logits  (gradient pass, policy of w)
             moves    12.8 MB of logits read, 12.8 MB of gradient written, 2.00 kB beside
             leaves   d loss / d z (policy) = c1 e^{x} (policy) + the label's entry
             serves   d loss / d policy.logits.w

          extra passes: none; every term over the vocabulary has a running form

        value alone: 5 dispatches, 12.8 MB moved, floor 12.8 MB (1.00 x)

        differentiated
          inputs      policy.logits.w
        not differentiated
          stopGrad    none
          data        none

        kinks at the first step
          none

        what a trainer has to hand out of each token
          log_probs  policy  w  differentiated  log π(y_t)
          handed out by
            TRL 1.16: yes; Tinker 0.38: yes; verl 0.9.1: yes; OpenRLHF 0.11.2: yes; LLaMA-Factory 0.9.5: yes

        compiler passes
          bind inputs                   9 nodes                    ->  12 nodes
          simplify                      12 nodes                   ->  13 nodes
                at-minus, at-free, sum-neg, neg-over
          differentiate                 13 nodes                   ->  18 nodes
          simplify the gradient         18 nodes                   ->  18 nodes
          value
            derive passes               13 nodes                   ->  14 nodes, 3 fields
            simplify what lies between  14 nodes, 3 fields         ->  14 nodes
            stage                       14 nodes                   ->  1 pass, 1 round
            lay out values              1 pass, 1 round            ->  3 fields, 2 slots
            lower to blocks and steps   3 fields, 2 slots          ->  1 pass, 3 steps
            lower to kernels            1 pass, 3 steps            ->  5 kernels, 285 statements
            print                       5 kernels, 285 statements  ->  5 kernels, 24633 characters
          value and gradient
            derive passes               26 nodes                   ->  14 nodes, 3 fields
            simplify what lies between  14 nodes, 3 fields         ->  14 nodes
            stage                       14 nodes                   ->  2 passes, 1 round
            lay out values              2 passes, 1 round          ->  5 fields, 2 slots
            lower to blocks and steps   5 fields, 2 slots          ->  2 passes, 5 steps
            lower to kernels            2 passes, 5 steps          ->  8 kernels, 373 statements
            print                       8 kernels, 373 statements  ->  8 kernels, 35346 characters"
      `);
  });
  it("stays within its columns for every built-in objective", () => {
    for (const name of ["dpo", "wpo", "sft"]) {
      const lines = explanationText(explained(builtIn(name))).split("\n");
      expect(lines.filter((line) => line.length > 110)).toEqual([]);
      expect(lines.filter((line) => line.endsWith(" "))).toEqual([]);
    }
  });
  it("is coloured only when asked", () => {
    const plain = explanationText(explained(builtIn("sft")));
    const colourful = explanationText(explained(builtIn("sft")), { colour: true });
    expect(plain).not.toContain("\u001b");
    expect(colourful).toContain("\u001b[1m");
    expect(stripVTControlCharacters(colourful)).toBe(plain);
  });
  it("names the extra pass", () => {
    const text = explanationText(explained(totalVariation));
    expect(text).toContain("forced by terms that no running pass can accumulate");
    expect(text).toMatch(/extra passes: \d, forced/);
  });
  it("names the second read of logits that a gradient is made of", () => {
    const text = explanationText(explained(builtIn("tdpo2")));
    expect(text).toContain("extra passes: 1, forced by gradients that are made of another model's");
    expect(text).toContain("ref logits of l are read a second time");
    expect(explanationText(explained(builtIn("dpo")))).toContain("extra passes: none");
  });
});
