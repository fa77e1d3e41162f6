// Short rows, of which several share a workgroup. Whatever their length and their number, results agree with the interpreter and
// do not depend on how many share; what is wrong with a row is told of that row; rows of other dispatches are left alone.
import { describe, expect, it } from "vitest";
import { PrefcError } from "../../src/core/error.ts";
import {
  compile,
  dpo,
  fromResponses,
  sft,
  tdpo2,
  wpo,
  type Batch,
  type Compiled,
  type Device,
  type ScheduleOptions,
} from "../../src/index.ts";
import { withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import { asPacked, asSeparate, asTrl, contentOf, storedAs, type Drawn } from "./batches.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const sharing = (groupRows: number, rowLanes: number, more: ScheduleOptions = {}) =>
  ({ groupRows, rowLanes, split: 1, unroll: 2, combine: "shared", ...more }) as const;
const drawn: Drawn = {
  examples: 3,
  vocab: 129,
  lengths: { w: [2, 1, 4], l: [1, 3, 2] },
  scale: "normal",
  masked: true,
  seed: 5,
};
/** The largest entry is asked for, the label's or not, and both models are read in one loop. */
const objectives = {
  "wpo, greedy": wpo({ alignment: "greedy", stop: false }),
  wpo: wpo(),
  tdpo2: tdpo2(),
};

describe("rows that share a workgroup", () => {
  it.each([1, 3, 7, 127, 128, 129])("have %i entries", async (vocab) => {
    for (const [groupRows, rowLanes] of [
      [8, 1],
      [4, 2],
      [2, 8],
      [32, 1],
    ] as const) {
      const compiled = compile(dpo(), { device, schedule: sharing(groupRows, rowLanes) });
      for (const scale of ["normal", "peaked", "extreme"] as const) {
        const content = contentOf({ ...drawn, vocab, scale, masked: vocab > 7 });
        await expectAgreementOf(compiled, asPacked(content), {}, "gradient sums");
      }
      compiled.dispose();
    }
  });

  it.each(Object.entries(objectives))("serve %s", async (_name, objective) => {
    for (const [groupRows, rowLanes] of [
      [8, 1],
      [4, 4],
    ] as const) {
      const compiled = compile(objective, { device, schedule: sharing(groupRows, rowLanes) });
      const masked = objective === objectives["wpo, greedy"] || objective === objectives.wpo;
      const content = contentOf({ ...drawn, masked });
      await expectAgreementOf(compiled, asPacked(content), {}, "gradient sums");
      compiled.dispose();
    }
  });

  it("are prompts and padding too, in tensors of their own or not", async () => {
    for (const rowLanes of [1, 4]) {
      const compiled = compile(wpo(), { device, schedule: sharing(4, rowLanes) });
      for (const batch of [asTrl(contentOf(drawn)), asSeparate(contentOf(drawn))])
        await expectAgreementOf(compiled, batch, {}, "gradient sums");
      compiled.dispose();
    }
  });

  it("are stored in 16 bits", async () => {
    for (const [dtype, vocab] of [
      ["bf16", 136],
      ["f16", 129],
      ["bf16", 7],
    ] as const) {
      for (const rowLanes of [1, 4]) {
        const compiled = compile(wpo({ stop: false }), { device, schedule: sharing(4, rowLanes) });
        const content = contentOf({ ...drawn, vocab, masked: false });
        const batch = storedAs(asPacked(content), { policy: dtype, ref: dtype });
        await expectAgreementOf(compiled, batch, {}, "gradient sums");
        compiled.dispose();
      }
    }
  });

  it("give the same bits, however many share", async () => {
    for (const rowLanes of [1, 4]) {
      const all = await Promise.all(
        [2, 4, 16].map(async (groupRows) => {
          const compiled = compile(wpo(), { device, schedule: sharing(groupRows, rowLanes) });
          const { loss, metrics, gradients } = await compiled.valueAndGrad(asTrl(contentOf(drawn)));
          compiled.dispose();
          return { loss, metrics, gradients };
        }),
      );
      for (const other of all.slice(1)) expect(other).toEqual(all[0]);
    }
  });
});

describe("one row among those of a workgroup", () => {
  const vocab = 21;
  /** Five tokens with label 6; one entry of the third row is as given. */
  const batchWith = (entry: number, value: number): Batch => {
    const logits = Float32Array.from({ length: 5 * vocab }, (_, i) => Math.sin(i));
    logits[2 * vocab + entry] = value;
    return fromResponses({ w: { labels: [[6, 6, 6, 6, 6]], policy_logits: logits } });
  };
  const said = async (compiled: Compiled, batch: Batch): Promise<string> =>
    await compiled.valueAndGrad(batch).then(
      ({ loss }) => `loss ${loss.toFixed(4)}`,
      (error: unknown) => (error instanceof PrefcError ? error.message : String(error)),
    );

  it("is told of as when it is alone: no number, infinite or masked, as label or beside it", async () => {
    const alone = compile(sft(), { device });
    for (const rowLanes of [1, 2]) {
      const shared = compile(sft(), { device, schedule: sharing(4, rowLanes) });
      for (const entry of [0, 6, vocab - 1])
        for (const value of [Number.NaN, Infinity, -Infinity, 3e38]) {
          const batch = batchWith(entry, value);
          const right = await said(alone, batch);
          expect(await said(shared, batch)).toBe(right);
          if (value !== -Infinity || entry === 6) expect(right).toMatch(/token 2|position 2/);
        }
      shared.dispose();
    }
    alone.dispose();
  });
});
