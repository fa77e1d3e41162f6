// `prefc check` itself: that it passes what is right, and that it finds what is wrong. A gradient is made wrong by
// an operator whose derivative is a lie, which only differences can see.

import { describe, expect, it } from "vitest";
import { checkObjective } from "../../src/check/check.ts";
import type { BatchReport } from "../../src/check/report.ts";
import type { Node } from "../../src/core/node.ts";
import type { Algebra } from "../../src/core/operators/row.ts";
import { unaryOps } from "../../src/core/ops.ts";
import {
  builtIn,
  count,
  log,
  mean,
  neg,
  objective,
  relu,
  square,
  sum,
  type Objective,
} from "../../src/index.ts";

const reports = async (
  made: Objective,
  batches: number,
  seed = 5,
): Promise<readonly BatchReport[]> => {
  const all: BatchReport[] = [];
  for await (const report of checkObjective(made, { batches, seed, device: null }))
    all.push(report);
  return all;
};

describe("checking an objective without a GPU", () => {
  it.each(["dpo", "wpo", "sft"])("finds nothing wrong with %s", async (name) => {
    const all = await reports(builtIn(name), 4);
    expect(all).toHaveLength(name === "sft" ? 4 : 5);
    for (const { failures, differences, gpu } of all) {
      expect(failures).toEqual([]);
      expect(differences).toBeGreaterThan(0);
      expect(gpu).toBeNull();
    }
  });
  it("makes the same batches from the same seed", async () => {
    expect(await reports(builtIn("sft"), 3, 9)).toEqual(await reports(builtIn("sft"), 3, 9));
    expect(await reports(builtIn("sft"), 3, 9)).not.toEqual(await reports(builtIn("sft"), 3, 10));
  });
  it("finds a derivative that is lost, so that the gradient is 0", async () => {
    const squares = objective("squares", ["w"], ({ policy, y }) => square(policy.logps(y.w)), {
      source: "this test",
    });
    const row = unaryOps.square as { derivative: unknown };
    const honest = row.derivative;
    row.derivative = null;
    try {
      const wrong = await reports(squares, 3);
      expect(wrong.map(({ failures }) => failures.length)).toEqual([1, 1, 1]);
    } finally {
      row.derivative = honest;
    }
  });
  it("finds a wrong derivative", async () => {
    const right = objective("squares", ["w"], ({ policy, y }) => square(policy.logps(y.w)), {
      source: "this test",
    });
    expect((await reports(right, 3)).flatMap(({ failures }) => failures)).toEqual([]);
    const row = unaryOps.square as { derivative: unknown };
    const honest = row.derivative;
    row.derivative = (_k: unknown, x: Node): Node => x;
    try {
      const wrong = await reports(right, 3);
      expect(wrong.every(({ failures }) => failures.length === 1)).toBe(true);
      expect(wrong[0]!.failures[0]).toMatch(
        /^the derivative of policy\.logits\.w at entry \d+ is \S+ away from central differences, more than 1e-6$/,
      );
    } finally {
      row.derivative = honest;
    }
  });
  it("finds a derivative that takes another share at a kink, which only the first step shows", async () => {
    const hinged = objective(
      "hinged",
      ["w"],
      ({ policy, ref, y }) => {
        const h = policy.logps(y.w).minus(ref.logps(y.w));
        return relu(h).times(3).plus(h);
      },
      { source: "this test" },
    );
    expect((await reports(hinged, 3)).flatMap(({ failures }) => failures)).toEqual([]);
    const row = unaryOps.relu as { derivative: unknown };
    const honest = row.derivative;
    row.derivative = (k: Algebra<Node>, x: Node): Node => k.toReal(k.ge(x, k.constant(0)));
    try {
      const wrong = await reports(hinged, 3);
      expect(wrong.map(({ mode, failures }) => [mode, failures.length])).toEqual([
        ["ordinary", 0],
        ["ordinary", 0],
        ["ordinary", 0],
        ["first step", 1],
      ]);
    } finally {
      row.derivative = honest;
    }
  });
  it("reports what the interpreter refuses and goes on", async () => {
    const undefinedValue = objective(
      "log of a negative number",
      ["w"],
      ({ policy, y }) => log(policy.logps(y.w)),
      {
        source: "this test",
      },
    );
    const all = await reports(undefinedValue, 2);
    expect(all.map(({ failures }) => failures.length)).toEqual([1, 1]);
    expect(all[0]!.failures[0]).toContain("not a number");
  });
  it("takes differences of rewards and data per token", async () => {
    const scored = objective(
      "scored",
      ["w", "l"],
      ({ policy, reward, tokens, y }) =>
        neg(reward(y.w).minus(reward(y.l))).times(
          sum("token", policy.logp(y.w).times(tokens("weight", y.w))),
        ),
      { source: "this test" },
    );
    expect((await reports(scored, 4)).flatMap(({ failures }) => failures)).toEqual([]);
  });
  it("gives an objective that counts examples at least two, and others a single one at times", async () => {
    const variance = objective(
      "sample variance",
      ["w"],
      ({ policy, y }) => {
        const h = policy.logps(y.w);
        return sum("batch", square(h.minus(mean("batch", h)))).over(count("batch").minus(1));
      },
      { source: "this test" },
    );
    const all = await reports(variance, 10);
    expect(all.flatMap(({ failures }) => failures)).toEqual([]);
    expect((await reports(builtIn("sft"), 10)).map(({ examples }) => examples)).toContain(1);
  });
  it("refuses a parameter that the objective lacks", async () => {
    const run = checkObjective(builtIn("dpo"), {
      batches: 1,
      seed: 1,
      device: null,
      params: { betta: 1 },
    });
    await expect(run.next()).rejects.toMatchObject({ code: "unknown-parameter" });
  });
});
