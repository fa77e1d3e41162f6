// What a check says of a batch: code that makes it again, and nothing about rounding or about a driver that is slow.
import { describe, expect, it } from "vitest";
import { batchCode } from "../../src/check/paste.ts";
import { randomBatch } from "../../src/sample/batch.ts";
import { checkObjective } from "../../src/check/check.ts";
import type { BatchReport } from "../../src/check/report.ts";
import { random } from "../../src/sample/random.ts";
import {
  builtIn,
  compile,
  dpo,
  evaluate,
  fromResponses,
  log,
  objective,
  PrefcError,
  wpo,
  type Batch,
  type Device,
} from "../../src/index.ts";

const size = { examples: 3, tokens: 3, vocab: [3, 9] } as const;
const reports = async (
  ...[of, options]: Parameters<typeof checkObjective>
): Promise<BatchReport[]> => {
  const all: BatchReport[] = [];
  for await (const report of checkObjective(of, options)) all.push(report);
  return all;
};

describe("the code of a batch", () => {
  it.each(["dpo", "wpo", "reward", "tis_dpo", "orpo"])(
    "makes a batch of the same loss: %s",
    (name) => {
      const own =
        name === "tis_dpo" && !Object.hasOwn(builtIn, name) ? builtIn("tis-dpo") : builtIn(name);
      const { program } = compile(own);
      const batch = randomBatch(
        {
          responses: program.responses,
          inputs: program.inputs,
          fewestExamples: 1,
          dtype: "f32",
          declared: own.declared,
        },
        size,
        random(7, 1),
      );
      const code = batchCode(batch, program.inputs);
      expect(code).toMatch(/^import \{ fromResponses \} from "prefc";/);
      const body = code!.replace(/^[^]*?export const batch = /, "return ");
      // oxlint-disable-next-line no-implied-eval -- this is what a person does who pastes it
      const again = new Function("fromResponses", body)(fromResponses) as Batch;
      const loss = (one: Batch): number => evaluate([program.loss], one, {})[0]!.data[0]!;
      expect(loss(again)).toBe(loss(batch));
    },
  );
});

describe("a check", () => {
  it("does not hold the rounding of a loss against a small gradient", async () => {
    const options = { batches: 10, seed: 1, params: { beta: 1e-6 }, device: null };
    for (const { failures } of await reports(dpo(), options)) expect(failures).toEqual([]);
  });

  it("that finds something wrong brings the batch", async () => {
    const wrong = objective("undefined", ["w"], ({ policy, y }) => log(policy.logps(y.w)), {
      source: "own",
    });
    const [first] = await reports(wrong, { batches: 1, seed: 1, device: null });
    expect(first!.failures).toHaveLength(1);
    expect(first!.code).toMatch(/labels: \[\[/);
  });

  it("that runs out of time has decided nothing", async () => {
    const late = new PrefcError("gpu-timeout", "The driver did not finish.");
    const device = {
      line: "an adapter",
      features: [],
      limits: {},
      info: { software: false, subgroupMaxSize: 32, architecture: "" },
      cores: 4,
      tuning: { entries: [], path: null, problem: null },
      whenLost: () => () => undefined,
      isLost: () => {
        throw late;
      },
      isDisposed: () => false,
    } as unknown as Device;
    const [report] = await reports(wpo(), { batches: 1, seed: 1, device });
    expect(report).toMatchObject({ failures: [], undecided: late.message, code: null });
  });
});
