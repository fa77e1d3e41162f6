// State on the GPU: it goes in with a run and comes out of it, and a compiled objective keeps none.
import { describe, expect, it } from "vitest";
import {
  compile,
  constant,
  count,
  evaluate,
  mean,
  objective,
  square,
  state,
  stopGrad,
  type Device,
} from "../../src/index.ts";
import { withDevice } from "../support/device.ts";
import { code, scores, scoresOf } from "./scores.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const about = { source: "a test" };

describe("state across steps", () => {
  /** Welford's update before use: the mean and the number of all rewards so far. */
  const running = objective(
    "centred by a running mean",
    ["w"],
    ({ reward, y }) => {
      const [before, seen] = [state("mean", 0), state("count", 0)];
      const after = seen.plus(count("batch"));
      const moved = mean("batch", reward(y.w)).minus(before);
      const now = before.plus(moved.times(count("batch")).over(after));
      return {
        loss: square(reward(y.w).minus(stopGrad(now))),
        metrics: { centre: now },
        next: { mean: now, count: after },
      };
    },
    about,
  );

  it("is returned by each step and given to the next, and the objective keeps nothing", async () => {
    const compiled = compile(running, { device });
    const batches = [3, 1, 17].map((examples) => scores(examples, examples));
    const rewards: number[] = [];
    let held = running.state;
    for (const batch of batches) {
      rewards.push(...scoresOf(batch, "w"));
      const value = await compiled.value(batch, { state: held });
      const result = await compiled.valueAndGrad(batch, { state: held });
      expect(result).toMatchObject(value);
      const average = rewards.reduce((total, one) => total + one, 0) / rewards.length;
      expect(result.state["count"]).toBe(rewards.length);
      // three roundings of f32 in units of rewards below 8
      expect(Math.abs(result.state["mean"]! - average)).toBeLessThan(8 * 4 * 2 ** -24);
      expect(result.metrics["centre"]).toBe(result.state["mean"]);
      const [reference] = evaluate([running.next["mean"]!], batch, { ...held });
      expect(Math.abs(result.state["mean"]! - reference!.data[0]!)).toBeLessThan(8 * 4 * 2 ** -24);
      held = result.state;
    }
    const again = await compiled.value(batches[0]!);
    expect(again.state["count"]).toBe(3);
    compiled.dispose();
  });

  it("is not computed into the gradient", async () => {
    const compiled = compile(running, { device });
    const { gradients } = await compiled.valueAndGrad(scores(4, 4), {
      state: { mean: 1, count: 2 },
    });
    const rewards = [...scoresOf(scores(4, 4), "w")];
    const centre = (2 + rewards.reduce((total, one) => total + one, 0)) / 6;
    const given = gradients["reward.w"] as Float32Array;
    // f32 rounds differences of rewards below 8
    rewards.forEach((one, i) =>
      expect(Math.abs((2 * (one - centre)) / 4 - given[i]!)).toBeLessThan(8 * 2 ** -22),
    );
    compiled.dispose();
  });

  it("must be whole, known and finite", async () => {
    const compiled = compile(running, { device });
    const step = (held: Record<string, number>): Promise<string> =>
      code(compiled.value(scores(2, 2), { state: held }));
    expect(await step({ mean: 1 })).toMatch(/^missing-state: The state has no "count"/);
    expect(await step({ mean: 1, count: 1, variance: 0 })).toMatch(/^unknown-state: .*"variance"/);
    expect(await step({ mean: Number.NaN, count: 1 })).toMatch(
      /^state-not-finite: State "mean" is NaN/,
    );
    expect(await code(compiled.value(scores(2, 2), { params: { mean: 1 } }))).toMatch(
      /^unknown-parameter: .*give it as state/,
    );
    expect(await step({ mean: 1, count: -2 })).toMatch(/^division-by-zero: .*count/);
    compiled.dispose();
  });

  it("is empty for an objective without one", async () => {
    const compiled = compile(
      objective("plain", ["w"], ({ reward, y }) => reward(y.w).plus(constant(0)), about),
      { device },
    );
    expect((await compiled.value(scores(2, 2))).state).toEqual({});
    expect(await code(compiled.value(scores(2, 2), { state: { mean: 0 } }))).toMatch(
      /^unknown-state: The objective has no state "mean" \(it has none\)/,
    );
    compiled.dispose();
  });
});
