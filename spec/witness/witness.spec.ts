// The interpreter against fifty and more digits: random programs within what float64 can know of the formula as it is written,
// and their derivatives against differences that know no rule.

import { Decimal } from "decimal.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Node } from "../../src/core/node.ts";
import { compileProgram, type Program } from "../../src/pipeline/pipeline.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { draw } from "../fuzz/draw.ts";
import { objectiveOf } from "../fuzz/case.ts";
import { seed } from "../seed.ts";
import { PrefcError } from "../../src/core/error.ts";
import { digits } from "./digits.ts";
import { againstWitness } from "./compare.ts";
import { stopped, witness } from "./evaluate.ts";

describe("the witness itself", () => {
  const k = digits(50);
  const near = (x: Decimal, text: string): void =>
    expect(x.minus(text).div(text).abs().toNumber()).toBeLessThan(1e-45);

  it("knows digits that were published", () => {
    near(k.unary.exp(k.of(1)), "2.7182818284590452353602874713526624977572470936999595749669676");
    near(k.unary.log(k.of(2)), "0.69314718055994530941723212145817656807550013436025525412068001");
    near(k.unary.log2(k.of(10)), "3.3219280948873623478703194294893901758648313930245806120547564");
    near(k.unary.tanh(k.of(1)), "0.76159415595576488811945828260479359041276859725793655159681050");
    near(k.unary.sqrt(k.of(2)), "1.4142135623730950488016887242096980785696718753769480731766797");
  });

  it("keeps the digits of a small operand and of a long tail", () => {
    for (const e of [-20, -49, -51, -300]) {
      const x = k.of(`3e${e}`);
      // the next term of the series is beyond fifty digits, or is given
      const half = x.times(x).div(2);
      const third = x.pow(3).div(3);
      near(k.unary.log1p(x), x.minus(half).plus(third).toString());
      near(k.unary.expm1(x), x.plus(half).plus(third.div(2)).toString());
      near(k.unary.log1mExp(x.negated()), k.unary.log(x.minus(half).plus(third.div(2))).toString());
      near(k.unary.tanh(x), x.minus(third).toString());
    }
    near(k.unary.logSigmoid(k.of(-900)), "-900");
    near(k.unary.logSigmoid(k.of(900)), k.unary.exp(k.of(-900)).negated().toString());
  });

  it("obeys the laws that connect its functions", () => {
    fc.assert(
      fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (number) => {
        const x = k.of(number);
        const { exp: e, log: ln, log1p, expm1, sigmoid: s, logSigmoid: ls, softplus } = k.unary;
        const equal = (a: Decimal, b: Decimal): void =>
          expect(a.minus(b).abs().toNumber()).toBeLessThanOrEqual(1e-34);
        equal(ln(e(x)), x);
        equal(log1p(expm1(x)), x);
        equal(s(x).plus(s(x.negated())), k.of(1));
        equal(e(ls(x)), s(x));
        equal(softplus(x).minus(softplus(x.negated())), x);
        equal(k.logSumExp([x, k.of(0)]), softplus(x));
      }),
    );
  });
});

/** The program of a case, or undefined where kernels cannot run it, which is no concern here. */
const programOf = (one: ReturnType<typeof draw>): Program | undefined => {
  try {
    return compileProgram(objectiveOf(one), { heights: one.heights });
  } catch (error) {
    if (error instanceof PrefcError) return undefined;
    throw error;
  }
};

describe("a random program", () => {
  const cases = Array.from({ length: 50 }, (_, n) => draw(seed + n, { terms: 300 }));

  it("has the values and the gradients that many digits give, to the rounding of its formula", () => {
    let [decided, undecided, loose] = [0, 0, 0];
    for (const one of cases) {
      const program = programOf(one);
      if (program === undefined) continue;
      const roots: readonly Node[] = [
        program.loss,
        ...Object.values(program.metrics),
        ...Object.values(program.next),
        ...program.gradients.map(({ node }) => node),
      ];
      const found = againstWitness(roots, one.batch, { ...one.params, ...one.state });
      expect(found.complaints, `seed ${one.seed}`).toEqual([]);
      decided += found.decided;
      undecided += found.undecided;
      loose += found.loose;
    }
    expect(undecided).toBeLessThan(0.02 * decided);
    expect(loose).toBeLessThan(0.01 * decided);
  });

  it("has the slopes that differences of many digits give", () => {
    const h = new Decimal("1e-18");
    let compared = 0;
    for (const one of cases.slice(0, 30)) {
      const program = programOf(one);
      const [gradient] = program?.gradients ?? [];
      if (program === undefined || gradient === undefined) continue;
      const params = { ...one.params, ...one.state };
      const [slopes] = evaluate([gradient.node], one.batch, params);
      const [rounded] = witness([gradient.node], one.batch, params);
      // a gradient that is the same along an axis is not listed along it
      if (gradient.node.axes.length !== gradient.input.axes.length) continue;
      const position = one.seed % slopes!.data.length;
      const held = stopped(program.loss, one.batch, params)!;
      const valueWith = (by: Decimal): Decimal =>
        witness([program.loss], one.batch, params, {
          digits: 70,
          held,
          moved: { input: gradient.input, position, by },
        })[0]![0]!.value;
      const [up, here, down] = [h, new Decimal(0), h.negated()].map(valueWith);
      if (!here!.isFinite() || !up!.isFinite() || !down!.isFinite()) continue;
      const [right, left] = [up!.minus(here!).div(h), here!.minus(down!).div(h)];
      const { error } = rounded![position]!;
      const size = 1 + right.abs().toNumber();
      // a kink has two slopes, and where rounding decides a side there is none to compare
      if (right.minus(left).abs().toNumber() > 1e-9 * size || !Number.isFinite(error)) continue;
      compared++;
      const off = right.plus(left).div(2).minus(slopes!.data[position]!).abs().toNumber();
      expect(off, `seed ${one.seed}, entry ${position}`).toBeLessThanOrEqual(error + 1e-9 * size);
    }
    expect(compared).toBeGreaterThan(15);
  });
});
