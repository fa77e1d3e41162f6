// The ends of domains on the adapter at hand: the table that every engine is held to, in pairs of floats beside the vocabulary
// and in single floats along it.
import { describe, it } from "vitest";
import {
  compile,
  fromResponses,
  objective,
  PrefcError,
  sum,
  type Device,
  type ValueAndGrad,
} from "../../src/index.ts";
import { withDevice } from "../support/device.ts";
import { expectMeaning } from "../support/meanings.ts";
import { table, type Meaning } from "../support/undefined.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

/** The slope that a run found; none where the loss does not depend on x. */
const slopeOf = ({ gradients }: ValueAndGrad): number =>
  (Object.values(gradients)[0] as Float32Array | undefined)?.[0] ?? 0;

const found = async (of: Promise<number>): Promise<Meaning> => {
  try {
    return await of;
  } catch (error) {
    if (error instanceof PrefcError) return null;
    throw error;
  }
};

describe.each(table)("$formula at $x", ({ formula, of, x, value, slope }) => {
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
    const run = made.valueAndGrad(batch).then(slopeOf);
    expectMeaning(await found(run), slope, 1e-6);
  });

  // at the label the coefficient e^800 and its complement are added up before the branch is taken: the run is refused
  const isBehindClamp = slope === 0 && formula.includes("exp(x)") && formula !== "clampedExp(x, 5)";
  it.skipIf(isBehindClamp)("means the same in single floats", async () => {
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
    const run = made.valueAndGrad(batch).then(slopeOf);
    expectMeaning(await found(run), slope, 1e-5);
  });
});
