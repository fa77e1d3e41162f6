// The conversions of the 16-bit types in kernels, on the adapter at hand: every bit pattern is read exactly, and writing
// rounds to the nearest number and at a tie to the even one. pack2x16float is not used to write, because it does not:
// SwiftShader rounds subnormal numbers down.
import { describe, expect, it } from "vitest";
import { halfBits, halfValue, type HalfType } from "../../src/core/storage.ts";
import { type Device } from "../../src/index.ts";
import { readBuffer } from "../../src/runtime/device/read.ts";
import { bufferUsage } from "../../src/runtime/device/usage.ts";
import { functions } from "../../src/wgsl/prelude.generated.ts";
import { withDevice } from "../support/device.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

/** The functions of the prelude that turn entries of 16 bits into numbers and back. */
const storage = ["widen_bf16", "widen_f16", "narrow_bf16", "narrow_f16"]
  .map((name) => functions[name]!.source)
  .join("\n");

/** A function of four words to four words at every group of four. */
async function mapped(body: string, words: Uint32Array<ArrayBuffer>): Promise<Uint32Array> {
  const { gpu } = device;
  const code = `${storage}
@group(0) @binding(0) var<storage, read> given: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> made: array<vec4<u32>>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let v = given[id.x];
  made[id.x] = ${body};
}`;
  const pipeline = await gpu.createComputePipelineAsync({
    layout: "auto",
    compute: { module: gpu.createShaderModule({ code }) },
  });
  const size = words.byteLength;
  const [from, to] = [0, 1].map(() =>
    gpu.createBuffer({
      size,
      usage: bufferUsage.storage | bufferUsage.copyTarget | bufferUsage.copySource,
    }),
  ) as [GPUBuffer, GPUBuffer];
  gpu.queue.writeBuffer(from, 0, words);
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  const entries = [from, to].map((buffer, binding) => ({ binding, resource: { buffer } }));
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(Math.ceil(words.length / 256));
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  const result = new Uint32Array(await readBuffer(device, to, 0, size, "reading conversions"));
  from.destroy();
  to.destroy();
  return result;
}

const singles = new Float32Array(1);
const words = new Uint32Array(singles.buffer);
const bitsOf = (x: number): number => {
  singles[0] = x;
  return words[0]!;
};
const isNaNBits = (bits: number): boolean => (bits & 0x7fffffff) > 0x7f800000;

describe.each(["f16", "bf16"] as const)("%s", (dtype: HalfType) => {
  it("is read exactly, whatever the bits", async () => {
    // four numbers in the two words of each group, the rest unused
    const given = new Uint32Array(0x10000);
    for (let n = 0; n < 0x4000; n++) {
      const of = (j: number): number => 4 * n + j;
      given.set([of(0) | (of(1) << 16), of(2) | (of(3) << 16)], 4 * n);
    }
    const wide = await mapped(`widen_${dtype}(v.xy)`, given);
    const wrong = [...wide].flatMap((read, bits) => {
      const value = halfValue(bits, dtype);
      const right = Number.isNaN(value) ? isNaNBits(read) : read === bitsOf(value);
      return right ? [] : [`${bits.toString(16)} was read as ${read.toString(16)}`];
    });
    expect(wrong).toEqual([]);
  });

  it("is written as the nearest number, at a tie the even one", async () => {
    const given: number[] = [];
    for (let bits = 0; bits < 0x8000; bits++) {
      const [value, next] = [halfValue(bits, dtype), halfValue(bits + 1, dtype)];
      if (!Number.isFinite(value)) continue;
      const middle = bitsOf(Number.isFinite(next) ? (value + next) / 2 : 1.5 * value);
      given.push(bitsOf(value), middle - 1, middle, middle + 1);
    }
    // the least and the largest f32, infinity and some NaN
    given.push(1, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fffffff, 0x7fc00000);
    while (given.length % 128 !== 0) given.push(0);
    const both = Uint32Array.from([...given, ...given.map((bits) => bits + 2 ** 31)]);
    const made = await mapped(`vec4<u32>(narrow_${dtype}(bitcast<vec4<f32>>(v)), 0u, 0u)`, both);
    const wrong = [...both].flatMap((bits, i) => {
      words[0] = bits;
      // four numbers to the two words at the start of each group
      const pair = made[4 * (i >> 2) + ((i % 4) >> 1)]!;
      const written = i % 2 === 0 ? pair & 0xffff : pair >>> 16;
      const right = isNaNBits(bits)
        ? Number.isNaN(halfValue(written, dtype))
        : written === halfBits(singles[0]!, dtype);
      return right ? [] : [`${bits.toString(16)} was written as ${written.toString(16)}`];
    });
    expect(wrong).toEqual([]);
  });
});
