// Tensors larger than a binding, than 2^24 entries and, where it is asked for (npm run test:large), than 2^31 bytes: read
// and written in windows, in place. The rows are built so that every result is known in closed form: entry v of row r is
// half of (v + 3r) mod 8, so each row has the same eight logits over and over.
import { describe, expect, it } from "vitest";
import { unrounded } from "../../src/check/unrounded.ts";
import { bufferBytes } from "../../src/batch/logits.ts";
import { bytesPerEntry } from "../../src/core/storage.ts";
import {
  compile,
  fromResponses,
  sft,
  toHalf,
  type Device,
  type StorageType,
} from "../../src/index.ts";
import { windows } from "../../src/runtime/run/stack.ts";
import { readBuffer } from "../../src/runtime/device/read.ts";
import { withDevice } from "../support/device.ts";
import { bufferOf, everyUse } from "./placed.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const period = 8;
const logit = (row: number, v: number): number => ((v + 3 * row) % period) / 2;
/** log Σ_v e^z of a row: of each of the eight logits as many as there are. */
const logSumExp = (row: number, vocab: number): number =>
  Math.log(
    Array.from({ length: period }, (_, v) => {
      const count = Math.floor(vocab / period) + (v < vocab % period ? 1 : 0);
      return count * Math.exp(logit(row, v));
    }).reduce((a, b) => a + b),
  );
const labelOf = (row: number, vocab: number): number => (row * 7919 + 31) % vocab;
/** Every fifth row belongs to no token, and neither does the last one. */
const isUsed = (row: number, rows: number): boolean => row % 5 !== 2 && row !== rows - 1;

/** Logits on the device, from copies of their first eight rows. */
function filled(rows: number, vocab: number, dtype: StorageType): GPUBuffer {
  const numbers = Float32Array.from({ length: period * vocab }, (_, n) =>
    logit(Math.floor(n / vocab), n % vocab),
  );
  const few = bufferOf(device, dtype === "f32" ? numbers : toHalf(numbers, dtype));
  const size = bufferBytes(rows * vocab, dtype);
  const all = device.gpu.createBuffer({ size, usage: everyUse });
  const encoder = device.gpu.createCommandEncoder();
  for (let from = 0; from < size; from += few.size)
    encoder.copyBufferToBuffer(few, 0, all, from, Math.min(few.size, size - from));
  device.gpu.queue.submit([encoder.finish()]);
  few.destroy();
  return all;
}

interface Size {
  readonly rows: number;
  readonly vocab: number;
  readonly dtype: StorageType;
}

/** Runs the cross-entropy of the used rows in place, and compares the loss and the gradient of some rows. */
async function expectRight({ rows, vocab, dtype }: Size): Promise<void> {
  const buffer = filled(rows, vocab, dtype);
  const used = Array.from({ length: rows }, (_, row) => row).filter((row) => isUsed(row, rows));
  const batch = fromResponses(
    {
      w: {
        labels: used.map((row) => labelOf(row, vocab)),
        lengths: [used.length - 3, 3],
        rows: used,
        policy_logits: { data: buffer, dtype },
      },
    },
    { vocab_size: vocab },
  );
  const own = compile(sft(), { device, metrics: false });
  const tensor = batch.inputs["policy.logits.w"] as { tensor: { name: string } };
  const { loss } = await own.valueAndGrad(batch, {
    into: { [tensor.tensor.name]: buffer },
    timeoutMs: 900_000,
  });

  const lse = Array.from({ length: period }, (_, row) => logSumExp(row, vocab));
  const total = used.reduce(
    (sum, row) => sum + lse[row % period]! - logit(row, labelOf(row, vocab)),
    0,
  );
  // a log is known to 2^-21 and a sum of exponentials to 2^-20; the terms are added in pairs of floats
  const right = total / used.length;
  expect(Math.abs(loss - right)).toBeLessThanOrEqual(2 ** -20 * (right + 1));

  const rowBytes = vocab * bytesPerEntry(dtype);
  const maxBinding = device.limits["maxStorageBufferBindingSize"]!;
  const cuts = windows(rows, rowBytes, { maxBinding, alignment: 256 }, "a test");
  const around = (row: number): readonly number[] => [row - 1, row, row + 1];
  const looked = [0, rows - 1, Math.floor(2 ** 24 / vocab)]
    .concat(Math.floor(2 ** 31 / rowBytes), Math.floor(2 ** 32 / rowBytes))
    .concat(cuts.map(({ firstRow }) => firstRow))
    .flatMap(around)
    .filter((row) => row >= 0 && row < rows);
  for (const row of new Set(looked)) {
    const gradient = await entriesFrom(buffer, row * vocab, vocab, dtype);
    let farthest = 0;
    for (let v = 0; v < vocab; v++) {
      const isLabel = v === labelOf(row, vocab) ? 1 : 0;
      const wanted = isUsed(row, rows)
        ? (Math.exp(logit(row, v) - lse[row % period]!) - isLabel) / used.length
        : 0;
      const stored = gradient[v]!;
      const found = dtype === "f32" ? stored : unrounded(stored, dtype, wanted);
      farthest = Math.max(farthest, Math.abs(found - wanted) * used.length);
    }
    // 1e-5 of the largest entry, which is near 1 / used.length; nothing at all where no token is
    expect(farthest, `row ${row}`).toBeLessThanOrEqual(isUsed(row, rows) ? 1e-5 : 0);
  }
  own.dispose();
  buffer.destroy();
}

/** Entries of a buffer, or their bits. */
async function entriesFrom(
  buffer: GPUBuffer,
  first: number,
  count: number,
  dtype: StorageType,
): Promise<ArrayLike<number>> {
  const start = first * bytesPerEntry(dtype);
  const before = start % 4;
  const size = Math.ceil((before + count * bytesPerEntry(dtype)) / 4) * 4;
  const bytes = await readBuffer(device, buffer, start - before, size, "reading a row");
  return dtype === "f32"
    ? new Float32Array(bytes, 0, count)
    : new Uint16Array(bytes, before, count);
}

describe("logits in windows", () => {
  it.each([
    ["past 2^24 entries and 128 MiB of f32", { rows: 300, vocab: 120_000, dtype: "f32" }],
    ["past 128 MiB of bf16", { rows: 600, vocab: 120_000, dtype: "bf16" }],
    ["past 2^24 entries of f32, rows of any length", { rows: 340, vocab: 100_003, dtype: "f32" }],
    ["past 2^24 entries of f16, rows of any length", { rows: 680, vocab: 100_003, dtype: "f16" }],
  ] as const)("%s", (_name, size) => expectRight(size));
});

// two GiB of buffers and minutes on a software adapter: npm run test:large
describe.runIf(process.env["PREFC_LARGE"] === "1")("logits in windows past 2^31 bytes", () => {
  it.each(["f32", "bf16"] as const)("of %s", (dtype) =>
    expectRight({
      rows: Math.ceil(2 ** 31 / 120_000 / bytesPerEntry(dtype)) + 300,
      vocab: 120_000,
      dtype,
    }),
  );
});
