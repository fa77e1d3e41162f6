// Which kinks are found at the first step, and in which words: bends whose sides differ, and no others.
import { describe, expect, it } from "vitest";
import {
  abs,
  builtIn,
  clamp,
  compile,
  exp,
  max,
  maximum,
  minimum,
  neg,
  relu,
  sort,
  sqrt,
  square,
  stopGrad,
  where,
} from "../../src/index.ts";
import { kinksAt } from "../../src/kinks/find.ts";
import { frozenAt } from "../../src/kinks/frozen.ts";
import { slopes } from "../../src/kinks/slopes.ts";
import { gradient } from "../../src/ad/gradient.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { explanationText } from "../../src/explain/text.ts";
import { kinked, spellings, start, type Kinked } from "../support/kinks.ts";

const named = (loss: Kinked): readonly string[] =>
  compile(kinked(loss))
    .explain()
    .kinks.map(({ term }) => term);

describe("kinks at the first step", () => {
  const x = "policy.logps.w - ref.logps.w";
  it.each([
    ["maximum", (h) => maximum(h, 0), `maximum(${x}, 0)`],
    ["relu", (h) => relu(neg(h)), `relu(-(${x}))`],
    ["minimum", (h) => minimum(h, h.times(2)), `minimum(${x}, (${x}) * 2)`],
    ["abs", (h) => abs(h), `abs(${x})`],
    ["clamp", (h) => clamp(h, { max: 0 }), `where(${x} > 0, 0, ${x})`],
    ["clamp", (h) => clamp(exp(h), { min: 1 }), `where(exp(${x}) < 1, 1, exp(${x}))`],
    ["where", (h) => where(h.gt(0), 2, 1).times(h.plus(1)), `where(${x} > 0, 2, 1)`],
    ["sqrt", (h) => sqrt(square(h)), `sqrt(square(${x}))`],
    ["sort", (h) => sort("batch", h), `order[batch](${x})`],
    ["max", (h) => max("batch", h).plus(h), `max[batch](${x})`],
  ] satisfies readonly [string, Kinked, string][])("names %s", (spelling, loss, term) => {
    const { kinks } = compile(kinked(loss)).explain();
    expect(kinks.map((kink) => kink.term)).toEqual([term]);
    expect(kinks[0]).toMatchObject({
      takes: slopes[spelling as keyof typeof slopes].prefc,
      others: slopes[spelling as keyof typeof slopes].others,
    });
  });

  it("says where each lies and how often", () => {
    const [kink] = compile(kinked((h) => maximum(h, 0))).explain().kinks;
    expect(kink!.point).toMatch(/^its operands are equal at (\d) of \1 places$/);
  });

  it.each([
    [
      "both sides have one slope",
      (h, g) => {
        const r = exp(g.policy.logps(g.y.w).minus(g.ref.logps(g.y.w)));
        return minimum(r.times(2), clamp(r, { min: 0.8, max: 1.2 }).times(2)).plus(h);
      },
    ],
    ["the operand is elsewhere", (h) => relu(h.plus(1))],
    ["nothing of it is differentiated", (h) => stopGrad(relu(h)).times(0.5).plus(h)],
    [
      "two bends make up for each other",
      (h) =>
        maximum(h, 0)
          .minus(relu(neg(h)).times(1))
          .plus(
            minimum(h, 0)
              .minus(neg(relu(neg(h))))
              .times(0),
          ),
    ],
    ["it is multiplied by 0", (h) => relu(h).times(0).plus(h)],
  ] satisfies readonly [string, Kinked][])("names nothing where %s", (_why, loss) => {
    expect(named(loss)).toEqual([]);
  });

  it.each([
    ["dpop", 1],
    ["minor-dpo", 1],
    ["padll", 1],
    ["kto-pair", 2],
    ["aot_unpaired", 2],
    ["grpo", 0],
    ["gkd", 0],
    ["dpo", 0],
    ["sft", 0],
  ])("of %s are %i", (name, count) => {
    expect(compile(builtIn(name)).explain().kinks).toHaveLength(count);
  });

  it("stand in the explanation, with what others take", () => {
    const text = explanationText(compile(builtIn("dpop")).explain());
    expect(text).toContain(
      "kinks at the first step\n  maximum(-(policy.logps.w - ref.logps.w), 0): its",
    );
    expect(text.replaceAll(/\s+/g, " ")).toContain("torch.relu and jax.lax.clamp take none");
    expect(explanationText(compile(builtIn("sft")).explain())).toContain(
      "kinks at the first step\n  none",
    );
  });
});

describe("a loss with its decisions frozen", () => {
  it.each(Object.entries(spellings))("has the value and the slope of %s", (_name, spelling) => {
    const { loss, gradients } = compile(kinked(spelling)).program;
    const frozen = frozenAt(loss, kinksAt(loss, start, {}), start, {});
    const inputs = gradients.map(({ input }) => input);
    const values = evaluate([loss, ...gradient(loss, inputs)], start, {});
    const held = evaluate([frozen.loss, ...gradient(frozen.loss, inputs)], start, {}, frozen.held);
    held.forEach(({ data }, position) =>
      data.forEach((value, entry) => expect(value).toBeCloseTo(values[position]!.data[entry]!, 12)),
    );
  });
});
