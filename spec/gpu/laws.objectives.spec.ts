// The laws of objectives on the GPU, for a sample of all that ship: rows that no token reads change nothing, bit for bit; another
// order of the examples moves the losses and gradients of those that read one example at a time, bit for bit; micro-batches of
// half the size give halves of what the whole gives; and a constant added to all logits of a row changes nothing. The sample
// is drawn by the seed. spec/objectives/laws.spec.ts holds every objective to the same laws by the interpreter.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import {
  builtIn,
  builtIns,
  compile,
  type Batch,
  type Compiled,
  type Device,
  type ValueAndGrad,
} from "../../src/index.ts";
import { seed } from "../seed.ts";
import { withDevice } from "../support/device.ts";
import { byExample, isSeparable, padded, picked } from "../support/picked.ts";

/** Objectives that are compiled: each costs a software adapter some tenths of a second, or seconds. */
const sampled = 5;

let device: Device;
const compiled = new Map<string, Compiled>();
withDevice((opened) => {
  device = opened;
});

const compiledOf = (name: string): Compiled => {
  // one layout whatever the batch: short rows share a workgroup only where there are enough of them
  const known = compiled.get(name) ?? compile(builtIn(name), { device, schedule: { rowLanes: 4 } });
  compiled.set(name, known);
  return known;
};
const names = Object.keys(builtIns);
const separableOf = (name: string): boolean => isSeparable(compile(builtIn(name)).program);
const drawn = random(seed, 1)
  .order(names.length)
  .slice(0, sampled)
  .map((position) => names[position]!);
/** DPO among them, so that there are always some. */
const separable = [...new Set([...drawn.filter(separableOf), "dpo"])];

/** Rows of whole vectors, so that where they lie does not decide which of their entries meet first. */
const cases = fc.record({
  trial: fc.nat(10_000),
  vocab: fc.constantFrom(4, 8, 20, 36),
});
const batchOf = (name: string, { trial, vocab }: { trial: number; vocab: number }): Batch => {
  const size = { examples: 4, tokens: 4, vocab: [vocab, vocab] } as const;
  return randomBatch({ ...compiledOf(name).program, fewestExamples: 4 }, size, random(seed, trial));
};
const run = (name: string, batch: Batch): Promise<ValueAndGrad> =>
  compiledOf(name).valueAndGrad(batch, { perExample: isSeparable(compiledOf(name).program) });

const bits = (values: ArrayLike<number>): readonly number[] => [
  ...new Uint32Array(Float32Array.from(values).buffer),
];
const valuesOf = ({ loss, metrics, perExample }: ValueAndGrad): readonly number[] => [
  loss,
  ...Object.values(metrics),
  ...(perExample ?? []),
];

/** By example, the bits of the gradient of every input that has one. */
const slopesOf = (name: string, batch: Batch, { gradients }: ValueAndGrad, factor = 1) => {
  const inputs = compiledOf(name).program.gradients.map(({ input }) => {
    const binding = batch.inputs[input.name]!;
    if (binding.height !== "logits")
      return byExample(gradients[input.name] as Float32Array, input.axes, batch);
    const data = gradients[binding.tensor.name] as Float32Array;
    const rows = Array.from(binding.rowIndex, (row) => [
      ...data.subarray(row * batch.vocab, (row + 1) * batch.vocab),
    ]);
    return byExample(Float32Array.from(rows.flat()), input.axes, batch);
  });
  // a zero may have either sign
  return Array.from({ length: batch.examples }, (_, example) =>
    inputs.map((examples) => bits(examples[example]!.map((slope) => factor * slope + 0))),
  );
};

const holds = (
  list: readonly string[],
  runs: number,
  law: (name: string, batch: Batch, trial: number) => Promise<void>,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.constantFrom(...list), cases, (name, drawnCase) =>
      law(name, batchOf(name, drawnCase), drawnCase.trial),
    ),
    { numRuns: runs },
  );

describe(`of ${drawn.join(", ")}`, () => {
  it("rows between those that are read change no bit", async () => {
    await holds(drawn, 24, async (name, batch, trial) => {
      const source = random(seed, trial);
      const other = padded(batch, () => source.integer(0, 3));
      const [first, second] = [await run(name, batch), await run(name, other)];
      expect(bits(valuesOf(second))).toEqual(bits(valuesOf(first)));
      expect(slopesOf(name, other, second)).toEqual(slopesOf(name, batch, first));
    });
  });

  it("a constant added to all logits of a row changes nothing", async () => {
    await holds(drawn, 24, async (name, batch, trial) => {
      // multiples of 2^-9 below 2^7 keep all their digits when a whole number below 2^10 is added
      const shifted = (by: (row: number) => number): Batch => {
        const data = new Map<unknown, Float32Array>();
        const moved = (given: Float32Array): Float32Array =>
          given.map((z, i) => Math.round(z * 512) / 512 + by(Math.floor(i / batch.vocab)));
        const inputs = Object.entries(batch.inputs).map(([input, binding]) => {
          if (binding.height !== "logits") return [input, binding] as const;
          const { tensor } = binding;
          const own = data.get(tensor.data) ?? moved(tensor.data as Float32Array);
          data.set(tensor.data, own);
          return [input, { ...binding, tensor: { ...tensor, data: own } }] as const;
        });
        return { ...batch, inputs: Object.fromEntries(inputs) };
      };
      const [one, two] = [shifted(() => 0), shifted((row) => ((row * 7 + trial) % 5) * 200 - 400)];
      const [first, second] = [await run(name, one), await run(name, two)];
      expect(bits(valuesOf(second))).toEqual(bits(valuesOf(first)));
    });
  });
});

describe(`of ${separable.join(", ")}, which read one example at a time`, () => {
  it("another order of the examples moves their losses and gradients, bit for bit", async () => {
    await holds(separable, 24, async (name, batch, trial) => {
      const order = random(seed, trial).order(batch.examples);
      const other = picked(batch, order);
      const [first, second] = [await run(name, batch), await run(name, other)];
      expect(bits(second.perExample!)).toEqual(
        bits(order.map((example) => first.perExample![example]!)),
      );
      const slopes = slopesOf(name, batch, first);
      expect(slopesOf(name, other, second)).toEqual(order.map((example) => slopes[example]));
    });
  });

  it("half of a batch gives twice the gradient and its own losses, bit for bit", async () => {
    await holds(separable, 24, async (name, batch) => {
      const whole = await run(name, batch);
      const halves = [picked(batch, [0, 1]), picked(batch, [2, 3])];
      const results = [await run(name, halves[0]!), await run(name, halves[1]!)];
      const losses = results.flatMap(({ perExample }) => [...perExample!]);
      expect(bits(losses)).toEqual(bits(whole.perExample!));
      // a power of two: the mean over 4 examples has half the weights of the mean over 2, exactly
      const halved = results.flatMap((result, n) => slopesOf(name, halves[n]!, result, 0.5));
      expect(halved).toEqual(slopesOf(name, batch, whole));
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / 4;
      const size = losses.reduce((sum, loss) => sum + Math.abs(loss), 0) / 4;
      // each loss of an example and the mean of all are rounded once
      expect(Math.abs(whole.loss - mean)).toBeLessThanOrEqual(2 ** -23 * size);
    });
  });
});
