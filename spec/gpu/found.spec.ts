// What random programs found (spec/fuzz), each as the smallest program that shows it. They are compared with the interpreter
// on ragged batches, value and gradient, like objectives from outside.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at as pick, binary, constant as number, reduce, unary } from "../../src/core/build.ts";
import { tokenAxis } from "../../src/core/axis.ts";
import { idsOf } from "../../src/core/inputs.ts";
import { wrap } from "../../src/dsl/facade.ts";
import {
  at,
  compile,
  exp,
  fromResponses,
  log,
  log1mExp,
  logPi,
  max,
  minimum,
  neg,
  objective,
  param,
  real,
  relu,
  square,
  sum,
  iota,
  type Device,
  type Expr,
  type Given,
  type LossAndMetrics,
  type Pair,
  type PerExample,
} from "../../src/index.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import { contentOf, draws, laidOut, layouts } from "./batches.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const found: Readonly<Record<string, (g: Given<Pair>) => Expr<PerExample>>> = {
  // the row program knew more digits of the label's entry than the pass that found the maximum, so the label was never it
  "the gradient of the largest probability, where it is the label's": ({ policy, y }) =>
    sum("token", max("vocab", exp(logPi(policy, y.w)))),
  "the gradient of the largest of a function of logits": ({ policy, y }) =>
    sum("token", max("vocab", log(relu(policy.logits(y.w)).plus(0.125)))),
  "the gradient of the largest of a smaller of two": ({ policy, ref, y }) =>
    sum("token", max("vocab", minimum(exp(logPi(policy, y.w)), exp(logPi(ref, y.w))))),
  // the index 0 became the real number 0, and no kernel could look at another token
  "the first token of each example": ({ policy, y }) =>
    wrap(pick(policy.logp(y.w).node, tokenAxis("w"), number(0, "i32"))),
  "the first token, looked up by a number of the batch": ({ policy, y }) => {
    const first = wrap<{}, "i32">(pick(iota("batch").node, "batch", number(0, "i32")));
    const entropy = sum("vocab", exp(logPi(policy, y.l)).times(logPi(policy, y.l)));
    return at(entropy, "token", first).times(real(first).plus(1));
  },
};

describe("what random programs found", () => {
  it.each(Object.entries(found))("%s", async (name, formula) => {
    const compiled = compile(objective(name, ["w", "l"], formula, { source: "a random program" }), {
      device,
    });
    await fc.assert(
      fc.asyncProperty(
        draws({ scales: ["normal", "peaked"], masked: false, maxVocab: 24, maxLength: 4 }),
        layouts,
        async (drawn, layout) => {
          const batch = laidOut(contentOf(drawn), layout);
          await expectAgreementOf(compiled, batch, {}, "gradient sums");
        },
      ),
      { numRuns: 6 },
    );
    compiled.dispose();
  });

  // about the maximum, z² was x² + 2mx + m², which cancels
  it("a function of a square keeps the digits of small logits beside a large one", async () => {
    const formula = objective(
      "curved",
      ["y"],
      ({ policy, y }) =>
        sum("token", sum("vocab", log1mExp(neg(square(policy.logits(y.y)).plus(0.25))))),
      { source: "a random program" },
    );
    const logits = [0.1, -0.3, 0.7, 9.1];
    const compiled = compile(formula, { device });
    const { gradients } = await compiled.valueAndGrad(
      fromResponses({
        y: { labels: [3], lengths: [1], policy_logits: Float32Array.from(logits) },
      }),
    );
    logits.forEach((z, entry) => {
      const wanted = (2 * z) / Math.expm1(z * z + 0.25);
      const off = Math.abs((Object.values(gradients)[0] as Float32Array)[entry]! - wanted);
      expect(off, `entry ${entry}`).toBeLessThan(2e-6);
    });
    compiled.dispose();
  });

  it("an index that differs between the tokens of an example is refused", () => {
    const shifted = objective(
      "shifted",
      ["w"],
      ({ ref, y }) => {
        const own = iota("token", y.w).node;
        const other = pick(ref.logp(y.w).node, tokenAxis("w"), own);
        return wrap<PerExample, "f32">(reduce("sum", tokenAxis("w"), other));
      },
      { source: "a random program" },
    );
    expect(() => compile(shifted)).toThrow(
      /token", index\): kernels pick a real number by an index/,
    );
  });

  it("logits of another token are refused", () => {
    const first = objective(
      "first",
      ["w"],
      ({ policy, y }) => {
        const row = pick(policy.logits(y.w).node, tokenAxis("w"), number(0, "i32"));
        return wrap<PerExample, "f32">(reduce("sum", "vocab", row));
      },
      { source: "a random program" },
    );
    expect(() => compile(first)).toThrow(
      /token", index\): kernels read one row of logits at a time/,
    );
  });

  it.each([
    [
      "logits added up along tokens",
      /sum\("token", …\): kernels read one row of logits at a time/,
      ({ policy, y }: Given<Pair>) => reduce("sum", tokenAxis("w"), policy.logits(y.w).node),
    ],
    [
      "a sum over the vocabulary that reads no logits",
      /belongs to no token of a response/,
      ({ example }: Given<Pair>) =>
        binary("minus", real(iota("vocab")).node, example("given").node),
    ],
  ] as const)("%s: refused", (name, sentence, over) => {
    const formula = (g: Given<Pair>): Expr<PerExample> => wrap(reduce("sum", "vocab", over(g)));
    const made = objective(name, ["w", "l"], formula, { source: "a random program" });
    expect(() => compile(made)).toThrow(sentence);
  });

  it("a sum over the vocabulary that has tokens and reads no logits is refused", () => {
    const apart = unary("toReal", binary("minus", iota("vocab").node, idsOf("w")));
    const formula = (): Expr<PerExample> =>
      wrap(reduce("sum", tokenAxis("w"), reduce("sum", "vocab", apart)));
    const made = objective("apart", ["w"], formula, { source: "a random program" });
    expect(() => compile(made)).toThrow(/over the vocabulary and reads no logits/);
  });

  it("a parameter of a metric that is left out may still be given", async () => {
    const source = "a random program";
    const formula = ({ ref, y }: Given<Pair>): LossAndMetrics => {
      const chosen = ref.logps(y.w);
      const scaled = sum("token", max("vocab", logPi(ref, y.w))).times(param("scale"));
      return { loss: chosen, metrics: { scaled } };
    };
    const made = objective("one metric", ["w", "l"], formula, { source });
    const [drawn] = fc.sample(draws({ masked: false, maxVocab: 8, maxLength: 3 }), 1);
    const batch = laidOut(contentOf(drawn!), "separate");
    const whole = compile(made, { device });
    const { loss } = await whole.value(batch, { params: { scale: 2 } });
    const without = compile(made, { device, metrics: false });
    expect((await without.value(batch, { params: { scale: 2 } })).loss).toBe(loss);
    expect((await without.value(batch)).loss).toBe(loss);
    await expect(whole.value(batch)).rejects.toMatchObject({ code: "missing-parameter" });
    whole.dispose();
    without.dispose();
  });
});
