// The kernels against what published code computed: every recorded file that ships with the tests, on the adapter under
// test, with the interpreter beside it.
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runConform } from "../../src/conform/run.ts";

const folder = fileURLToPath(new URL("../conformance/", import.meta.url));

it("agrees with the recorded losses, gradients and metrics", { timeout: 900_000 }, async () => {
  const report = await runConform(folder, { engine: "both" });
  const failures = report.files.flatMap(({ file, failures }) =>
    failures.map((failure) => `${file}: ${failure}`),
  );
  expect(failures).toEqual([]);
  expect(report.failed).toBe(0);
  // a folder that is found empty, or files that no engine judged, would agree with anything
  expect(report.passed).toBeGreaterThanOrEqual(50);
  expect(report.defects).toBe(1);
  const judged = report.files.filter(({ verdict }) => verdict === "ok");
  expect(
    judged.every(
      ({ engines }) =>
        engines.length === 2 &&
        engines.every(({ loss, gradient }) => loss < 1e-4 && gradient < 1e-3),
    ),
  ).toBe(true);
});
