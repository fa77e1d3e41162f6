// Laws that the GPU must keep whatever the numbers are. Where both sides do the same arithmetic in the same order, they must
// agree bit for bit: padding, layout, the order of the examples; values also where a constant is added to a row. Where only the order of additions
// differs (the schedule), both sides must be within the bounds of agree.ts. A row of whole vectors is added up alike wherever it
// lies. Other rows are read in the vectors of their tensor, so where they lie decides which of their entries meet first.
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  compile,
  dpo,
  wpo,
  type Batch,
  type Compiled,
  type Device,
  type ValueAndGrad,
} from "../../src/index.ts";
import { readBuffer } from "../../src/runtime/device/read.ts";
import { bufferUsage } from "../../src/runtime/device/usage.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import {
  asPacked,
  asSeparate,
  asTrl,
  contentOf,
  draws,
  laidOut,
  layouts,
  pair,
  type Content,
} from "./batches.ts";

let device: Device;
let compiled: Readonly<Record<"dpo" | "wpo", Compiled>>;
withDevice((opened) => {
  device = opened;
  compiled = {
    dpo: compile(dpo({ label_smoothing: 0.1 }), { device }),
    wpo: compile(wpo({ stop: false }), { device }),
  };
});

const names = fc.constantFrom("dpo", "wpo");
/** Batches whose rows are whole vectors, or single entries. */
const wholeVectors = draws().map((drawn) => ({
  ...drawn,
  vocab: drawn.vocab < 4 ? drawn.vocab : 4 * Math.floor(drawn.vocab / 4),
}));
const bits = (values: ArrayLike<number>): readonly number[] => [
  ...new Uint32Array(Float32Array.from(values).buffer),
];
const run = (name: "dpo" | "wpo", batch: Batch): Promise<ValueAndGrad> =>
  compiled[name].valueAndGrad(batch, { perExample: true });

/** Everything but the gradients, as bits. */
const values = ({ loss, metrics, perExample }: ValueAndGrad): readonly number[] =>
  bits([loss, ...Object.values(metrics), ...perExample!]);

/** The gradient row of every completion token of a response, as bits, wherever the row lies. */
const rowsOf = (
  batch: Batch,
  { gradients }: ValueAndGrad,
  response: string,
): readonly (readonly number[])[] => {
  const binding = batch.inputs[`policy.logits.${response}`]!;
  if (binding.height !== "logits") throw new Error("logits expected");
  const all = gradients[binding.tensor.name] as Float32Array;
  return [...binding.rowIndex].map((row) =>
    bits(all.subarray(row * batch.vocab, (row + 1) * batch.vocab)),
  );
};
const allRows = (batch: Batch, result: ValueAndGrad): readonly (readonly number[])[] =>
  pair.flatMap((response) => rowsOf(batch, result, response));

/** The rows that predict no completion token. */
const unusedRows = (batch: Batch): readonly number[] => {
  const used = new Set<number>();
  let rows = 0;
  for (const response of pair) {
    const binding = batch.inputs[`policy.logits.${response}`]!;
    if (binding.height !== "logits") throw new Error("logits expected");
    binding.rowIndex.forEach((row) => used.add(row));
    rows = binding.tensor.rows;
  }
  return Array.from({ length: rows }, (_, row) => row).filter((row) => !used.has(row));
};

describe("what is not part of a completion", () => {
  it("changes nothing, however much padding there is", async () => {
    const padding = fc.record({
      columns: fc.integer({ min: 0, max: 6 }),
      prompt: fc.integer({ min: 1, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(names, wholeVectors, padding, padding, async (name, drawn, some, other) => {
        const content = contentOf(drawn);
        const [one, two] = [asTrl(content, some), asTrl(content, other)];
        const [first, second] = [await run(name, one), await run(name, two)];
        expect(values(second)).toEqual(values(first));
        expect(allRows(two, second)).toEqual(allRows(one, first));
      }),
      { numRuns: 25 },
    );
  });

  it("has a gradient of exactly zero, also where the buffer held something else before", async () => {
    await fc.assert(
      fc.asyncProperty(names, draws(), async (name, drawn) => {
        const batch = asTrl(contentOf(drawn), { columns: 3, prompt: 3 });
        const { tensor } = batch.inputs["policy.logits.w"] as { tensor: { rows: number } };
        const size = tensor.rows * batch.vocab * 4;
        const into = device.gpu.createBuffer({
          size,
          usage: bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget,
        });
        device.gpu.queue.writeBuffer(into, 0, new Uint32Array(size / 4).fill(0x7fc0dead));
        await compiled[name].valueAndGrad(batch, { into: { policy: into } });
        const written = new Uint32Array(await readBuffer(device, into, 0, size, "reading"));
        into.destroy();
        for (const row of unusedRows(batch)) {
          const own = written.subarray(row * batch.vocab, (row + 1) * batch.vocab);
          expect(own.every((word) => word === 0)).toBe(true);
        }
        expect(written.includes(0x7fc0dead)).toBe(false);
      }),
      { numRuns: 15 },
    );
  });
});

describe("where the rows lie", () => {
  it("changes nothing: a rectangle, packed rows and separate tensors agree bit for bit", async () => {
    await fc.assert(
      fc.asyncProperty(names, wholeVectors, async (name, drawn) => {
        const content = contentOf(drawn);
        const [trl, ...others] = [asTrl(content), asPacked(content), asSeparate(content)];
        const first = await run(name, trl);
        for (const batch of others) {
          const second = await run(name, batch);
          expect(values(second)).toEqual(values(first));
          expect(allRows(batch, second)).toEqual(allRows(trl, first));
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("the order of the examples", () => {
  const reversed = ({ drawn, labels, rows }: Content): Content => {
    const lengths = {
      w: drawn.lengths.w.toReversed(),
      l: drawn.lengths.l.toReversed(),
    };
    const turned = Object.fromEntries(
      Object.entries(rows).map(([key, own]) => {
        let next = 0;
        const byExample = labels[key.split(".")[1]!]!.map(({ length }) =>
          own.slice(next, (next += length)),
        );
        return [key, byExample.toReversed().flat()];
      }),
    );
    return {
      drawn: { ...drawn, lengths },
      labels: { w: labels["w"]!.toReversed(), l: labels["l"]!.toReversed() },
      rows: turned,
    };
  };
  it("permutes losses and gradients of the examples bit for bit", async () => {
    await fc.assert(
      fc.asyncProperty(names, wholeVectors, async (name, drawn) => {
        const content = contentOf(drawn);
        const [one, two] = [asSeparate(content), asSeparate(reversed(content))];
        const [first, second] = [await run(name, one), await run(name, two)];
        expect(bits(second.perExample!.toReversed())).toEqual(bits(first.perExample!));
        for (const response of pair) {
          const { offsets } = one.responses[response]!;
          const rows = rowsOf(one, first, response);
          const byExample = drawn.lengths[response].map((_, b) =>
            rows.slice(offsets[b], offsets[b + 1]),
          );
          expect(rowsOf(two, second, response)).toEqual(byExample.toReversed().flat());
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("a constant added to all logits of a row", () => {
  // the normaliser of a gradient is formed at the size of the logits, from pairs of floats: rounded once to f32, it may fall
  // on the other side; multiples of 2^-9 below 2^7 keep all their digits when an integer below 2^14 is added: the sums are exact in f32
  const onGrid = (row: Float32Array): Float32Array => row.map((z) => Math.round(z * 512) / 512);
  it.each([1e3, -1e3, 1e4, -1e4])(
    "changes no value by a bit, and gradients by a rounding at most: %d",
    async (constant) => {
      await fc.assert(
        fc.asyncProperty(names, draws(), layouts, async (name, drawn, layout) => {
          const content = contentOf(drawn);
          const shifted = (by: number): Content => ({
            ...content,
            rows: Object.fromEntries(
              Object.entries(content.rows).map(([key, own]) => [
                key,
                own.map((row, position) => onGrid(row).map((z) => z + (position % 2) * by)),
              ]),
            ),
          });
          const [one, two] = [laidOut(shifted(0), layout), laidOut(shifted(constant), layout)];
          const [first, second] = [await run(name, one), await run(name, two)];
          expect(values(second)).toEqual(values(first));
          for (const [tensor, data] of Object.entries(first.gradients)) {
            const [own, other] = [data as Float32Array, second.gradients[tensor] as Float32Array];
            const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
            const apart = own.reduce(
              (most, value, n) => Math.max(most, Math.abs(value - other[n]!)),
              0,
            );
            expect(apart).toBeLessThanOrEqual(2 ** -22 * largest);
          }
        }),
        { numRuns: 8 },
      );
    },
  );
});

describe("running again", () => {
  it("gives the same bits, and value() the same loss, metrics and losses of examples", async () => {
    await fc.assert(
      fc.asyncProperty(names, draws(), layouts, async (name, drawn, layout) => {
        const batch = laidOut(contentOf(drawn), layout);
        const [first, second] = [await run(name, batch), await run(name, batch)];
        expect(values(second)).toEqual(values(first));
        expect(allRows(batch, second)).toEqual(allRows(batch, first));
        const alone = await compiled[name].value(batch, { perExample: true });
        expect(bits([alone.loss, ...Object.values(alone.metrics), ...alone.perExample!])).toEqual(
          values(first),
        );
      }),
      { numRuns: 15 },
    );
  });

  it("with another beta compiles nothing and makes no buffer", async () => {
    const own = compile(dpo(), { device });
    const batch = asTrl(contentOf(fc.sample(draws(), { numRuns: 1, seed: 1 })[0]!));
    await own.valueAndGrad(batch, { perExample: true });
    const [text, held] = [own.wgsl(batch.vocab), own.memory()];
    const made = vi.spyOn(device.gpu, "createComputePipelineAsync");
    const shaders = vi.spyOn(device.gpu, "createShaderModule");
    const losses = new Set<number>();
    for (const beta of [0.01, 0.05, 0.3, 2]) {
      losses.add((await own.valueAndGrad(batch, { params: { beta } })).loss);
    }
    expect(made).not.toHaveBeenCalled();
    expect(shaders).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    expect(losses.size).toBe(4);
    expect(own.memory()).toEqual(held);
    expect(own.wgsl(batch.vocab)).toEqual(text);
    own.dispose();
  });
});

describe("the schedule", () => {
  // the parts of a row are combined in another order under each; entropy and the weights use every kind of moment
  const schedules = [
    { rowLanes: 4, vector: 1, unroll: 1 },
    { rowLanes: 8, vector: 4, unroll: 2 },
    { rowLanes: 32, vector: 1, unroll: 4 },
    { rowLanes: 64, vector: 4, unroll: 4 },
    { rowLanes: 2, vector: 4, unroll: 1, programLanes: 32 },
  ] as const;
  const objectives = {
    wpo: wpo({ stop: false }),
    greedy: wpo({ alignment: "greedy", stop: false }),
  };

  it.each(schedules)("does not matter: %j", async (schedule) => {
    const all = Object.values(objectives).map((objective) =>
      compile(objective, { device, schedule }),
    );
    await fc.assert(
      fc.asyncProperty(draws(), layouts, async (drawn, layout) => {
        const batch = laidOut(contentOf(drawn), layout);
        for (const one of all) await expectAgreementOf(one, batch, { beta: 0.3 });
      }),
      { numRuns: 5 },
    );
    for (const one of all) one.dispose();
  });
});
