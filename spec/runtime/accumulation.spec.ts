// Micro-batches of 1, 2 and 3 put together against the whole batch: loss, metrics and gradients of every built-in that adds up,
// with the counts that a run reports; and the metrics of each example.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Batch, Binding } from "../../src/batch/batch.ts";
import { ofModel } from "../../src/core/datum.ts";
import {
  builtIn,
  builtIns,
  compile,
  evaluate,
  type Device,
  type Objective,
  type ValueAndGrad,
} from "../../src/index.ts";
import { responsesNeeded } from "../../src/batch/check.ts";
import { fewestFor, randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { gradientError, lossError, metricError } from "../../src/check/error.ts";
import { withDevice } from "../support/device.ts";

/** The examples `from` … `to` − 1 of a batch, with logits where they were. */
function part(batch: Batch, from: number, to: number): Batch {
  const range = (response: string): readonly [number, number] => {
    const { offsets } = batch.responses[response]!;
    return [offsets[from]!, offsets[to]!];
  };
  const cut = (name: string, binding: Binding): Binding => {
    if (binding.height === "example") return { ...binding, values: binding.values.slice(from, to) };
    const response = ofModel(name)?.response ?? name.split(".").slice(2).join(".");
    const [first, end] = range(response);
    return binding.height === "token"
      ? { ...binding, values: binding.values.slice(first, end) }
      : { ...binding, rowIndex: binding.rowIndex.slice(first, end) };
  };
  return {
    ...batch,
    examples: to - from,
    responses: Object.fromEntries(
      Object.entries(batch.responses).map(([response, { offsets, labels }]) => {
        const [first, end] = range(response);
        return [
          response,
          {
            offsets: offsets.slice(from, to + 1).map((offset) => offset - first),
            labels: labels.slice(first, end),
          },
        ];
      }),
    ),
    inputs: Object.fromEntries(
      Object.entries(batch.inputs).map(([name, binding]) => [name, cut(name, binding)]),
    ),
  };
}

const drawn = (objective: Objective): Batch => {
  const { program } = compile(objective);
  const roots = [program.loss, ...Object.values(program.metrics)];
  const responses = [...new Set([...objective.responses, ...responsesNeeded(roots)])];
  const { inputs, declared } = program;
  const size = { examples: 6, tokens: 4, vocab: [9, 30] } as const;
  return randomBatch({ responses, inputs, declared, fewestExamples: 6 }, size, random(7, 1));
};

const page = readFileSync(new URL("../../docs/accumulation.md", import.meta.url), "utf8");
const listed = (heading: string): readonly string[] =>
  [...(page.split(`\n${heading}`)[1]?.split("\n\n")[2] ?? "").matchAll(/`([^`]+)`/g)].map(
    ([, name]) => name!,
  );
const kindOf = (name: string): string => compile(builtIn(name)).program.averages["loss"]!.kind;
const names = Object.keys(builtIns);

describe("micro-batches", () => {
  let device: Device;
  withDevice((opened) => {
    device = opened;
  });

  it("are listed by what their losses take from the whole batch", () => {
    expect(listed("## Losses that couple examples")).toEqual(
      names.filter((name) => kindOf(name) === "batch"),
    );
    expect(listed("## Losses with two counts")).toEqual(
      names.filter((name) => kindOf(name) === "several"),
    );
  });

  it.each(names)("of %s give the results of the whole batch", async (name) => {
    // rows of parts and of the whole are laid out alike, so that both are added up in the same order
    const compiled = compile(builtIn(name), { device, schedule: { rowLanes: 4 } });
    const batch = drawn(builtIn(name));
    const whole = await compiled.valueAndGrad(batch);
    const averages = Object.entries(compiled.program.averages);
    const fewest = fewestFor(compiled.program.source.loss);
    for (const size of [1, 2, 3].filter((examples) => examples >= fewest)) {
      const parts: ValueAndGrad[] = [];
      for (let from = 0; from < batch.examples; from += size)
        parts.push(await compiled.valueAndGrad(part(batch, from, from + size)));
      for (const [metric, average] of averages) {
        if (average.kind !== "average" || metric === "loss") continue;
        const total = parts.reduce((sum, { counts }) => sum + counts[metric]!, 0);
        expect(total, metric).toBe(whole.counts[metric]);
        const mean =
          parts.reduce((sum, { counts, metrics }) => sum + counts[metric]! * metrics[metric]!, 0) /
          Math.max(total, 1);
        expect(metricError(mean, whole.metrics[metric]!), metric).toBeLessThan(2e-6);
      }
      if (compiled.program.averages["loss"]!.kind !== "average") {
        expect(() => compiled.combined(parts)).toThrow("does not follow from those of parts");
        continue;
      }
      const combined = compiled.combined(parts);
      expect(lossError(combined.loss, whole.loss)).toBeLessThan(2e-6);
      const told = averages.filter(([, { kind }]) => kind === "average" || kind === "sum");
      for (const [metric] of told)
        if (metric !== "loss")
          expect(
            metricError(combined.metrics[metric]!, whole.metrics[metric]!),
            metric,
          ).toBeLessThan(2e-6);
      expect(Object.keys(combined.metrics).length).toBe(told.length - 1);
      for (const [tensor, right] of Object.entries(whole.gradients)) {
        const sum = new Float64Array((right as Float32Array).length);
        // an input per example or token is in pieces, one after another
        let start = 0;
        for (const { gradients, counts } of parts) {
          const own = gradients[tensor] as Float32Array | undefined;
          const share = counts["loss"]! / whole.counts["loss"]!;
          const isPiece = own !== undefined && own.length < sum.length;
          own?.forEach((g, entry) => (sum[(isPiece ? start : 0) + entry]! += share * g));
          start += own?.length ?? 0;
        }
        expect(gradientError(sum, right as Float32Array), tensor).toBeLessThan(2e-6);
      }
    }
    compiled.dispose();
  });

  it("of a batch whose kinds are apart leave out the empty ones", async () => {
    const compiled = compile(builtIn("kto"), { device });
    const batch = drawn(builtIn("kto"));
    const desirable = batch.inputs["example.desirable"] as Binding & { values: Float32Array };
    const flags = Float32Array.from([1, 1, 1, 0, 0, 0]);
    const sorted = {
      ...batch,
      inputs: { ...batch.inputs, "example.desirable": { ...desirable, values: flags } },
    };
    const whole = await compiled.value(sorted);
    const parts = [
      await compiled.value(part(sorted, 0, 3)),
      await compiled.value(part(sorted, 3, 6)),
    ];
    expect(parts.map(({ counts }) => counts["rewards/chosen"])).toEqual([3, 0]);
    expect(parts.map(({ counts }) => counts["rewards/rejected"])).toEqual([0, 3]);
    expect(parts[0]!.metrics["rewards/chosen"]).toBeCloseTo(whole.metrics["rewards/chosen"]!, 6);
    compiled.dispose();
  });
});

describe("the metrics of each example", () => {
  let device: Device;
  withDevice((opened) => {
    device = opened;
  });
  it.each(["dpo", "wpo", "simpo", "ipo", "reward"])(
    "of %s are those that are averaged",
    async (name) => {
      const compiled = compile(builtIn(name), { device });
      const batch = drawn(builtIn(name));
      const {
        metricsPerExample = {},
        metrics,
        perExample,
      } = await compiled.valueAndGrad(batch, {
        perExample: true,
      });
      expect(perExample).toHaveLength(batch.examples);
      expect(Object.keys(metricsPerExample)).toContain(
        name === "reward" ? "margin" : "rewards/margins",
      );
      const { metrics: written } = compiled.objective;
      for (const [metric, values] of Object.entries(metricsPerExample)) {
        const right = evaluate([written[metric]!], batch, {})[0]!.data;
        expect(values).toHaveLength(batch.examples);
        values.forEach((value, n) => expect(value).toBeCloseTo(right[n]!, 4));
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        expect(mean).toBeCloseTo(metrics[metric]!, 4);
      }
      expect((await compiled.value(batch)).metricsPerExample).toBeUndefined();
      compiled.dispose();
    },
  );
});
