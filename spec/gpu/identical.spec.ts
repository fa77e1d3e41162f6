// The same plan on the same adapter gives the same bits, a hundred times: loss, metrics, the loss of each example and every
// gradient; run one by one and in flight together, alone and with another objective's runs in between.
import { describe, expect, it } from "vitest";
import { digest } from "../../scripts/soak/cycles.ts";
import { builtIn, compile, type Batch, type Compiled, type Device } from "../../src/index.ts";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { withDevice } from "../support/device.ts";

const times = 100;
/** Runs that are started before the first is awaited; more than may be under way at once. */
const together = 6;

let device: Device;
withDevice((opened) => {
  device = opened;
});

/** Batches of rows that are longer than a workgroup reads at once, so that lanes and their order matter. */
const batchFor = ({ program }: Compiled, seed: number): Batch =>
  randomBatch(
    { ...program, fewestExamples: 2 },
    { examples: 3, tokens: 5, vocab: [900, 1100] },
    random(20_260_101, seed),
  );

const runOf = async (compiled: Compiled, batch: Batch): Promise<string> =>
  digest(await compiled.valueAndGrad(batch, { perExample: true }));

describe("a hundred runs", () => {
  it.each(["dpo", "wpo", "tdpo2", "orpo", "aot", "kto", "exo_pair"])(
    "give the same bits: %s",
    async (name) => {
      const [own, again] = [builtIn(name), builtIn(name)].map((one) => compile(one, { device }));
      const batches = [batchFor(own!, 0), batchFor(own!, 1)] as const;
      const first = await Promise.all(batches.map((batch) => runOf(own!, batch)));
      expect(first[0]).not.toBe(first[1]);
      const results = new Set<string>();
      for (let run = 0; run < times / 2; run++) results.add(await runOf(own!, batches[0]));
      // another batch of another shape in between, in the same buffers
      for (let run = 0; run < times / 2; run += together) {
        const running = Array.from({ length: together }, (_, n) => runOf(own!, batches[n % 2]!));
        const [even, odd] = await Promise.all(
          [0, 1].map((rest) => Promise.all(running.filter((_, n) => n % 2 === rest))),
        );
        for (const result of even!) results.add(result);
        expect(new Set(odd)).toEqual(new Set([first[1]]));
      }
      results.add(await runOf(again!, batches[0]));
      expect(results).toEqual(new Set([first[0]]));
      own!.dispose();
      again!.dispose();
    },
  );

  it("give the same bits with another objective's runs in between", async () => {
    const all = ["dpo", "wpo", "sft"].map((name) => compile(builtIn(name), { device }));
    const batches = all.map((compiled, n) => batchFor(compiled, n));
    const alone: string[] = [];
    for (const [n, compiled] of all.entries()) alone.push(await runOf(compiled, batches[n]!));
    for (let round = 0; round < 10; round++) {
      const running = all.flatMap((compiled, n) => [
        runOf(compiled, batches[n]!),
        compiled.value(batches[n]!).then(({ loss }) => loss),
      ]);
      const found = await Promise.all(running);
      expect(found.filter((_, n) => n % 2 === 0)).toEqual(alone);
    }
    // one goes while the others run
    const last = all.map((compiled, n) => runOf(compiled, batches[n]!));
    all[0]!.dispose();
    await expect(last[0]).rejects.toMatchObject({ code: "used-after-dispose" });
    expect(await Promise.all(last.slice(1))).toEqual(alone.slice(1));
    expect(await runOf(all[1]!, batches[1]!)).toBe(alone[1]);
    for (const compiled of all) compiled.dispose();
    expect(all.map((compiled) => compiled.memory().bytes)).toEqual([0, 0, 0]);
  });
});
