// The text of the kernels. Whatever is compiled is valid WGSL under every schedule, checked without a device on Dawn's null
// backend; and no name that a user chooses reaches it: with any strings as names the text is the same byte for byte, and
// the results are the same bits.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  builtIns,
  compile,
  constant,
  dpo,
  exp,
  logSigmoid,
  logPi,
  mean,
  neg,
  objective,
  param,
  referenceFree,
  sigmoid,
  sum,
  wpo,
  type Batch,
  type CompileOptions,
  type Compiled,
  type Device,
  type Objective,
} from "../../src/index.ts";
import { validateWgsl } from "../../src/runtime/shaders/shaders.ts";
import { withDevice } from "../support/device.ts";
import { asSeparate, contentOf, withHighInputs, type Drawn } from "./batches.ts";

const variants: Readonly<Record<string, Objective>> = {
  ...Object.fromEntries(Object.entries(builtIns).map(([name, { make }]) => [name, make()])),
  "dpo, reference-free": referenceFree(dpo()),
  ...Object.fromEntries(
    (["sampled", "greedy", "none"] as const).flatMap((alignment) =>
      [true, false].map((stop) => [
        `wpo, ${alignment}, ${stop ? "stopped" : "differentiated"}`,
        wpo({ alignment, stop }),
      ]),
    ),
  ),
  "wpo, product clamped": wpo({ clamp: "product" }),
  "wpo, each weight clamped, differentiated": wpo({ clamp: "each", stop: false }),
  "wpo, chosen only": wpo({ responses: "chosen" }),
  "wpo, rejected only": wpo({ responses: "rejected" }),
};
const schedules: readonly NonNullable<CompileOptions["schedule"]>[] = [
  {},
  { rowLanes: 4, vector: 1, unroll: 1, programLanes: 16 },
  { rowLanes: 8, vector: 4, unroll: 4, programLanes: 64 },
  { rowLanes: 256, vector: 4, unroll: 2, programLanes: 256 },
  { rowLanes: 32, split: 7, shareMaxima: false },
];
const texts = (compiled: Compiled, vocab: number): readonly string[] =>
  (["value", "valueAndGrad"] as const).flatMap((direction) =>
    compiled.plan(direction, vocab).steps.map(({ wgsl }) => wgsl),
  );

describe("the text of every built-in", () => {
  it.each(Object.entries(variants))("is valid under every schedule: %s", async (_name, given) => {
    const seen = new Set<string>();
    for (const schedule of schedules) {
      const own = compile(given, { schedule });
      for (const vocab of [128_256, 50_257]) for (const text of texts(own, vocab)) seen.add(text);
    }
    expect(seen.size).toBeGreaterThan(4);
    for (const text of seen) expect(await validateWgsl(text), text).toEqual([]);
  });

  it("would be refused if it were not valid", async () => {
    const [text] = texts(compile(dpo()), 128);
    expect(await validateWgsl(text!.replace("shape.vocab", "shape.vocabulary"))).not.toEqual([]);
  });
});

/** Every place where a user's name may stand. */
interface Names {
  readonly objective: string;
  readonly responses: readonly string[];
  readonly params: readonly string[];
  readonly metrics: readonly string[];
  readonly example: string;
  readonly tokens: string;
}
const plain: Names = {
  objective: "plain",
  responses: ["w", "l"],
  params: ["beta", "gamma"],
  metrics: ["first", "second"],
  example: "given",
  tokens: "given",
};

/** An objective with a total, a weight per token, a number per example, parameters and metrics, under these names. */
const named = ({
  objective: name,
  responses,
  params,
  metrics,
  example,
  tokens,
}: Names): Objective =>
  objective(
    name,
    responses,
    (g) => {
      const [w, l] = [g.y[responses[0]!]!, g.y[responses[1]!]!];
      const [beta, gamma] = [param(params[0]!, 0.1), param(params[1]!, 0.5)];
      const ratio = (y: typeof w) => g.policy.logps(y).minus(g.ref.logps(y));
      const bonus = mean(
        "token",
        sum("vocab", sigmoid(g.policy.logits(w))).times(g.tokens(tokens, w)),
      );
      const entropy = mean(
        "token",
        sum("vocab", exp(logPi(g.policy, l)).times(logPi(g.policy, l))),
      );
      const loss = neg(logSigmoid(beta.times(ratio(w).minus(ratio(l)))));
      return {
        loss: loss.plus(gamma.times(bonus)).plus(g.example(example).times(entropy)),
        metrics: { [metrics[0]!]: bonus.plus(constant(1)), [metrics[1]!]: entropy },
      };
    },
    { source: "written for this test" },
  );

const suspicious: readonly string[] = [
  '"}; @compute fn',
  "*/",
  "/*",
  "//",
  "a\nb",
  "\r\n}",
  "`${1}`",
  "\\",
  "\u0000",
  "\u2028",
  "\ud800",
  "偏好 👍🏽",
  "fn",
  "var",
  "f32",
  "struct",
  "main",
  "rows",
  "shape.vocab",
  "z_policy_0",
  "token.w",
  "policy.logits.w",
  "field.total[0]",
  "slot.0",
  "label",
  "__proto__",
  "constructor",
  "toString",
  " ",
  "%0",
  "$&",
  "#",
  "; discard;",
  "@group(0) @binding(0)",
];
const anyName = fc.oneof(
  fc.constantFrom(...suspicious),
  fc.string({ minLength: 1, maxLength: 30, unit: "binary" }),
  fc.string({ minLength: 1, maxLength: 30 }),
);
// JavaScript lists keys that look like whole numbers before all others, so metrics under such names come in another order
const key = anyName.filter((name) => !/^\d+$/.test(name) && name !== "loss");
const twoNames = fc.uniqueArray(key, { minLength: 2, maxLength: 2 });
const anyNames: fc.Arbitrary<Names> = fc.record({
  objective: anyName,
  responses: twoNames,
  params: twoNames,
  metrics: twoNames,
  example: key,
  tokens: key,
});

describe("names that a user chooses", () => {
  let device: Device;
  withDevice((opened) => {
    device = opened;
  });

  const drawn: Drawn = {
    examples: 2,
    vocab: 9,
    lengths: { w: [2, 3], l: [1, 4] },
    scale: "normal",
    masked: false,
    seed: 5,
  };
  const source = withHighInputs(asSeparate(contentOf(drawn)), 6);
  const renamed = ({ responses, example, tokens }: Names): Batch => {
    const own = Object.fromEntries(
      ["w", "l"].map((response, n) => [responses[n]!, source.responses[response]!]),
    );
    const inputs = Object.entries(source.inputs).map(([name, binding]) => {
      const response = ["w", "l"].findIndex((suffix) => name.endsWith(`.${suffix}`));
      if (response < 0) return [`example.${example}`, binding] as const;
      const stem = name.startsWith("tokens.") ? `tokens.${tokens}` : name.slice(0, -2);
      return [`${stem}.${responses[response]}`, binding] as const;
    });
    return { ...source, responses: own, inputs: Object.fromEntries(inputs) };
  };
  const words = (values: readonly number[]): readonly number[] => [
    ...new Uint32Array(Float32Array.from(values).buffer),
  ];
  const outcome = async (names: Names): Promise<readonly (readonly number[])[]> => {
    const own = compile(named(names), { device });
    const params = Object.fromEntries(names.params.map((name, n) => [name, 0.2 + n]));
    const result = await own.valueAndGrad(renamed(names), { params, perExample: true });
    own.dispose();
    expect(Object.keys(result.metrics)).toEqual(names.metrics);
    const scalars = [result.loss, ...names.metrics.map((name) => result.metrics[name]!)];
    return [
      words(scalars),
      words([...result.perExample!]),
      ...Object.values(result.gradients).map((data) => words([...(data as Float32Array)])),
    ];
  };

  it("never reach the text, which stays the same byte for byte", () => {
    const expected = texts(compile(named(plain)), 12);
    fc.assert(
      fc.property(anyNames, (names) => {
        expect(texts(compile(named(names)), 12)).toEqual(expected);
      }),
      { numRuns: 80 },
    );
  });

  it("do not change the results either", async () => {
    const expected = await outcome(plain);
    expect(expected).toHaveLength(4);
    await fc.assert(
      fc.asyncProperty(anyNames, async (names) => {
        expect(await outcome(names)).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});
