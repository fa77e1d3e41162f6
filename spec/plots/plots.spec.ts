// Plots of objectives: curves are the loss and its slopes, whatever they are drawn against and whether a loss reads sequences or
// tokens; and pictures hold every curve, every name and nothing outside their frame.

import { describe, expect, it } from "vitest";
import { svg, type Plot } from "../../src/draw/plot.ts";
import { builtIn, builtIns, dpo } from "../../src/index.ts";
import { againstOf, level, tokens } from "../../src/plots/against.ts";
import { plotOf } from "../../src/plots/plot.ts";
import { curvesOf } from "../../src/plots/sweep.ts";
import { errorOf } from "../support/error.ts";

const against = (text: string, ...names: readonly string[]): ReturnType<typeof againstOf> =>
  againstOf(
    text,
    names.map((name) => builtIn(name).loss),
    {},
  );

describe("curves", () => {
  it("are −log σ(βΔ) for DPO against the margin, and slopes are β σ(−βΔ)", () => {
    const made = against("margin");
    const { loss, gradients, weight, fromLogits } = curvesOf(dpo(), made);
    expect([weight, fromLogits]).toEqual([null, null]);
    made.positions.forEach((margin, at) => {
      const sigma = 1 / (1 + Math.exp(0.1 * margin));
      expect(loss[at]!).toBeCloseTo(Math.log1p(Math.exp(-0.1 * margin)), 12);
      expect(gradients["w"]![at]!).toBeCloseTo(-0.1 * sigma, 12);
      expect(gradients["l"]![at]!).toBeCloseTo(0.1 * sigma, 12);
    });
  });

  it("are those of log-probabilities where logits are made to have them", () => {
    // WPO without its weights is DPO, whose slopes along log π are known
    const made = against("margin");
    const { loss, gradients, weight, fromLogits } = curvesOf(builtIn("wpo"), made);
    const plain = curvesOf(dpo(), made);
    expect(fromLogits).toContain("16 entries");
    loss.forEach((value, at) => {
      expect(value / (plain.loss[at]! * weight![at]!)).toBeCloseTo(1, 9);
      for (const response of ["w", "l"])
        expect(
          gradients[response]![at]! / (plain.gradients[response]![at]! * weight![at]!),
        ).toBeCloseTo(1, 6);
    });
  });

  it("rise with the weight as the chosen tokens become likely", () => {
    const { weight } = curvesOf(builtIn("wpo"), against("probability"));
    expect(weight!.at(-1)!).toBeGreaterThan(weight![0]!);
  });

  it.each(["margin", "logp", "length", "probability"])(
    "of every built-in loss of pairs have values, or a sentence: %s",
    (text) => {
      const made = against(text);
      let drawn = 0;
      for (const name of Object.keys(builtIns)) {
        const one = builtIn(name);
        const isPair = ["w", "l"].every((response) => one.responses.includes(response));
        let curves: ReturnType<typeof curvesOf>;
        try {
          curves = curvesOf(one, made);
        } catch (error) {
          expect((error as { code?: string }).code, `${name}: ${String(error)}`).toMatch(
            isPair
              ? /^(?:plot-objective|undefined-value|infinite-value|value-not-finite|divisor-zero)$/
              : /^plot-objective$/,
          );
          continue;
        }
        drawn++;
        expect(curves.loss).toHaveLength(made.positions.length);
        for (const values of Object.values(curves.gradients))
          expect(values).toHaveLength(made.positions.length);
      }
      expect(drawn).toBeGreaterThan(40);
    },
  );

  it("against a parameter begin and end within its range, and are the loss at each", () => {
    const made = against("param:beta", "dpo");
    expect(made.positions[0]!).toBeGreaterThan(0);
    const { loss } = curvesOf(dpo(), made);
    made.positions.forEach((beta, at) =>
      expect(loss[at]!).toBeCloseTo(Math.log1p(Math.exp(-4 * beta)), 12),
    );
  });

  it("against a length compare means and sums", () => {
    const made = against("length");
    const at = made.positions.indexOf(tokens);
    // equal lengths and probabilities have no margin
    expect(curvesOf(dpo(), made).loss[at]!).toBeCloseTo(Math.LN2, 9);
    expect(made.pair(tokens).others["w"]).toBe(level);
  });

  it.each([
    ["margins", [], 'Did you mean "margin"?'],
    ["param:betta", ["dpo"], 'Did you mean "beta"?'],
    ["param:beta", ["dpo", "sft"], "each objective must have it"],
    ["param:x", ["sft"], "the objective has no parameter"],
  ])("are refused against %s of %j", (text, names, part) => {
    const [code, message] = errorOf(() => against(text, ...names));
    expect(code).toBe("option-value");
    expect(message).toContain(part);
  });
});

describe("a picture", () => {
  const made = against("margin");
  const named = (...names: readonly string[]): Plot =>
    plotOf(
      names.map((name) => ({ name, curves: curvesOf(builtIn(name), made) })),
      made,
    );
  const numbers = (text: string, shape: RegExp): readonly number[] =>
    [...text.matchAll(shape)].map(([, value]) => Number(value));

  it("of one objective names both gradients in their panel, and has one for weights", () => {
    const text = svg(named("wpo"));
    expect(text.match(/<polyline/g)).toHaveLength(4);
    for (const name of ["d loss / d log π(y_w)", "d loss / d log π(y_l) (dashed)", ">weight<"])
      expect(text).toContain(name);
  });

  it("of several has each in each panel, and a legend that names all within the frame", () => {
    const names = ["dpo", "wpo", "ipo", "simpo", "hinge", "robust", "cpo", "orpo", "apo_zero"];
    const text = svg(named(...names));
    // loss and two gradients of each, and the weight of one
    expect(text.match(/<polyline/g)).toHaveLength(3 * names.length + 1);
    for (const name of names) expect(text).toContain(`>${name}</text>`);
    const [width] = numbers(text, /width="(\d+)" height/g);
    for (const x of numbers(text, /[ "]x="([\d.]+)"/g)) expect(x).toBeLessThan(width!);
    const points = [...text.matchAll(/points="([^"]+)"/g)].flatMap(([, list]) =>
      list!.split(" ").map((point) => point.split(",").map(Number)),
    );
    const [height] = numbers(text, /height="(\d+)" viewBox/g);
    for (const [x, y] of points) {
      expect(x).toBeGreaterThanOrEqual(70);
      expect(x).toBeLessThanOrEqual(width!);
      expect(y).toBeGreaterThan(0);
      expect(y).toBeLessThan(height!);
    }
    // a curve has its stroke in every panel
    const strokes = [...text.matchAll(/<polyline [^>]*stroke="(#\w+)"/g)].map(
      ([, stroke]) => stroke,
    );
    expect(strokes.slice(0, 9)).toEqual(strokes.slice(9, 18));
  });

  it("breaks a long title, and holds names of any kind", () => {
    const text = svg({ ...named("dpo"), title: "a < b ".repeat(40) });
    expect(text.match(/font-size="14"/g)!.length).toBeGreaterThan(2);
    expect(text).not.toContain("a < b");
  });
});
