// Lists of responses in the language: what reductions, running forms and pairs mean, by loops, and what is refused.
import { describe, expect, it } from "vitest";
import { emitTorch } from "../../src/torch/emit.ts";
import { given } from "../../src/dsl/given.ts";
import {
  evaluate,
  iota,
  list,
  max,
  mean,
  objective,
  other,
  prompt,
  runningLogSumExp,
  runningMax,
  runningSum,
  sum,
  type AnyExpr,
} from "../../src/index.ts";
import { errorOf } from "../support/error.ts";
import { listBatch, plackett } from "../support/lists.ts";

const lengths = [[1, 2, 1], [2], [1, 1, 3, 1]];
const scores = [0.5, -1, 2, 3, -0.5, 0.25, -2, 1];
const batch = listBatch(lengths, 5, { reward: scores });
const { policy, y, reward } = given("a test", [list("y")]);
const r = reward(y.y);

/** The scores of each example, and what a formula makes of them. */
const groups = [scores.slice(0, 3), scores.slice(3, 4), scores.slice(4)];
const valuesOf = (e: AnyExpr): readonly number[] => [...evaluate([e.node], batch, {})[0]!.data];
const near = (e: AnyExpr, of: (group: readonly number[]) => readonly number[]): void => {
  const right = groups.flatMap(of);
  const found = valuesOf(e);
  expect(found).toHaveLength(right.length);
  found.forEach((value, n) => expect(value).toBeCloseTo(right[n]!, 12));
};
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe("lists of responses", () => {
  it("reduce to one number per example", () => {
    near(sum("response", r), (g) => [total(g)]);
    near(mean("response", r), (g) => [total(g) / g.length]);
    near(max("response", r), (g) => [Math.max(...g)]);
    near(y.y.size, (g) => [g.length]);
  });

  it("have tokens of each response", () => {
    expect(valuesOf(y.y.count)).toEqual(lengths.flat());
  });

  it("run from either end", () => {
    near(runningSum("response", r, { from: "start" }), (g) =>
      g.map((_, k) => total(g.slice(0, k + 1))),
    );
    near(runningSum("response", r, { from: "end" }), (g) => g.map((_, k) => total(g.slice(k))));
    near(runningMax("response", r, { from: "end" }), (g) =>
      g.map((_, k) => Math.max(...g.slice(k))),
    );
    near(runningLogSumExp("response", r, { from: "end" }), (g) =>
      g.map((_, k) => Math.log(total(g.slice(k).map(Math.exp)))),
    );
  });

  it("run far from 0 without overflow", () => {
    const far = r.times(1000);
    near(runningLogSumExp("response", far, { from: "start" }), (g) =>
      // what is less by hundreds adds nothing
      g.map((_, k) => 1000 * Math.max(...g.slice(0, k + 1))),
    );
  });

  it("are compared in pairs, in either order", () => {
    near(sum("other", other(r).minus(r)), (g) => g.map((x) => total(g) - g.length * x));
    const before = iota("other", y.y).lt(iota("response", y.y));
    near(sum("other", other(r).times(1)), (g) => [total(g)]);
    near(sum("response", sum("other", r.minus(other(r)).times(r))), (g) => [
      total(g.flatMap((x) => g.map((z) => (x - z) * x))),
    ]);
    expect(before.node.dtype).toBe("bool");
  });

  it("do not depend on the order of the responses, unless a form runs along it", () => {
    const loss = objective(
      "pairs",
      [list("y")],
      (g) => sum("response", sum("other", other(g.reward(g.y.y)).minus(g.reward(g.y.y)))),
      { source: "a test" },
    );
    const turned = listBatch(lengths, 5, {
      reward: groups.flatMap((group) => group.toReversed()),
    });
    const [one, two] = [batch, turned].map((of) => evaluate([loss.loss], of, {})[0]!.data);
    one!.forEach((value, n) => expect(two![n]).toBeCloseTo(value, 12));
  });

  const wrong: readonly (readonly [
    what: string,
    act: () => unknown,
    code: string,
    says: RegExp,
  ])[] = [
    [
      "a loss that ranges over responses",
      () => objective("bad", [list("y")], (g) => g.policy.logps(g.y.y) as never, { source: "x" }),
      "axis-left-over",
      /still ranges over the responses of "y"; reduce it first, e\.g\. sum\("response", …\)/,
    ],
    [
      "the batch before the responses",
      () => sum("batch", r),
      "ragged-order",
      /still ranges over the responses of "y".*reduce "response" before "batch"/,
    ],
    [
      "the responses before their tokens",
      () => sum("response", policy.logp(y.y)),
      "ragged-order",
      /reduce "token" before "response"/,
    ],
    [
      "pairs of tokens",
      () => other(r).minus(policy.logp(y.y) as never),
      "pairs-of-tokens",
      /over tokens and over the other responses of a list; reduce the tokens first/,
    ],
    [
      "another than the number of a response",
      () => other(policy.logp(y.y) as never),
      "pairs-per-response",
      /give one number per response of a list/,
    ],
    [
      "no end",
      () => runningSum("response", r, {} as never),
      "option-value",
      /no end is named; give \{ from: "start" \} or \{ from: "end" \}/,
    ],
    [
      "an end that there is not",
      () => runningSum("response", r, { from: "top" as never }),
      "option-value",
      /from is the string "top"; give one of "start" and "end"/,
    ],
    ["the prompt of a list", () => prompt(y.y as never), "prompt-of-list", /share one prompt/],
    [
      "an axis of responses of a single one",
      () => iota("response", given("a test", ["w"]).y.w as never),
      "response-not-a-list",
      /an example has one response "w", so it has no response axis/,
    ],
    [
      "tokens of a single response beside a list",
      () => {
        const both = given("a test", ["w", list("y")]);
        return both.policy.logp(both.y.w).minus(both.policy.logps(both.y.y) as never);
      },
      "token-axes-differ",
      /the responses of "y".*the tokens of "w"/,
    ],
    [
      "a file of PyTorch",
      () => emitTorch(plackett, { from: "logps" }),
      "emit-beyond-a-row",
      /ranges over the responses of "y".*compile it instead/,
    ],
  ];
  it.each(wrong)("refuse %s", (_what, act, code, says) => {
    const [found, sentence] = errorOf(act);
    expect([found, sentence]).toEqual([code, expect.stringMatching(says)]);
  });
});
