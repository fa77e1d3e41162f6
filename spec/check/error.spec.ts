// The error measure: its scale, and that nothing non-finite slips through it.

import { describe, expect, it } from "vitest";
import {
  acceptedGpuError,
  gradientError,
  lossError,
  metricError,
  smallestScale,
} from "../../src/check/error.ts";

describe("the error of a loss or gradient", () => {
  it("is relative to the right value", () => {
    expect(lossError(1.5, 1)).toBe(0.5);
    expect(lossError(-3, -2)).toBe(0.5);
    expect(lossError(0, 0)).toBe(0);
  });
  it("is relative to the largest entry of a gradient", () => {
    expect(gradientError([4, 0.5], [4, 0])).toBe(0.125);
    expect(gradientError([0, 0], [-4, 0])).toBe(1);
  });
  it("becomes absolute below 2^-102, where f32 may flush to zero", () => {
    expect(lossError(0, 2 ** -126)).toBe(2 ** -24);
    expect(lossError(0, 1e-200)).toBeLessThan(1e-160);
    expect(lossError(2 * smallestScale, smallestScale)).toBe(1);
  });
  it("is infinite for a value that is not finite and not expected", () => {
    expect(lossError(NaN, 1)).toBe(Infinity);
    expect(lossError(1, NaN)).toBe(Infinity);
    expect(lossError(Infinity, -Infinity)).toBe(Infinity);
    expect(gradientError([1, NaN], [1, 0])).toBe(Infinity);
  });
  it("is zero where the same infinity is right", () => {
    expect(lossError(-Infinity, -Infinity)).toBe(0);
    expect(gradientError([NaN, 1], [NaN, 1])).toBe(0);
  });
  it("is infinite when the lengths differ", () => {
    expect(gradientError([1, 2], [1])).toBe(Infinity);
  });
});

describe("the error that a kernel may have", () => {
  it("is 1e-5, or twice the source's own error", () => {
    expect(acceptedGpuError()).toBe(1e-5);
    expect(acceptedGpuError(1e-7)).toBe(1e-5);
    expect(acceptedGpuError(1e-3)).toBe(2e-3);
  });
  it("is not widened by a source that overflowed", () => {
    expect(acceptedGpuError(NaN)).toBe(1e-5);
    expect(acceptedGpuError(Infinity)).toBe(1e-5);
  });
});

describe("the error of a metric", () => {
  it("is absolute below 1 and relative above", () => {
    expect(metricError(0.5, 0.25)).toBe(0.25);
    expect(metricError(-6, -4)).toBe(0.5);
  });
  it("is infinite for a value that is not finite and not expected", () => {
    expect(metricError(NaN, 0)).toBe(Infinity);
    expect(metricError(0, Infinity)).toBe(Infinity);
    expect(metricError(-Infinity, -Infinity)).toBe(0);
  });
});
