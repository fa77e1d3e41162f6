// Tables over ragged index spaces, and the gradient of a tensor that several responses share.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tokenAxis } from "../../src/core/axis.ts";
import type { Batch, LogitsTensor } from "../../src/batch/batch.ts";
import { expand, scatterRows, sizeOf, tabulate, type Tensor } from "../../src/reference/tensor.ts";
import { ragged } from "../support/arbitraries.ts";

const spaces = [
  [],
  ["batch"],
  ["vocab"],
  ["batch", "vocab"],
  ["batch", "token.w"],
  ["batch", "token.l", "vocab"],
] as const;

/** A tensor over everything a logits input has, numbered so that every entry is different. */
const numbered = (response: string, batch: Batch, start: number): Tensor => {
  const axes = ["batch", tokenAxis(response), "vocab"] as const;
  let next = start;
  return tabulate(axes, batch, () => next++);
};
const tensorOf = (batch: Batch, name: string): LogitsTensor => {
  const binding = batch.inputs[name]!;
  if (binding.height !== "logits") throw new Error(`${name} is not logits`);
  return binding.tensor;
};

describe("a table", () => {
  it("has one number for each point of its space", () => {
    fc.assert(
      fc.property(ragged(), fc.constantFrom(...spaces), (batch, axes) => {
        let visited = 0;
        const { data } = tabulate(axes, batch, () => visited++);
        expect(data.length).toBe(sizeOf(axes, batch));
        expect([...data]).toEqual(Array.from(data, (_, n) => n));
      }),
    );
  });

  it("over more axes repeats itself along those", () => {
    fc.assert(
      fc.property(ragged(), (batch) => {
        const perExample = tabulate(["batch"], batch, ({ batch: b }) => b);
        const wide = expand(perExample, ["batch", "token.w", "vocab"], batch);
        const expected = tabulate(["batch", "token.w", "vocab"], batch, ({ batch: b }) => b);
        expect(wide).toEqual(expected);
        const perEntry = tabulate(["vocab"], batch, ({ vocab }) => vocab);
        const tall = expand(perEntry, ["batch", "vocab"], batch);
        expect(tall).toEqual(tabulate(["batch", "vocab"], batch, ({ vocab }) => vocab));
      }),
    );
  });
});

describe("the gradient of a tensor", () => {
  it("puts each response's rows where they are read, and zero elsewhere", () => {
    fc.assert(
      fc.property(ragged(), (batch) => {
        const gradients = {
          "policy.logits.w": numbered("w", batch, 1),
          "policy.logits.l": numbered("l", batch, 1e6),
        };
        const tensors = new Set(Object.keys(gradients).map((name) => tensorOf(batch, name)));
        const found = [...tensors].flatMap((tensor) => [...scatterRows(tensor, gradients, batch)]);
        const given = Object.values(gradients).flatMap(({ data }) => [...data]);
        expect(found.filter((value) => value !== 0).toSorted((a, b) => a - b)).toEqual(given);
        for (const [name, { data }] of Object.entries(gradients)) {
          const binding = batch.inputs[name]!;
          if (binding.height !== "logits") continue;
          const scattered = scatterRows(binding.tensor, gradients, batch);
          binding.rowIndex.forEach((row, token) => {
            const own = data.subarray(token * batch.vocab, (token + 1) * batch.vocab);
            expect(scattered.subarray(row * batch.vocab, (row + 1) * batch.vocab)).toEqual(own);
          });
        }
      }),
    );
  });

  it("adds up where two tokens read one row, and takes a gradient that lacks axes", () => {
    const tensor: LogitsTensor = { name: "policy", data: new Float32Array(6), rows: 3 };
    const batch: Batch = {
      examples: 1,
      vocab: 2,
      responses: { w: { offsets: Uint32Array.of(0, 2), labels: Uint32Array.of(0, 1) } },
      inputs: { "policy.logits.w": { height: "logits", tensor, rowIndex: Uint32Array.of(1, 1) } },
    };
    const constant: Tensor = { axes: [], data: Float64Array.of(0.5) };
    expect([...scatterRows(tensor, { "policy.logits.w": constant }, batch)]).toEqual([
      0, 0, 1, 1, 0, 0,
    ]);
  });
});
