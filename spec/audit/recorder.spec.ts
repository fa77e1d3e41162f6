// The recorder of `prefc audit --recorder trl` in TRL: a step that it records today departs in nothing, for each of four losses. Without
// Python or TRL it is skipped, and one line says so.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { audit } from "../../src/audit/audit.ts";
import { readStep } from "../../src/audit/step.ts";
import { builtIn } from "../../src/index.ts";
import { interpreter } from "../../src/python/worker.ts";
import { openTensors } from "../../src/tensors/open.ts";
import { has, minutes } from "../torch/software.ts";

const needs = "torch, trl, datasets, safetensors";
const hasTrl = has(needs);
if (!hasTrl)
  console.warn(
    `the recorder is not run: ${interpreter()} lacks one of ${needs}; pip install torch==2.13.0 trl==1.16.0 and set PREFC_PYTHON.`,
  );

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

it("the recorder has at most 30 lines", () => {
  const text = readFileSync(here("../../python/record_trl.py"), "utf8");
  expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(30);
});

describe.skipIf(!hasTrl)("steps that are recorded now", () => {
  it(
    "depart in nothing",
    () => {
      const folder = mkdtempSync(join(tmpdir(), "prefc-recorder-"));
      try {
        execFileSync(interpreter(), [here("record_clean.py"), folder, "1"], {
          env: { ...process.env, HF_HUB_OFFLINE: "1" },
          stdio: "ignore",
        });
        const files = readdirSync(folder);
        expect(files).toHaveLength(4);
        for (const name of files) {
          const file = openTensors(join(folder, name));
          const found = audit(readStep(file, null), builtIn(name.split("-")[0]!), {});
          file.close();
          expect([name, found.first]).toEqual([name, null]);
          expect(found.comparisons.length).toBeGreaterThan(13);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    5 * minutes,
  );
});
