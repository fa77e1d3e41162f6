// The ends of domains on the adapter at hand: the table that every engine is held to, in pairs of floats beside the vocabulary
// and in single floats along it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  compile,
  fromResponses,
  objective,
  openDevice,
  PrefcError,
  sum,
  type Device,
} from "../../src/index.ts";
import { expectMeaning } from "../support/meanings.ts";
import { table, type Meaning } from "../support/undefined.ts";

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => {
  expect(device.takeErrors()).toEqual([]);
  device.dispose();
});

const found = async (of: Promise<number>): Promise<Meaning> => {
  try {
    return await of;
  } catch (error) {
    if (error instanceof PrefcError) return null;
    throw error;
  }
};

describe.each(table)("$formula at $x", ({ of, x, value, slope }) => {
  it("means the same in pairs of floats", async () => {
    const made = compile(
      objective("f", ["y"], ({ reward, y }) => of(reward(y.y)), { source: "own" }),
      { device },
    );
    const batch = fromResponses(
      { y: { labels: [0], lengths: [1], reward: [x] } },
      { vocab_size: 1 },
    );
    expectMeaning(await found(made.value(batch).then(({ loss }) => loss)), value, 1e-6);
    const run = made
      .valueAndGrad(batch)
      .then(({ gradients }) => (gradients["reward.y"] as Float32Array)[0]!);
    expectMeaning(await found(run), slope, 1e-6);
  });

  it("means the same in single floats", async () => {
    const made = compile(
      objective("f", ["y"], ({ policy, y }) => sum("token", sum("vocab", of(policy.logits(y.y)))), {
        source: "own",
      }),
      { device },
    );
    const batch = fromResponses({
      y: { labels: [0], lengths: [1], policy_logits: Float32Array.of(x) },
    });
    expectMeaning(await found(made.value(batch).then(({ loss }) => loss)), value, 1e-5);
    const run = made
      .valueAndGrad(batch)
      .then(({ gradients }) => (gradients["policy"] as Float32Array)[0]!);
    expectMeaning(await found(run), slope, 1e-5);
  });
});
