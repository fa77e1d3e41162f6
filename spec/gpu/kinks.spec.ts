// Kinks on the adapter: the shares of docs/kinks.md; a first step that is exact where both models are logits of one layout; and a
// check that blames nobody where a cached log-probability leaves the side to rounding.
import { describe, expect, it } from "vitest";
import { againstGpu, interpret } from "../../src/check/compare.ts";
import { checkObjective } from "../../src/check/check.ts";
import { noSlack } from "../../src/check/kinks.ts";
import type { BatchReport } from "../../src/check/report.ts";
import {
  builtIn,
  clamp,
  compile,
  logSigmoid,
  maximum,
  neg,
  relu,
  type Device,
} from "../../src/index.ts";
import { inMode, start as firstStep } from "../../src/sample/modes.ts";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { kinked, shares, spellings, start, type Kinked } from "../support/kinks.ts";
import { withDevice } from "../support/device.ts";

describe("kinks on the adapter", () => {
  let device: Device;
  withDevice((opened) => {
    device = opened;
  });
  const slope = async (loss: Kinked): Promise<number> => {
    const compiled = compile(kinked(loss), { device });
    const { gradients } = await compiled.valueAndGrad(start);
    compiled.dispose();
    // the row of the chosen token, at its label
    return (gradients["policy"] as Float32Array | undefined)?.[1] ?? 0;
  };

  it("hands on the shares of the page", async () => {
    const whole = await slope((x) => x);
    for (const [name, spelling] of Object.entries(spellings))
      expect((await slope(spelling)) / whole, name).toBeCloseTo(shares.get(name)!, 6);
  });

  it.each([
    ["dpop", builtIn("dpop")],
    ["minor-dpo", builtIn("minor-dpo")],
    ["kto-pair", builtIn("kto-pair")],
    ["padll", builtIn("padll")],
    ["gkd", builtIn("gkd")],
    ["maximum", kinked((h) => neg(logSigmoid(h.minus(maximum(neg(h), 0).times(50)))))],
    ["relu", kinked((h) => neg(logSigmoid(h.minus(relu(neg(h)).times(50)))))],
    ["clamp", kinked((h) => neg(logSigmoid(h.minus(clamp(neg(h), { min: 0 }).times(50)))))],
  ])("takes the interpreter's side of %s, with both models as logits", async (_name, made) => {
    const compiled = compile(made, { device });
    const { inputs, declared, responses } = compiled.program;
    for (let seed = 1; seed <= 6; seed++) {
      const source = random(seed, 0);
      const size = { examples: 3, tokens: 3, vocab: [3, 300] } as const;
      const batch = inMode(
        randomBatch({ responses, inputs, declared }, size, source),
        firstStep,
        source,
      );
      const truth = interpret(compiled, batch, {});
      const run = await againstGpu(compiled, batch, {}, truth, noSlack);
      // where the gradient is 0, the entries of π are what it is made of
      const size1 = Math.max(truth.largest, 1e-2);
      expect((run.gradient * Math.max(truth.largest, 2 ** -102)) / size1).toBeLessThan(1e-5);
    }
    compiled.dispose();
  });

  it.each(["dpop", "minor-dpo", "kto-pair", "padll", "aqfl"])(
    "blames nobody for %s where a cached reference leaves the side to rounding, and names the kink",
    async (name) => {
      const reports: BatchReport[] = [];
      for (const seed of [1, 3, 4, 5])
        for await (const report of checkObjective(builtIn(name), {
          batches: 1,
          seed,
          device,
          heights: { ref: "logp" },
        }))
          reports.push(report);
      expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
      const first = reports.filter(({ mode }) => mode === "first step");
      expect(first).toHaveLength(4);
      for (const { kinks } of first) expect(kinks.length).toBeGreaterThan(0);
      expect(first[0]!.kinks[0]!.point).toContain("up to the rounding of log-probabilities");
    },
  );

  it("says which batch took the other side", async () => {
    const turned: boolean[] = [];
    for (let seed = 1; seed <= 12; seed++)
      for await (const report of checkObjective(builtIn("minor-dpo"), {
        batches: 1,
        seed,
        device,
        heights: { ref: "logp" },
      }))
        if (report.mode === "first step") turned.push(report.turned);
    expect(turned).toContain(true);
  });
});
