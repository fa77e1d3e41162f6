// A recorded step as what a benchmark runs on: its rows, completions and logits are those of the file, and a step that kernels cannot
// read is refused.

import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { logitsRows } from "../../src/bench/logits.ts";
import { readRecorded, type RecordedStep } from "../../src/bench/recorded.ts";
import { openTensors } from "../../src/tensors/open.ts";
import { errorOf } from "../support/error.ts";
import { f32, i64, safetensors, withFile, type Plain } from "../support/tensors.ts";

const path = fileURLToPath(new URL("../audit/recorded/dpo-0.safetensors", import.meta.url));
const opened = <T>(file: string, act: (step: RecordedStep) => T): T => {
  const step = readRecorded(file, null);
  try {
    return act(step);
  } finally {
    step.close();
  }
};

describe("a recorded step", () => {
  it("has the rows of the file, and a row for each completion token", () => {
    opened(path, (step) => {
      const file = openTensors(path);
      const logits = file.tensors.get("policy_logits")!;
      const mask = file.tensors.get("completion_mask")!;
      const [sequences, length, vocab] = logits.shape as readonly [number, number, number];
      expect(step).toMatchObject({ rows: sequences * length, vocab, dtype: "f32" });
      const layout = step.layout(["w", "l"], 1);
      const completion = mask.numbers().reduce((sum, one) => sum + one, 0);
      expect(layout).toMatchObject({ examples: sequences / 2, completionRows: completion });
      expect(layout.padding).toBeCloseTo(1 - completion / step.rows, 12);
      const ids = file.tensors.get("input_ids")!.numbers();
      for (const response of ["w", "l"]) {
        const { labels } = layout.responses[response]!;
        layout.rowIndex[response]!.forEach((row, token) => {
          expect(labels[token]).toBe(ids[row + 1]);
          expect(mask.numbers()[row + 1]).toBe(1);
        });
      }
      const wanted = [3, 0, step.rows - 1];
      const rows = logitsRows("policy", wanted, vocab, "f32", step);
      wanted.forEach((row, at) =>
        expect(Array.from(rows.subarray(at * vocab, (at + 1) * vocab))).toEqual(
          Array.from(logits.numbers(row * vocab, vocab)),
        ),
      );
      file.close();
    });
  });

  it("may be an objective's of one response, and not of others", () => {
    opened(path, (step) => {
      expect(Object.keys(step.layout(["w"], 1).responses)).toEqual(["w"]);
      expect(errorOf(() => step.layout(["y"], 1))[0]).toBe("audit-responses");
      expect(errorOf(() => step.layout(["w"], 9))[1]).toContain("the objective needs 9");
    });
  });

  const step: Readonly<Record<string, Plain>> = {
    input_ids: i64([1, 2, 1, 0], 2, 2),
    completion_mask: i64([0, 1, 0, 1], 2, 2),
    policy_logits: f32([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3], 2, 2, 3),
  };
  it.each<readonly [string, Readonly<Record<string, Plain>>, string, string]>([
    ["no reference", step, "step-tensor-missing", "record ref_logits"],
    [
      "a wider reference",
      { ...step, ref_logits: f32([...Array(16).keys()], 2, 2, 4) },
      "step-tensor-shape",
      "another shape",
    ],
    [
      "a shorter reference",
      { ...step, ref_logits: f32([1, 2, 3, 1, 2, 3], 2, 1, 3) },
      "step-tensor-shape",
      "another shape",
    ],
  ])("is refused with %s", (_, tensors, code, part) => {
    withFile(safetensors(tensors), "step", (file) => {
      const [found, message] = errorOf(() => readRecorded(file, null));
      expect([found, message.includes(part)]).toEqual([code, true]);
    });
  });
});
