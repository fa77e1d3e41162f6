// The shape of what is derived, where the value alone would not tell: which fields a loss needs, what cancels as a symbol, what
// becomes a later pass, how terms that no law covers are counted, and what is refused.
import { describe, expect, it } from "vitest";
import { tokenAxis } from "../../src/core/axis.ts";
import {
  at,
  binary,
  constant,
  input,
  iota,
  param,
  reduce,
  select,
  unary,
} from "../../src/core/build.ts";
import { idsOf, logitsOf, logpFromLogits, logSoftmaxOf } from "../../src/core/inputs.ts";
import { printExpression } from "../../src/core/infix.ts";
import type { Node } from "../../src/core/node.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { simplify } from "../../src/rewrite/simplify.ts";
import { derive, type Derivation } from "../../src/stream/derive.ts";
import { describeField, fieldKey, modelsOf, type FieldSpec } from "../../src/stream/fields.ts";
import { exampleBatch } from "../support/arbitraries.ts";
import { expectError } from "../support/checks.ts";
import { readRows } from "./reading.ts";

const [z, ref] = [logitsOf("policy", "w"), logitsOf("ref", "w")];
const logPi = logSoftmaxOf(z);
const pi = unary("exp", logPi);
const over = (x: Node): Node => reduce("sum", "vocab", x);
const times = (a: Node, b: Node): Node => binary("times", a, b);
const minus = (a: Node, b: Node): Node => binary("minus", a, b);

const derived = (node: Node): Derivation => derive(simplify([node]).roots, []);
const fields = ({ fields: found }: Derivation): readonly string[] =>
  [...found.values()].map(({ spec }) => fieldKey(spec)).toSorted();
const row = (node: Node): string => printExpression(simplify(derived(node).rows).roots[0]!);

/** Float64 on both sides, of values near 1. */
const expectMeaning = (node: Node): void => {
  const batch = exampleBatch({ scales: ["normal"] }, 3);
  const [right] = evaluate([node], batch, {});
  const [actual] = readRows(derive([node], []), batch, {});
  right!.data.forEach((value, entry) => expect(actual!.data[entry]).toBeCloseTo(value, 9));
};

describe("fields", () => {
  it.each<[string, Node, readonly string[]]>([
    [
      "log π(y)",
      logpFromLogits("policy", "w"),
      ["excess[1].policy", "label.policy", "maximum.policy"],
    ],
    ["Σ π²", over(unary("square", pi)), ["excess[1].policy", "excess[2].policy", "maximum.policy"]],
    ["max log π", reduce("max", "vocab", logPi), ["excess[1].policy", "maximum.policy"]],
    [
      "the entropy",
      over(times(pi, logPi)),
      ["excess[1].policy", "maximum.policy", "moment[policy:1,1]"],
    ],
    [
      "Σ π_ref log π",
      over(times(unary("exp", logSoftmaxOf(ref)), logPi)),
      [
        "excess[1].policy",
        "excess[1].ref",
        "maximum.policy",
        "maximum.ref",
        "moment[policy:0,1;ref:1,0]",
      ],
    ],
    [
      "how many entries are maximal",
      over(unary("toReal", binary("eq", z, reduce("max", "vocab", z)))),
      ["maximum.policy", "ties.policy"],
    ],
  ])("of %s", (_what, node, names) => {
    const derivation = derived(node);
    expect(fields(derivation)).toEqual(names);
    expect(derivation.totals).toEqual([]);
    expectMeaning(node);
  });

  it.each<[FieldSpec, string]>([
    [{ kind: "maximum", model: "ref" }, "max_v z(ref)"],
    [{ kind: "label", model: "policy" }, "z_y (policy)"],
    [{ kind: "excess", model: "policy", d: 1 }, "Σ_v e^{x} − 1 (policy)"],
    [{ kind: "excess", model: "policy", d: 2 }, "Σ_v e^{2x} − 1 (policy)"],
    [{ kind: "ties", model: "ref" }, "#{v : z = max z} (ref)"],
    [{ kind: "total", index: 3 }, "second-pass reduction 3"],
    [
      {
        kind: "moment",
        powers: [
          { model: "policy", d: 1, k: 1 },
          { model: "ref", d: 2, k: 0 },
        ],
      },
      "Σ_v e^{x}x (policy) · e^{2x} (ref)",
    ],
    [{ kind: "moment", powers: [{ model: "ref", d: 0, k: 2 }] }, "Σ_v x^2 (ref)"],
  ])("are described by their formula: %j", (spec, text) => {
    expect(describeField(spec)).toBe(text);
    const models = new Set([...text.matchAll(/policy|ref/g)].map(([model]) => model));
    expect(new Set(modelsOf(spec))).toEqual(models);
  });
});

describe("what cancels as a symbol", () => {
  it("is the maximum in a log-probability, and a softmax that is summed", () => {
    expect(row(over(pi))).toBe("1");
    expect(row(minus(logpFromLogits("policy", "w"), logpFromLogits("policy", "w")))).toBe("0");
    expect(row(reduce("logSumExp", "vocab", logPi))).toBe("0");
    expect(
      row(minus(reduce("max", "vocab", minus(z, param("c"))), reduce("max", "vocab", z))),
    ).toBe("-c");
  });

  it("is a power of x at the maximum, where x is 0", () => {
    const isTop = unary("toReal", binary("eq", z, reduce("max", "vocab", z)));
    const x = minus(z, reduce("max", "vocab", z));
    expect(row(over(times(isTop, unary("square", x))))).toBe("0");
    expect(fields(derived(over(times(isTop, unary("exp", x)))))).toEqual([
      "maximum.policy",
      "ties.policy",
    ]);
  });
});

describe("what no running pass can make", () => {
  it("becomes one later pass for equal skeletons, whatever fills their slots", () => {
    const distance = (c: Node): Node => over(unary("abs", minus(pi, c)));
    const one = derived(distance(param("a")));
    expect(one.totals.map(({ op, index }) => [op, index])).toEqual([["sum", 0]]);
    const both = derive(
      ["w", "l"].map((response) =>
        over(unary("abs", unary("exp", logSoftmaxOf(logitsOf("policy", response))))),
      ),
      [],
    );
    expect(both.totals.map(({ index, response }) => [index, response])).toEqual([
      [0, "w"],
      [0, "l"],
    ]);
    // a response that needs one skeleton with two fillings needs two passes
    const level = (response: string): Node =>
      reduce("sum", `token.${response}`, logpFromLogits("ref", response));
    const twice = derive(
      [distance(level("w")), distance(unary("exp", level("w"))), distance(level("w"))],
      [],
    );
    expect(twice.totals.map(({ index }) => index)).toEqual([0, 1]);
    expect(twice.rows[0]).toBe(twice.rows[2]);
  });

  it("is a sum of powers without an exponential, a falling exponential, and a product of too many terms", () => {
    const powers = [1, 2, 3, 4, 5, 6, 7].map((d) => unary("exp", times(constant(d / 8), logPi)));
    const many = powers.reduce((sum, one) => binary("plus", sum, one));
    for (const node of [
      over(unary("square", z)),
      over(unary("exp", times(constant(-1), z))),
      over(unary("square", many)),
      reduce("max", "vocab", unary("abs", z)),
      reduce("max", "vocab", unary("neg", z)),
      reduce("max", "vocab", minus(z, ref)),
    ]) {
      expect(derived(node).totals.length).toBe(1);
      expectMeaning(node);
    }
    // log-sum-exp needs its maximum first
    const falling = reduce("logSumExp", "vocab", unary("neg", z));
    expect(derived(falling).totals.map(({ op }) => op)).toEqual(["max", "sum"]);
    expectMeaning(falling);
    // one product less, and the terms are multiplied out
    const fewer = powers.slice(0, 5).reduce((sum, one) => binary("plus", sum, one));
    expect(derived(over(unary("square", fewer))).totals).toEqual([]);
  });

  it("takes a choice by a condition of its row as it is", () => {
    const condition = binary("gt", logpFromLogits("policy", "w"), constant(-1));
    const node = over(unary("abs", select(condition, logPi, z)));
    expectMeaning(node);
    expectMeaning(over(select(binary("or", condition, binary("gt", z, ref)), logPi, z)));
  });
});

describe("reductions of what is the same at every entry", () => {
  const same = reduce("max", "vocab", z);
  it.each(["sum", "max", "logSumExp"] as const)("%s", (op) => {
    expectMeaning(reduce(op, "vocab", same));
    expectMeaning(reduce(op, "vocab", param("beta", 0.25)));
  });
});

describe("an expression that no law covers", () => {
  const [p, q] = [logpFromLogits("policy", "w"), logpFromLogits("ref", "w")];
  const apart = unary("abs", minus(times(z, q), p));
  it("may be a factor twice, and read one number of its row in several places", () => {
    expectMeaning(over(times(apart, apart)));
    expectMeaning(over(unary("abs", minus(times(minus(z, p), p), q))));
    const [total] = derive([over(unary("abs", minus(times(minus(z, p), p), q)))], []).totals;
    const { slots } = total!.skeleton;
    expect(new Set(slots).size).toBe(slots.length);
  });
});

describe("a value at one token of each example", () => {
  const first = constant(0, "i32");
  it("is looked for among the tokens", () => {
    expectMeaning(at(logpFromLogits("policy", "w"), tokenAxis("w"), first));
    const last = at(reduce("max", "vocab", logPi), tokenAxis("w"), first);
    expectMeaning(times(last, reduce("sum", tokenAxis("w"), logpFromLogits("policy", "w"))));
  });

  it("is the value itself where it is the same for all tokens", () => {
    const whole = reduce("sum", tokenAxis("w"), logpFromLogits("policy", "w"));
    const [same] = derive([at(whole, tokenAxis("w"), first)], []).rows;
    expect(same).toBe(derive([whole], []).rows[0]);
  });

  it("is no whole number and no row of logits", () => {
    const refused = (node: Node, message: RegExp): void =>
      expectError(() => derive([node], []), "unsupported-index", message);
    refused(at(idsOf("w"), tokenAxis("w"), first), /pick a real number/);
    refused(over(at(logPi, tokenAxis("w"), first)), /cannot be looked up at another place/);
  });
});

describe("what kernels cannot read is refused", () => {
  it.each(["sum", "max", "logSumExp"] as const)("%s along tokens before the vocabulary", (op) => {
    const early = over(unary("square", reduce(op, tokenAxis("w"), logPi)));
    expectError(
      () => derive([early], []),
      "vocabulary-across-rows",
      new RegExp(`^${op}\\("token", …\\).*reduce "vocab" first`),
    );
  });

  it("by an index other than the label", () => {
    expectError(
      () => derive([at(z, "vocab", constant(0, "i32"))], []),
      "unsupported-index",
      /kernels read the logits at the response's own ids only/,
    );
    const first = select(binary("eq", iota("vocab"), input("first", ["batch"], "i32")), z, ref);
    expectError(() => derive([over(unary("abs", first))], []), "unsupported-index", /own ids/);
  });

  // found by a random program: max[vocab](ref.logits.c)[token.c = ids.a]
  it.each(["w", "l"])("at another token for each token of %s", (y) => {
    const top = reduce("max", "vocab", z);
    const looked = reduce("sum", tokenAxis(y), at(top, tokenAxis("w"), idsOf(y)));
    expectError(() => derive([looked], []), "unsupported-index", /the same for all tokens/);
  });

  it("along a vocabulary that is not that of logits", () => {
    expectError(
      () => derive([over(input("bias", ["batch", "token.w", "vocab"]))], []),
      "unsupported-input",
      /Only logits have a vocabulary axis/,
    );
    expectError(
      () => derive([over(unary("toReal", iota("vocab")))], []),
      "vocabulary-without-tokens",
      /^sum\[vocab\]\(.*iota\[vocab\].*\) is over the vocabulary and belongs to no token of a response/,
    );
  });

  it("and the label itself may be compared in either order", () => {
    const here = (condition: Node): Node => over(select(condition, logPi, constant(0)));
    for (const node of [
      here(binary("eq", iota("vocab"), idsOf("w"))),
      here(binary("eq", idsOf("w"), iota("vocab"))),
    ]) {
      expect(fields(derived(node))).toEqual(fields(derived(logpFromLogits("policy", "w"))));
      expectMeaning(node);
    }
  });
});
