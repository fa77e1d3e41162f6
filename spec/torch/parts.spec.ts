// Parts of a batch add up: micro-batches of any sizes, on one rank and on two whose counts differ, have the gradient of the whole
// batch. Means of means, as trainers take them, do not, and the documents say by how much.
import { beforeAll, describe, expect, it } from "vitest";
import { builtIn } from "../../src/index.ts";
import { emitTorch } from "../../src/torch/emit.ts";
import { has, minutes, software } from "./software.ts";

const { write, run } = software();
const names = ["dpo", "ipo", "sft", "wpo", "kto"];
interface Parts {
  readonly exact: number;
  readonly means: Readonly<Record<string, number>>;
}

beforeAll(() => {
  for (const name of names)
    write(`parts_${name}`, emitTorch(builtIn(name), { from: "logits", metrics: false }));
});

describe.skipIf(!has("torch, trl"))("parts of a batch", () => {
  it.each([1, 2] as const)(
    "have the gradient of the whole on %i ranks: 1 x 8, 2 x 4, 8 x 1 and ragged",
    async (ranks) => {
      const found = await run("parts.py", names, ranks);
      for (const name of names) {
        const { exact, means } = found[name] as Parts;
        expect(exact, name).toBeLessThan(1e-12);
        // what is compared is not the same whatever one does
        expect(means["ragged"], name).toBeGreaterThan(0.1);
      }
    },
    5 * minutes,
  );

  it(
    "differ from a mean of means as the documents say",
    async () => {
      const found = await run("parts.py", ["dpo", "sft", "kto"]);
      const means = (name: string): Parts["means"] => (found[name] as Parts).means;
      expect(means("dpo")["2 x 4"]).toBeLessThan(1e-12);
      expect(means("dpo")["ragged"]).toBeCloseTo(0.63, 2);
      expect(means("sft")["2 x 4"]).toBeCloseTo(0.41, 2);
      expect(means("sft")["8 x 1"]).toBeCloseTo(0.87, 2);
      expect(means("kto")["2 x 4"]).toBeCloseTo(7.7e-4, 5);
      expect(means("kto")["ragged"]).toBeCloseTo(0.5, 2);
    },
    5 * minutes,
  );
});
