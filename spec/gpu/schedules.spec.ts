// Schedules change the order of additions and nothing else. Whatever the schedule, a plan agrees with the interpreter within the
// bounds of f32, on any adapter; and the same plan on the same batch gives the same bits, however often it runs.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { storageTypes } from "../../src/core/storage.ts";
import {
  builtIn,
  builtIns,
  compile,
  dpo,
  exp,
  logPi,
  objective,
  sum,
  wpo,
  type Batch,
  type Compiled,
  type Device,
  type Objective,
  type ScheduleOptions,
} from "../../src/index.ts";
import { chooseSchedule, typicalTraits, type AdapterTraits } from "../../src/schedule/schedule.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import { runs } from "../seed.ts";
import { contentOf, draws, laidOut, layouts, type Drawn } from "./batches.ts";
import { mistakesOf, schedules } from "./drawn.ts";

/** Both models in one loop, with moments of both, so that every kind of accumulator is merged. */
const divergence: Objective = objective(
  "divergences",
  ["w", "l"],
  ({ policy, ref, y }) => {
    const [p, r] = [logPi(policy, y.w), logPi(ref, y.w)];
    const [q, s] = [logPi(policy, y.l), logPi(ref, y.l)];
    return sum("token", sum("vocab", exp(p).times(p.minus(r)))).plus(
      sum("token", sum("vocab", exp(s).times(s.minus(q)))),
    );
  },
  { source: "written for this test" },
);
const objectives: Readonly<Record<string, Objective>> = {
  dpo: dpo(),
  "wpo, differentiated": wpo({ stop: false }),
  "wpo, greedy": wpo({ alignment: "greedy", stop: false }),
  divergence,
};

let device: Device;
withDevice((opened) => {
  device = opened;
});

const unmasked = draws({ scales: ["normal", "peaked"], masked: false });

const words = (values: ArrayLike<number>): Uint32Array =>
  new Uint32Array(Float32Array.from(values).buffer);
const bits = async (compiled: Compiled, batch: Batch): Promise<readonly Uint32Array[]> => {
  const { loss, metrics, perExample, gradients } = await compiled.valueAndGrad(batch, {
    perExample: true,
  });
  return [
    words([loss, ...Object.values(metrics), ...(perExample ?? [])]),
    ...Object.values(gradients).map((data) => words(data as Float32Array)),
  ];
};

const wide: Drawn = {
  examples: 2,
  vocab: 701,
  lengths: { w: [2, 1], l: [1, 3] },
  scale: "normal",
  masked: true,
  seed: 11,
};

describe("a random schedule", () => {
  it.each(Object.entries(objectives))("agrees with the interpreter: %s", async (_name, given) => {
    await fc.assert(
      fc.asyncProperty(schedules, unmasked, layouts, async (schedule, drawn, layout) => {
        const compiled = compile(given, { device, schedule });
        const batch = laidOut(contentOf(drawn), layout);
        await expectAgreementOf(compiled, batch, {}, "gradient sums");
        compiled.dispose();
      }),
      { numRuns: 4 },
    );
  });

  it("agrees with the interpreter for any built-in objective and storage", async () => {
    const names = fc.constantFrom(...Object.keys(builtIns));
    const dtypes = fc.constantFrom("f32", ...storageTypes);
    await fc.assert(
      fc.asyncProperty(
        names,
        schedules,
        dtypes,
        fc.boolean(),
        fc.nat(),
        async (name, schedule, dtype, isWide, seed) => {
          const objective = builtIn(name);
          expect(await mistakesOf(device, { objective, schedule, dtype, isWide, seed })).toEqual(
            [],
          );
        },
      ),
      { numRuns: runs ?? 8 },
    );
  });

  it("from a table of measured ones changes no result beyond the bounds", async () => {
    await fc.assert(
      fc.asyncProperty(schedules, unmasked, layouts, async (schedule, drawn, layout) => {
        const entry = {
          vocab: 8192,
          rows: 8,
          dtype: "f32",
          schedule,
          measured: "2026-01-31",
        } as const;
        const fewer = { ...drawn, examples: 1, lengths: { w: [2], l: [1] } };
        const tuned = { ...device, tuning: { entries: [entry], path: "t.json", problem: null } };
        const compiled = compile(wpo(), { device: tuned });
        const shape = { vocab: drawn.vocab, rows: 3 };
        expect(compiled.explain(shape).scheduleOrigin).toContain("measured by prefc tune");
        await expectAgreementOf(compiled, laidOut(contentOf(fewer), layout), {}, "gradient sums");
        compiled.dispose();
      }),
      { numRuns: 5 },
    );
  });

  it("gives the same bits a hundred times", async () => {
    const batch = laidOut(contentOf(wide), "packed");
    for (const schedule of [{}, { split: 5, rowLanes: 4, unroll: 2 }]) {
      const compiled = compile(wpo(), { device, schedule });
      const first = await bits(compiled, batch);
      for (let run = 1; run < 100; run++) expect(await bits(compiled, batch)).toEqual(first);
      compiled.dispose();
    }
  });
});

describe("the lanes of a row", () => {
  const { subgroupSize } = typicalTraits;
  const chosen = (options: ScheduleOptions, traits: Partial<AdapterTraits> = {}) =>
    chooseSchedule({ ...typicalTraits, ...traits }, { rows: 256, vocab: 32_000 }, {}, options);

  it("are combined as a subgroup exactly where they are one", () => {
    expect(chosen({}).combine).toBe("shared");
    expect(chosen({ rowLanes: subgroupSize }).combine).toBe("subgroup");
    expect(chosen({ rowLanes: subgroupSize }, { subgroups: false }).combine).toBe("shared");
    expect(chosen({ rowLanes: subgroupSize }, { evenSubgroups: false }).combine).toBe("shared");
    expect(chosen({ rowLanes: subgroupSize, combine: "shared" }).combine).toBe("shared");
    expect(chosen({ combine: "subgroup" }).rowLanes).toBe(subgroupSize);
    // one subgroup a row is the default of a software adapter
    expect(chosen({}, { software: true, subgroupSize: 8 })).toMatchObject({
      rowLanes: 8,
      combine: "subgroup",
    });
  });

  it("are combined with the same result either way", async () => {
    const rowLanes = device.info.subgroupMaxSize;
    const batch = laidOut(contentOf({ ...wide, masked: false }), "packed");
    for (const given of Object.values(objectives)) {
      for (const combine of ["subgroup", "shared"] as const) {
        const compiled = compile(given, { device, schedule: { rowLanes, combine } });
        const shape = { vocab: wide.vocab };
        expect(compiled.explain(shape).schedule.combine).toBe(combine);
        const texts = compiled.wgsl(wide.vocab).map(({ wgsl }) => wgsl);
        expect(texts[0]!.includes("subgroupAdd(")).toBe(combine === "subgroup");
        await expectAgreementOf(compiled, batch, {}, "gradient sums");
        compiled.dispose();
      }
    }
  });
});
