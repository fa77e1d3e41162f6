// Lists of responses on the adapter: every construct against the interpreter, and laws that need no second engine.
import { describe, expect, it } from "vitest";
import { checkObjective } from "../../src/check/check.ts";
import { gradientError } from "../../src/check/error.ts";
import { compile, dpo, fromResponses, type Device } from "../../src/index.ts";
import { seed } from "../seed.ts";
import { withDevice } from "../support/device.ts";
import { listBatch, listObjectives, logitsOf, plackett } from "../support/lists.ts";
import { expectAgreementOf } from "./agree.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

describe("lists of responses", () => {
  it.each(listObjectives)("agree with the interpreter: $name", async (of) => {
    for await (const { failures } of checkObjective(of, { batches: 3, seed, device }))
      expect(failures).toEqual([]);
  });

  it("of two are Bradley and Terry's pairs", async () => {
    const vocab = 7;
    const [w, l] = [logitsOf(3 * vocab, 1), logitsOf(4 * vocab, 2)];
    const [refW, refL] = [logitsOf(3 * vocab, 3), logitsOf(4 * vocab, 4)];
    const row = (data: Float32Array, n: number): Float32Array =>
      data.subarray(n * vocab, (n + 1) * vocab);
    // w0, l0 and w1, l1 follow each other in a list
    const joined = (a: Float32Array, b: Float32Array): Float32Array =>
      Float32Array.from(
        [row(a, 0), row(a, 1), row(b, 0), row(a, 2), row(b, 1), row(b, 2), row(b, 3)].flatMap(
          (one) => [...one],
        ),
      );
    const [pairs, lists] = [
      fromResponses({
        w: { labels: [[0, 1], [2]], policy_logits: w, ref_logits: refW },
        l: { labels: [[3], [4, 5, 6]], policy_logits: l, ref_logits: refL },
      }),
      fromResponses({
        y: {
          labels: [
            [[0, 1], [3]],
            [[2], [4, 5, 6]],
          ],
          policy_logits: joined(w, l),
          ref_logits: joined(refW, refL),
        },
      }),
    ];
    const [pairwise, listwise] = [compile(dpo(), { device }), compile(plackett, { device })];
    const right = await pairwise.valueAndGrad(pairs);
    const { loss, gradients } = await listwise.valueAndGrad(lists);
    pairwise.dispose();
    listwise.dispose();
    expect(loss).toBeCloseTo(right.loss, 6);
    const both = joined(
      right.gradients["policy.w"] as Float32Array,
      right.gradients["policy.l"] as Float32Array,
    );
    expect(gradientError(gradients["policy.y"] as Float32Array, [...both])).toBeLessThan(1e-6);
  });

  it("of 2 to 64 responses are one program", async () => {
    const compiled = compile(plackett, { device });
    const { length } = compiled.plan("valueAndGrad", 5).steps;
    const sizes = [2, 64, 3, 33];
    const lengths = sizes.map((size) => Array.from({ length: size }, (_, n) => 1 + (n % 3)));
    await expectAgreementOf(compiled, listBatch(lengths, 5));
    await expectAgreementOf(compiled, listBatch([[2], [1, 4]], 5));
    expect(compiled.plan("valueAndGrad", 5).steps).toHaveLength(length);
    compiled.dispose();
  });
});
