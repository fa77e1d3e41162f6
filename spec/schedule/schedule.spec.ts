// Which schedule is chosen for few rows, how it is explained, and the sentence for every option that may not be had. No GPU.
import { describe, expect, it } from "vitest";
import {
  compile,
  dpo,
  explanationText,
  type Compiled,
  type ScheduleOptions,
} from "../../src/index.ts";
import { chooseSchedule, typicalTraits } from "../../src/schedule/schedule.ts";

describe("few rows", () => {
  const chosen = (rows: number, vocab: number): number =>
    chooseSchedule({ ...typicalTraits, workgroups: 64 }, { rows, vocab }).split;

  it("are shared by as many workgroups as keep the adapter busy, in parts that are not too short", () => {
    expect([1, 2, 8, 32, 33, 4096].map((rows) => chosen(rows, 1_000_000))).toEqual([
      64, 32, 8, 2, 1, 1,
    ]);
    // a block of 256 lanes with four vectors is 4096 entries; a part has two or more
    expect([8191, 16_384, 65_536, 128_256].map((vocab) => chosen(1, vocab))).toEqual([1, 2, 8, 8]);
  });

  it("are explained: two dispatches for a pass, and what they hand over", () => {
    const compiled = compile(dpo());
    const [few, many] = [{ rows: 8 }, { rows: 512 }].map((shape) =>
      compiled.explain({ ...shape, vocab: 128_256 }),
    ) as [ReturnType<Compiled["explain"]>, ReturnType<Compiled["explain"]>];
    // two more, which merge the parts of the two models
    expect(few.valueAndGrad.dispatches).toBe(many.valueAndGrad.dispatches + 2);
    expect(few.valueAndGrad.ratio).toBe(1);
    const { split } = few.schedule;
    const merges = few.valueAndGrad.kernels.filter(({ kind }) => kind === "merge of parts");
    // of each part the maximum, the worst entry and the moments (of the policy also that of the entropy), beside the row map,
    // the label and the fields that the whole row has
    const words = (of: number): number => 2 + merges[of]!.leaves.length + [4, 3][of]! * split;
    expect(merges.map(({ bytes }) => bytes)).toEqual([
      { read: 0, written: 0, small: 8 * 4 * words(0) },
      { read: 0, written: 0, small: 8 * 4 * words(1) },
    ]);
    expect(explanationText(few)).toContain(`256 lanes to each of ${split} parts of a row`);
    expect(explanationText(many)).toContain("256 lanes to a row");
  });
});

describe("short rows", () => {
  const software = { ...typicalTraits, software: true, subgroupSize: 8, workgroups: 4 };
  const chosen = (vocab: number, rows: number, options: ScheduleOptions = {}) =>
    [typicalTraits, software].map((traits) => {
      const { rowLanes, groupRows, shareMaxima, combine, gradient } = chooseSchedule(
        traits,
        { vocab, rows },
        {},
        options,
      );
      expect([gradient.rowLanes, gradient.groupRows]).toEqual([rowLanes, groupRows]);
      // lanes of several rows have nothing to tell each other
      if (groupRows > 1) expect([shareMaxima, combine]).toEqual([false, "shared"]);
      return [rowLanes, groupRows];
    });

  it("share a workgroup, where there are enough of them", () => {
    expect(chosen(128, 65_536)).toEqual([
      [8, 32],
      [1, 8],
    ]);
    expect(chosen(7, 65_536)).toEqual([
      [1, 256],
      [1, 8],
    ]);
    const alone = [
      [256, 1],
      [8, 1],
    ];
    expect(chosen(128, 16)).toEqual(alone);
    expect(chosen(32_000, 65_536)).toEqual(alone);
    // on a GPU two longer ones do
    expect(chosen(8192, 65_536)).toEqual([
      [128, 2],
      [8, 1],
    ]);
    expect(chosen(8192, 16)).toEqual(alone);
  });

  it("have the lanes that they are given", () => {
    expect(chosen(128, 65_536, { rowLanes: 16 })).toEqual([
      [16, 1],
      [16, 1],
    ]);
    expect(chosen(128, 65_536, { rowLanes: 16, groupRows: 64 })).toEqual([
      [16, 16],
      [16, 16],
    ]);
    expect(chosen(128, 65_536, { split: 2, groupRows: 4 })).toEqual([
      [8, 1],
      [1, 1],
    ]);
  });

  it("are explained", () => {
    const text = explanationText(compile(dpo()).explain({ vocab: 128, rows: 65_536 }));
    expect(text).toContain(
      "8 lanes to a row, each with 4 x 4 logits in flight, 32 rows to a workgroup as they are short",
    );
  });
});

describe("a schedule given by hand", () => {
  it.each([
    [
      { rowLanes: 3 },
      "schedule.rowLanes is 3; it may be a power of two from 1 to 256 on this adapter.",
    ],
    [
      { rowLanes: 512 },
      "schedule.rowLanes is 512; it may be a power of two from 1 to 256 on this adapter.",
    ],
    [{ vector: 2 }, "schedule.vector is 2; it may be 1 or 4 on this adapter."],
    [{ unroll: 0 }, "schedule.unroll is 0; it may be a whole number from 1 to 16 on this adapter."],
    [
      { split: 1.5 },
      "schedule.split is 1.5; it may be a whole number from 1 to 256 on this adapter.",
    ],
    [
      { groupRows: 3 },
      "schedule.groupRows is 3; it may be a power of two from 1 to 256 on this adapter.",
    ],
    [
      { gradient: { unroll: "4" } },
      'schedule.gradient.unroll is "4"; it may be a whole number from 1 to 16 on this adapter.',
    ],
    [{ gradient: 4 }, "schedule.gradient is 4; give an object of options."],
    [
      { programLanes: 8, tokenLanes: 16 },
      "schedule.tokenLanes is 16, but a row program has only 8 lanes; give at most as many.",
    ],
    [
      { combine: "tree" },
      'schedule.combine is "tree"; it may be "shared", or, where all subgroups have one size, "subgroup" on this adapter.',
    ],
    [
      { combine: "subgroup", rowLanes: 64 },
      'schedule.combine is "subgroup", but a row has 64 lanes and a subgroup of this adapter 32; give as many lanes, or "shared".',
    ],
    [
      { blockLength: 0 },
      "schedule.blockLength is 0; it may be null or a whole number of at least 1 on this adapter.",
    ],
    [
      { lanes: 8 },
      'schedule has no option "lanes"; it has "rowLanes", "vector", "unroll", "split", "groupRows", "programLanes", "tokenLanes", "shareMaxima", "combine" and "blockLength".',
    ],
  ] as const)("is refused in a sentence: %j", (schedule, sentence) => {
    const given = schedule as unknown as ScheduleOptions;
    expect(() => compile(dpo(), { schedule: given })).toThrow(sentence);
  });
});
