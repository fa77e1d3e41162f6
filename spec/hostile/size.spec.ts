// Objectives that a loop wrote: very many terms, very deep ones, very high powers, very large factors. Each ends in a result or
// in a sentence before any driver sees it, and never in an overflow of the stack.
import { describe, expect, it } from "vitest";
import { longestKernel } from "../../src/plan/steps.ts";
import { explanationText } from "../../src/explain/text.ts";
import { sourceTerms } from "../../src/explain/terms.ts";
import { topological } from "../../src/core/node.ts";
import {
  compile,
  constant,
  dpo,
  evaluate,
  exp,
  fromResponses,
  log,
  logPi,
  mix,
  objective,
  PrefcError,
  sft,
  sigmoid,
  stopGrad,
  sum,
  type Expr,
  type Given,
  type Objective,
  type PerExample,
  type PerVocab,
} from "../../src/index.ts";

type Z = Expr<PerVocab<"w">>;
const about = { source: "a loop" };
const grown = (formula: (g: Given<"w">) => Expr<PerExample>): Objective =>
  objective("grown", ["w"], formula, about);
const overVocabulary = (build: (z: Z) => Z): Objective =>
  grown(({ policy, y }) => sum("token", sum("vocab", build(policy.logits(y.w)))));
const repeat = <T>(times: number, step: (x: T, i: number) => T, from: T): T => {
  let x = from;
  for (let i = 1; i <= times; i++) x = step(x, i);
  return x;
};

/** The kernels and the explanation, or the code of the sentence that refuses them. */
function outcome(given: Objective): { readonly code: string; readonly longest: number } {
  try {
    const compiled = compile(given);
    const plans = [compiled.plan("value", 9), compiled.plan("valueAndGrad", 9)];
    explanationText(compiled.explain());
    const lengths = plans.flatMap(({ steps }) => steps.map(({ wgsl }) => wgsl.length));
    return { code: "", longest: Math.max(...lengths) };
  } catch (error) {
    if (error instanceof PrefcError) return { code: error.code, longest: 0 };
    throw error;
  }
}

describe("an objective that a loop wrote", () => {
  it.each<readonly [string, Objective]>([
    ["sigmoids one inside the other", overVocabulary((z) => repeat<Z>(300, sigmoid, z))],
    ["a large whole factor in an exponential", overVocabulary((z) => exp(z.times(1e9)))],
    [
      "a product of very many logits",
      overVocabulary((z) => repeat<Z>(100, (p) => p.times(z), exp(z))),
    ],
    ["a power of 2^60", overVocabulary((z) => repeat<Z>(60, (x) => x.times(x), z))],
    [
      "sums inside sums",
      overVocabulary((z) => repeat<Z>(5, (x) => sigmoid(x.minus(sum("vocab", x))), z)),
    ],
    [
      "exponentials side by side",
      overVocabulary((z) => repeat<Z>(60, (s, i) => s.plus(exp(z.times(i))), z)),
    ],
  ])("compiles to kernels of a bounded length: %s", (_, given) => {
    const { code, longest } = outcome(given);
    expect(code).toBe("");
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(longestKernel);
  });

  it.each<readonly [string, Objective, string]>([
    [
      "too many different exponentials",
      overVocabulary((z) => repeat<Z>(300, (s, i) => s.plus(exp(z.times(i / 100))), z)),
      "kernel-too-large",
    ],
    [
      "more accumulators than the memory of a workgroup holds",
      overVocabulary((z) => repeat<Z>(100, (s, i) => s.plus(exp(z.times(i / 100))), z)),
      "kernel-too-large",
    ],
    [
      "too many terms",
      grown(({ policy, y }) =>
        repeat<Expr<PerExample>>(
          4000,
          (x, i) => x.plus(policy.logps(y.w).times(i)),
          policy.logps(y.w),
        ),
      ),
      "too-large",
    ],
  ])("is refused in a sentence: %s", (_, given, code) => {
    expect(outcome(given).code).toBe(code);
  });
});

describe("terms that are explained", () => {
  it("are read together, so that many stopped gradients take no more than their parts", () => {
    const { loss } = grown(({ policy, y }) =>
      repeat<Expr<PerExample>>(
        900,
        (x, i) => stopGrad(x).plus(policy.logps(y.w).times(i)),
        policy.logps(y.w),
      ),
    );
    const stops = topological([loss]).filter(({ tag }) => tag === "stop");
    expect(stops).toHaveLength(900);
    expect(sourceTerms(stops).every(({ responses }) => responses.join() === "w")).toBe(true);
  });

  it("belong to no response where they read two, and nor do those above them", () => {
    const { loss } = dpo();
    const all = topological([loss]);
    const terms = sourceTerms(all, (node) => `${node.id}`);
    all.forEach((node, position) => {
      const tokens = new Set(
        topological([node]).flatMap(({ axes }) => axes.filter((axis) => axis.startsWith("token."))),
      );
      expect(terms[position]!.responses).toEqual(
        tokens.size === 1 ? [[...tokens][0]!.slice("token.".length)] : [],
      );
    });
  });
});

describe("a mixture of many objectives", () => {
  it("has a name that nobody has to write, and that is cut", () => {
    const parts = Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [
        `part number ${n}`,
        [n % 2 === 0 ? dpo() : sft(), n + 1] as const,
      ]),
    );
    const { name } = mix(parts);
    expect(name).toMatch(/^part number 0 \+ part number 1 \+ .* \+ … \(60 parts\)$/);
    expect(name.length).toBeLessThanOrEqual(150);
    expect(mix({ a: [dpo(), 1], b: [sft(), 2] }).name).toBe("a + b");
    expect(mix({ ["x".repeat(500)]: [dpo(), 1], b: [sft(), 2] }).name).toBe(
      `${"x".repeat(120)} + … (2 parts)`,
    );
  });
});

describe("sums over the vocabulary that no kernel can take", () => {
  const refusal = (given: Objective): readonly [string, string] => {
    try {
      compile(given).plan("valueAndGrad", 9);
    } catch (error) {
      if (error instanceof PrefcError) return [error.code, error.message];
      throw error;
    }
    throw new Error("nothing was thrown");
  };

  it("of a sum over the tokens inside a sum over the vocabulary are refused at once, in a sentence that says what to do", () => {
    const [code, message] = refusal(
      grown(({ policy, y }) => {
        const pi = exp(logPi(policy, y.w));
        return sum("token", sum("vocab", pi.times(sum("token", pi))));
      }),
    );
    expect(code).toBe("vocabulary-across-rows");
    expect(message).toMatch(
      /^sum\("token", …\): kernels read one row of logits at a time, .* reduce "vocab" first\.$/,
    );
  });

  it("of a number per example that is made of sums over the vocabulary compile, and mean what they say", () => {
    const nested = grown(({ policy, y }) => {
      const pi = exp(logPi(policy, y.w));
      const inner = sum("token", sum("vocab", pi.times(2)));
      return sum("token", sum("vocab", pi.times(inner)));
    });
    expect(outcome(nested).code).toBe("");
    const batch = fromResponses({
      w: {
        labels: [[1, 0]],
        policy_logits: [
          [0, 1, 2],
          [3, 1, 0],
        ],
      },
    });
    expect(evaluate([nested.loss], batch, {})[0]!.data[0]).toBeCloseTo(8, 12);
  });
});

describe("a very small or very large number", () => {
  it("is a sentence where no float can hold it, and a result where one can", () => {
    expect(() => constant(Infinity)).toThrow(PrefcError);
    expect(
      outcome(grown(({ policy, y }) => log(constant(1e308)).plus(policy.logps(y.w).times(5e-324))))
        .code,
    ).toBe("");
  });
});
