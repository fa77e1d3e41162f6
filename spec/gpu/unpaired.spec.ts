// Prompts that may be empty, and unpaired rows with a label and mismatched completions, on the GPU.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compile,
  count,
  exp,
  fromTrl,
  fromUnpaired,
  maximum,
  mean,
  neg,
  objective,
  param,
  prompt,
  sigmoid,
  square,
  stopGrad,
  sum,
  where,
  type Batch,
  type Device,
  type Objective,
} from "../../src/index.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import { uniforms } from "./batches.ts";
import { code } from "./scores.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const about = { source: "a test" };

describe("prompts and unpaired rows", () => {
  /** Rows whose prompts have one to three tokens, so that a third of them have nothing to predict. */
  const rows = (count: number, seed: number, vocab = 7) => {
    const random = uniforms(seed);
    const length = 7;
    const kinds = Array.from({ length: count }, () => {
      const start = 1 + Math.floor(random() * 3);
      const end = start + 1 + Math.floor(random() * (length - start));
      return Array.from({ length }, (_, t) =>
        t < start ? "prompt" : t < end ? "completion" : "pad",
      );
    });
    const mask = (...wanted: readonly string[]): number[][] =>
      kinds.map((list) => list.map((kind) => Number(wanted.includes(kind))));
    const logits = (): Float32Array =>
      new Float32Array(count * length * vocab).map(() => 6 * random() - 3);
    return {
      input_ids: kinds.map((list) => list.map(() => Math.floor(random() * vocab))),
      completion_mask: mask("completion"),
      attention_mask: mask("prompt", "completion"),
      policy_logits: logits(),
      ref_logits: logits(),
      shape: [count, length, vocab] as const,
    };
  };
  const seeds = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));

  const reading: readonly Objective[] = [
    objective(
      "whole sequences",
      ["w", "l"],
      ({ policy, y }) => {
        const total = policy.logps(y.w).plus(policy.logps(prompt(y.w)));
        const tokens = count("token", y.w).plus(count("token", prompt(y.w)));
        return neg(sum("batch", total))
          .over(sum("batch", tokens))
          .plus(exp(policy.logps(y.l).times(0.1)));
      },
      about,
    ),
    objective(
      "averages over prompts that may be empty",
      ["w", "l"],
      ({ policy, ref, y }) => {
        const x = prompt(y.l);
        const average = policy
          .logps(x)
          .minus(ref.logps(x))
          .over(maximum(count("token", x), 1));
        return square(average).minus(policy.logps(y.w).times(0.1));
      },
      about,
    ),
  ];
  it.each(reading.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
    const compiled = compile(one, { device });
    expect(compiled.program.responses).toHaveLength(3);
    await fc.assert(
      fc.asyncProperty(seeds, async ([examples, seed]) => {
        await expectAgreementOf(compiled, fromTrl(rows(2 * examples, seed)));
      }),
      { numRuns: 8 },
    );
    compiled.dispose();
  });

  it("a prompt of which there is none anywhere adds nothing", async () => {
    const all = rows(2, 3);
    const attention_mask = all.completion_mask;
    const compiled = compile(reading[0]!, { device });
    await expectAgreementOf(compiled, fromTrl({ ...all, attention_mask }));
    compiled.dispose();
  });

  const unpaired = objective(
    "a yes or no",
    ["y", "kl"],
    ({ policy, ref, y, flag }) => {
      const baseline = stopGrad(
        maximum(mean("batch", policy.logps(y.kl).minus(ref.logps(y.kl))), 0),
      );
      const advantage = policy
        .logps(y.y)
        .minus(ref.logps(y.y))
        .minus(baseline)
        .times(param("beta", 0.1));
      const perToken = sum("token", where(flag("desirable"), policy.logp(y.y), 0));
      return sigmoid(where(flag("desirable"), neg(advantage), advantage)).minus(
        perToken.times(0.01),
      );
    },
    about,
  );
  const unpairedBatch = (examples: number, seed: number): Batch => {
    const random = uniforms(seed + 1);
    const label = Array.from({ length: examples }, () => random() < 0.5);
    const { attention_mask: _, ...KL } = rows(examples, seed + 2);
    return fromUnpaired({ ...rows(examples, seed), label, KL });
  };

  it("unpaired rows with mismatched completions, which get no gradient and are read once", async () => {
    const compiled = compile(unpaired, { device });
    await fc.assert(
      fc.asyncProperty(seeds, async ([examples, seed]) => {
        const { gradients } = await expectAgreementOf(compiled, unpairedBatch(examples, seed));
        expect(Object.keys(gradients)).toEqual(["policy"]);
      }),
      { numRuns: 8 },
    );
    const { passes, gradients } = compiled.program.valueAndGrad.stages;
    expect(passes.flatMap(({ responses }) => responses)).toContain("kl");
    expect(gradients.flatMap(({ responses }) => responses)).toEqual(["y"]);
    compiled.dispose();
  });

  it("cached numbers for one response, logits for the other", async () => {
    const heights = { policy: { kl: "logps" }, ref: "logps" } as const;
    const compiled = compile(unpaired, { device, heights });
    const { ref_logits: _, ...own } = rows(3, 5);
    const batch = fromUnpaired({
      ...own,
      label: [true, false, true],
      KL: rows(3, 6),
      ref_logps: { y: [-9, -8, -7], kl: [-20, -21, -22] },
      policy_logps: { kl: [-10, -9, -8] },
    });
    await expectAgreementOf(compiled, batch);
    const inputs = compiled.program.inputs.map(({ name }) => name);
    expect(inputs).toContain("policy.logps.kl");
    expect(inputs).not.toContain("policy.logits.kl");
    compiled.dispose();
    expect(() => compile(unpaired, { heights: { ref: { gold: "logps" } } })).toThrow(
      /heights: ref of "gold" is given, but the objective has only "y", "kl"/,
    );
    expect(() => compile(unpaired, { heights: { ref: { kl: "logit" as "logits" } } })).toThrow(
      /heights: ref of "kl" is "logit"; choose/,
    );
  });

  it("a label that is missing is asked for", async () => {
    const compiled = compile(unpaired, { device });
    const { "example.desirable": _, ...inputs } = unpairedBatch(2, 1).inputs;
    expect(await code(compiled.value({ ...unpairedBatch(2, 1), inputs }))).toMatch(
      /^missing-input: .*"example\.desirable".*give label to fromUnpaired/,
    );
    compiled.dispose();
  });
});
