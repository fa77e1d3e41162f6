// Models of any name: declared, typed, and listed where a name is not among them.
import { describe, expect, it } from "vitest";
import {
  compile,
  dpo,
  exp,
  fromResponses,
  fromTrl,
  evaluate,
  logSoftmax,
  mean,
  mix,
  named,
  objective,
  referenceFree,
  sum,
  type Objective,
} from "../../src/index.ts";
import { expectError } from "../support/checks.ts";
import { describeMisuses, any } from "./misuse.ts";

const source = "a test";

const distilled = (): ReturnType<typeof objective<"w", "teacher">> =>
  objective(
    "distilled",
    ["w"],
    ({ policy, teacher, y }) => {
      const target = logSoftmax("vocab", teacher.logits(y.w));
      const own = logSoftmax("vocab", policy.logits(y.w));
      return mean("token", sum("vocab", exp(target).times(target.minus(own))));
    },
    { source, models: ["teacher"] },
  );

const batch = fromResponses({
  w: {
    labels: [[0, 1], [2]],
    policy_logits: [
      [1, 2, 3],
      [0, 0, 1],
      [2, 0, -1],
    ],
    teacher_logits: [
      [1, 2, 3],
      [0, 1, 1],
      [2, 0, 0],
    ],
    teacher_logps: [-1, -2],
    old_logp: [-1, -2, -3],
  },
});

describeMisuses("models", [
  [
    "a misspelt model",
    "unknown-model",
    /^objective "o": there is no model "techer"; the models are "policy", "ref" and "teacher".*Did you mean "teacher"\?$/,
    () =>
      objective(
        "o",
        ["w"],
        // @ts-expect-error a model that is not declared is no property of what is given
        ({ techer, y }) => (techer as { logps: (of: unknown) => never }).logps(y.w),
        { source, models: ["teacher"] },
      ),
  ],
  [
    "a model that nobody declared",
    "unknown-model",
    /there is no model "teacher"; the models are "policy" and "ref"/,
    // @ts-expect-error nor is one where none are declared
    () => objective("o", ["w"], ({ teacher, y }) => any(teacher).logps(y.w), { source }),
  ],
  [
    "a misspelt model under a combinator",
    "unknown-model",
    /there is no model "old"/,
    () =>
      referenceFree(
        named("other", {
          ...dpo(),
          // @ts-expect-error what a combinator hands on is as strict
          define: (g) => ({ ...dpo().define(g), loss: any(g.old).logps(g.y.w) }),
        }),
      ),
  ],
  ...["my teacher", "2nd", "old.1", "reward", "tokens", "y", "__proto__", "a__b", ""].map(
    (name) =>
      [
        `a model called ${JSON.stringify(name)}`,
        name === "" ? "name-empty" : "model-name",
        /a model|the name is empty/,
        (): Objective =>
          objective("o", ["w"], ({ policy, y }) => policy.logps(y.w), { source, models: [name] }),
      ] as const,
  ),
  [
    "a height of a model that there is not",
    "unknown-height",
    /^heights: there is no model "techer"; the models are "policy", "ref" and "teacher"\. Did you mean "teacher"\?$/,
    () => compile(distilled(), { heights: { techer: "logps" } }),
  ],
]);

describe("a model of any name", () => {
  it("is data: only the policy has a gradient", () => {
    const { program } = compile(distilled());
    expect(program.inputs.map(({ name }) => name).toSorted()).toEqual([
      "policy.logits.w",
      "teacher.logits.w",
    ]);
    expect(program.gradients.map(({ input }) => input.name)).toEqual(["policy.logits.w"]);
  });

  it("may enter at every height", () => {
    const ratios = objective(
      "clipped",
      ["w"],
      ({ policy, old, y }) => mean("token", exp(policy.logp(y.w).minus(old.logp(y.w)))),
      { source, models: ["old"] },
    );
    const { program } = compile(ratios, { heights: { old: "logp" } });
    expect(program.inputs.map(({ name }) => name)).toContain("old.logp.w");
    const [loss] = evaluate([program.loss], batch, {});
    const logp = (z: readonly number[], label: number): number =>
      z[label]! - Math.log(z.reduce((total, x) => total + Math.exp(x), 0));
    const token = (z: readonly number[], label: number, old: number): number =>
      Math.exp(logp(z, label) - old);
    const first = (token([1, 2, 3], 0, -1) + token([0, 0, 1], 1, -2)) / 2;
    expect(loss!.data[0]).toBeCloseTo((first + token([2, 0, -1], 2, -3)) / 2, 14);
  });

  it("passes through combinators and mixtures", () => {
    const pair = named("distilled pair", { ...distilled(), responses: ["w", "l"] });
    const mixed = mix({ dpo: [dpo(), 1], kd: [pair, 0.5] });
    expect(mixed.models).toEqual(["teacher"]);
    expect(compile(mixed).program.inputs.map(({ name }) => name)).toContain("teacher.logits.w");
    expect(referenceFree(mixed).models).toEqual(["teacher"]);
  });

  it("is missed by its name and the field that brings it", () => {
    const { teacher_logits, ...rest } = {
      labels: [[0, 1], [2]],
      policy_logits: [
        [1, 2, 3],
        [0, 0, 1],
        [2, 0, -1],
      ],
      teacher_logits: 0,
    };
    expect(teacher_logits).toBe(0);
    const { loss } = compile(distilled()).program;
    expectError(
      () => evaluate([loss], fromResponses({ w: rest }), {}),
      "missing-input",
      /"teacher\.logits\.w".*give teacher_logits/,
    );
  });

  it("may not have a name that no model can have, in a batch either", () => {
    const data = {
      input_ids: [[0, 1]],
      completion_mask: [[0, 1]],
      policy_logits: new Float32Array(4),
      responses: ["w"],
    };
    expectError(
      () => fromTrl({ ...data, "my teacher_logits": new Float32Array(4) }),
      "model-name",
      /"my teacher_logits": a model cannot be called "my teacher"/,
    );
  });
});
