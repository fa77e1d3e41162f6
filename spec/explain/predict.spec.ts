// Predicted times: every dispatch at the rate of what it does, in all objectives, and what the text says of them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { predict, predictedMs } from "../../src/explain/predict.ts";
import { timeText } from "../../src/explain/units.ts";
import { builtIns, compile, explanationText } from "../../src/index.ts";

const rate = fc.double({ min: 1e-2, max: 1e4, noNaN: true });
const bytes = fc.nat(1e9);

describe("predicted times", () => {
  it("are bytes over the rate: of reading where nothing of logits' size is written, else of copying", () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, rate, rate, (read, written, small, readGbS, copyGbS) => {
        const ms = predictedMs({ read, written, small }, { readGbS, copyGbS });
        const rateUsed = written > 0 ? copyGbS : readGbS;
        expect(ms * rateUsed * 1e6).toBeCloseTo(read + written + small, 3);
      }),
    );
  });

  it("add up over the dispatches of both directions, for every objective that ships", () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(builtIns)), rate, rate, (name, read, copy) => {
        const explanation = compile(builtIns[name]!.make()).explain({ vocab: 1000 });
        const rates = { readGbS: read, copyGbS: copy };
        const { value, valueAndGrad } = predict(explanation, rates);
        expect(value.kernels).toHaveLength(explanation.value.kernels.length);
        expect(valueAndGrad.kernels).toHaveLength(explanation.valueAndGrad.kernels.length);
        const sum = valueAndGrad.kernels.reduce((total, ms) => total + ms, 0);
        expect(valueAndGrad.total).toBeCloseTo(sum, 9);
        // no dispatch is faster than all bytes at the faster rate
        const { moved, small } = explanation.valueAndGrad;
        const least = (moved + small) / Math.max(read, copy) / 1e6;
        expect(valueAndGrad.total).toBeGreaterThanOrEqual(least * (1 - 1e-12));
      }),
      { numRuns: 20 },
    );
  });

  it("stand beside the bytes, with where the rates come from; without rates, with how to get them", () => {
    const explanation = compile(builtIns["dpo"]!.make()).explain();
    const rates = { readGbS: 10, copyGbS: 20, source: "given" };
    const text = explanationText(explanation, { rates });
    expect(text).toContain("read at 10.0 GB/s, copied at 20.0 GB/s");
    expect(text).toMatch(/value and gradient: .*\n  predicted +9\.8\d ms in all/);
    expect(text).toMatch(/1\. read policy logits[^]*?32\.8 MB of logits read.* 3\.28 ms predicted/);
    const unknown = explanationText(explanation, { rates: null });
    expect(unknown).toContain("`prefc env --measure`");
    expect(unknown).not.toContain("predicted\n");
    expect(explanationText(explanation)).not.toContain("predicted");
  });

  it("are written with three digits and a unit", () => {
    expect([0.0421, 3.28349, 12.3456, 2345.6].map(timeText)).toEqual([
      "42.1 µs",
      "3.28 ms",
      "12.3 ms",
      "2.35 s",
    ]);
  });
});
