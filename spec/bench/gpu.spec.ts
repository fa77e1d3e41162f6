// The command for a machine with a GPU: what it says of an adapter, and its verdict on each objective.
import { describe, expect, it } from "vitest";
import { adapterReport, verdicts } from "../../bench/gpu.ts";
import type { Device } from "../../src/index.ts";

describe("bench:gpu", () => {
  it("prints what Dawn reports: subgroups, matrix shapes, features and every limit", () => {
    const device = {
      line: "maker, board [hardware]",
      info: { subgroupMinSize: 32, subgroupMaxSize: 64, subgroupMatrixConfigs: ['{"M":16}'] },
      limits: { maxBufferSize: 4096, maxBindGroups: 4 },
      features: ["shader-f16", "subgroups"],
    } as unknown as Device;
    const text = adapterReport(device);
    for (const part of [
      "maker, board [hardware]",
      "subgroups: 32 to 64 lanes",
      'subgroupMatrixConfigs: {"M":16}',
      "features: shader-f16, subgroups",
      "maxBufferSize: 4096",
      "maxBindGroups: 4",
    ])
      expect(text).toContain(part);
    const bare = { ...device, info: { subgroupMaxSize: 0, subgroupMatrixConfigs: [] } };
    expect(adapterReport(bare as unknown as Device)).toMatch(/not reported[^]*Configs: none/);
  });

  it("says of each objective whether it reached the goal, and nothing of peers or single directions", () => {
    const line = { objective: "dpo", dtype: "bf16", provider: "compiled", gb_s: 4000 } as const;
    expect(
      verdicts([
        { ...line, direction: "full", percent_of_copy: 85 },
        { ...line, direction: "full", percent_of_copy: 84.9 },
        { ...line, direction: "forward", percent_of_copy: 90 },
        { ...line, provider: "expert", direction: "full", percent_of_copy: 90 },
        { ...line, direction: "full" },
      ]),
    ).toEqual([
      "dpo, bf16: value and gradient at 4000 GB/s, 85 % of copying (goal 85 %: reached)",
      "dpo, bf16: value and gradient at 4000 GB/s, 85 % of copying (goal 85 %: missed)",
    ]);
  });
});
