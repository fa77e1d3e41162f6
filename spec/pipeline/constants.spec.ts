// Constants whose products leave the range of numbers: what the compiler makes of them has the value that the formula has, or
// ends in a sentence that names numbers which the author wrote. An Infinity that nobody wrote is never named.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compile,
  evaluate,
  exp,
  fromResponses,
  objective,
  PrefcError,
  square,
  sum,
  type Expr,
  type PerVocab,
} from "../../src/index.ts";

type Entry = Expr<PerVocab<"y">>;
const batch = fromResponses({
  y: { labels: [0], lengths: [1], policy_logits: Float32Array.of(0.5, 0.25, -1) },
});

const made = (of: (z: Entry) => Entry): ReturnType<typeof compile> =>
  compile(
    objective(
      "mine",
      ["y"],
      ({ policy, y }) => sum("token", sum("vocab", of(policy.logits(y.y)))),
      {
        source: "own",
      },
    ),
  );

/** Compiles an objective to kernels, and tells in what that ends. */
function sentenceOf(of: (z: Entry) => Entry): string {
  try {
    made(of).plan("valueAndGrad", 3);
    return "";
  } catch (error) {
    if (error instanceof PrefcError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const complaint = (named: string): string =>
  `constant-exceeds-f32: Objective "mine": ${named} outside the range of f32, in which kernels compute; rescale the expression.`;

const outside: readonly (readonly [string, (z: Entry) => Entry, string])[] = [
  [
    "z · 1e200 · 1e200",
    (z) => z.times(1e200).times(1e200),
    "the constant 1e+200 is, or makes, a number",
  ],
  ["(1e200 z)²", (z) => square(z.times(1e200)), "the constant 1e+200 is, or makes, a number"],
  [
    "1e200 e^z · 1e200 e^z",
    (z) => exp(z).times(1e200).times(exp(z).times(1e200)),
    "the constant 1e+200 is, or makes, a number",
  ],
  ["(1e30 z)²", (z) => square(z.times(1e30)), "the constant 1e+30 is, or makes, a number"],
  [
    "(1e30 z)² · 1e-60",
    (z) => square(z.times(1e30)).times(1e-60),
    "the constants 1e-60, 1e+30 are, or make together, a number",
  ],
  [
    "z / 1e-200 / 1e-210",
    (z) => z.over(1e-200).over(1e-210),
    "the constants 1e-210, 1e-200 are, or make together, a number",
  ],
  [
    "z + 1e308 + 1e308",
    (z) => z.plus(1e308).plus(1e308),
    "the constant 1e+308 is, or makes, a number",
  ],
  [
    "exp(z · 1e200 · 1e200)",
    (z) => exp(z.times(1e200).times(1e200)),
    "the constant 1e+200 is, or makes, a number",
  ],
  [
    "e^(1e308 z) · e^(1e308 z)",
    (z) => exp(z.times(1e308)).times(exp(z.times(1e308))),
    "the constant 1e+308 is, or makes, a number",
  ],
];

const within: readonly (readonly [string, (z: Entry) => Entry, number])[] = [
  ["z · 1e200 · 1e-200", (z) => z.times(1e200).times(1e-200), -0.25],
  ["z · 1e-200 · 1e200", (z) => z.times(1e-200).times(1e200), -0.25],
];

describe("constants whose products leave the range of numbers", () => {
  it.each(outside)("%s names what was written", (_, of, named) => {
    expect(sentenceOf(of)).toBe(complaint(named));
  });

  it.each(within)("%s has its value", (_, of, value) => {
    expect(sentenceOf(of)).toBe("");
    expect(evaluate([made(of).program.loss], batch, {})[0]!.data[0]).toBeCloseTo(value, 12);
  });

  it("never names an infinity, whatever the formula", () => {
    const factor = fc.constantFrom(1e200, -1e200, 1e-200, 1e308, 1e-308, 1e30, 2, 0.5);
    const step: fc.Arbitrary<(z: Entry) => Entry> = fc.oneof(
      factor.map((c) => (z: Entry) => z.times(c)),
      factor.map((c) => (z: Entry) => z.over(c)),
      factor.map((c) => (z: Entry) => z.plus(c)),
      factor.map((c) => (z: Entry) => z.times(z).times(c)),
      fc.constant((z: Entry) => square(z)),
      fc.constant((z: Entry) => exp(z)),
      fc.constant((z: Entry) => z.minus(z.times(2))),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        const sentence = sentenceOf((z) => steps.reduce((x, next) => next(x), z));
        expect(sentence).toMatch(/^$|^(constant-exceeds-f32|kernel-too-large): /);
        expect(sentence).not.toMatch(/Infinity|NaN/);
      }),
      { numRuns: 100 },
    );
  });
});
