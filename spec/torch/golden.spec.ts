// Recorded results of published code through emitted files, at every height that serves, in float64.
import { expect, it } from "vitest";
import { runConform } from "../../src/conform/run.ts";
import { folder } from "../conform/support.ts";
import { describeTorch } from "./python.ts";

describeTorch("recorded files in PyTorch", () => {
  it("agree in value and gradient to 1e-9 at each height", async () => {
    const { files, passed, failed } = await runConform(folder, { engine: "torch" });
    expect(files.flatMap(({ failures }) => failures)).toEqual([]);
    expect(failed).toBe(0);
    expect(passed).toBeGreaterThan(90);
    for (const height of ["logits", "statistics", "logps"]) {
      const judged = files.flatMap(({ engines }) =>
        engines.filter(({ engine, loss }) => engine === `torch ${height}` && !Number.isNaN(loss)),
      );
      expect(judged.length, height).toBeGreaterThan(40);
    }
  });
});
