// The interpreter of kernels itself: whole numbers wrap, single floats are rounded after each operation, lanes that left stay
// away, and what a device may do anything with is an error.
import { describe, expect, it } from "vitest";
import { runKernel } from "../../src/host/run.ts";
import * as buffers from "../../src/kernel/buffer.ts";
import * as k from "../../src/kernel/kernel.ts";
import type { Statement, Value } from "../../src/kernel/kernel.ts";
import { noExtents } from "../support/extents.ts";

const lanes = 4;

/** Runs statements on four lanes; gives the words of a buffer of as many elements as that. */
function run(body: readonly Statement[], length: number = lanes): Float32Array {
  const rows = new Uint32Array(length);
  runKernel(
    {
      name: "example",
      bindings: [buffers.writes(buffers.rows)],
      workgroup: lanes,
      shared: [{ name: "partial", element: { type: "f32", lanes: 1 }, length: lanes }],
      body,
      grid: "work",
    },
    { buffers: { rows }, uniforms: noExtents, params: [], grid: [1, 1, 1], subgroupSize: 2 },
  );
  return new Float32Array(rows.buffer);
}
const put = (value: Value, at: Value = k.lane): Statement =>
  k.assign(k.load(buffers.rows, at), value);
const real = (value: Value): Value => k.convert("f32", value);
const valueOf = (value: Value): number => run([put(value)])[0]!;
const isFirst = k.infix(k.lane, "==", k.u32(0));

describe("a kernel on the host", () => {
  it.each([
    ["wraps whole numbers", real(k.minus(k.u32(0), k.u32(1))), 2 ** 32],
    ["divides them without a rest", real(k.infix(k.u32(7), "/", k.u32(2))), 3],
    ["multiplies them modulo 2^32", real(k.times(k.u32(65_537), k.u32(65_537))), 131_073],
    ["rounds single floats", k.plus(k.f32(2 ** 24), k.f32(1)), 2 ** 24],
    [
      "keeps what a pair adds",
      k.convert("f32", k.minus(k.plus(k.pair(2 ** 24), k.pair(1)), k.pair(2 ** 24))),
      1,
    ],
    ["tells the bits of a number", real(k.infix(k.bits("u32", k.f32(1)), ">>", k.u32(23))), 127],
    ["makes no number of 0 · ∞", k.times(k.f32(0), k.bits("f32", k.u32(0x7f800000))), Number.NaN],
    [
      "rounds to bf16 at ties to the even one",
      k.bits(
        "f32",
        k.infix(
          k.component(k.call("narrow_bf16", k.splat(k.f32(1 + 2 ** -8), 4)), 0),
          "<<",
          k.u32(16),
        ),
      ),
      1,
    ],
  ])("%s", (_what, value, right) => {
    expect(valueOf(value)).toBe(right);
  });

  it("takes the branches of its lanes, and lanes that left stay away", () => {
    const [i, sum] = [k.variable("i", "u32"), k.variable("sum")];
    const body = [
      k.varValue(sum, k.f32(0)),
      k.loop(i, k.u32(0), k.lane, k.u32(1), [k.assign(sum, k.plus(sum, k.f32(1)))]),
      k.when(isFirst, [put(k.f32(9)), k.leave], [put(sum)]),
      put(k.plus(sum, k.f32(10))),
    ];
    expect([...run(body)]).toEqual([9, 11, 12, 13]);
  });

  it("tells the lanes of a subgroup, and no others, what they have", () => {
    expect([...run([put(k.subgroup("add", real(k.lane)))])]).toEqual([1, 1, 5, 5]);
    expect([...run([put(k.subgroup("max", real(k.lane)))])]).toEqual([1, 1, 3, 3]);
  });

  it("hands values from lane to lane over a barrier", () => {
    const partial = { name: "partial", element: { type: "f32", lanes: 1 } } as const;
    const body = [
      k.assign(k.load(partial, k.lane), real(k.lane)),
      k.barrier,
      put(k.load(partial, k.minus(k.u32(lanes - 1), k.lane))),
    ];
    expect([...run(body)]).toEqual([3, 2, 1, 0]);
  });

  it("is an error where some lanes do not reach a barrier", () => {
    expect(() => run([k.when(isFirst, [k.barrier])])).toThrow(
      "a barrier that some lanes of a workgroup do not reach",
    );
  });

  it("is an error where something is written beyond the end of a buffer, and reads 0 there", () => {
    expect(() => run([put(k.f32(1))], lanes - 1)).toThrow("lies beyond the end of a buffer");
    expect(valueOf(k.load(buffers.rows, k.u32(99)))).toBe(0);
  });
});
