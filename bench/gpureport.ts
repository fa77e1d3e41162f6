// What bench:gpu writes beside the lines: the adapter as Dawn reports it, the verdicts, and whatever could not be measured, as
// Markdown and as JSON.

import type { Device } from "../src/index.ts";
import { sentenceOf, type Verdict } from "./goals.ts";

/** What a run on one machine found. */
export interface Findings {
  /** Null where no adapter could be opened. */
  readonly device: Pick<Device, "line" | "info" | "limits" | "features"> | null;
  /** What is missing on this machine or was left out, a sentence each. */
  readonly missing: readonly string[];
  readonly verdicts: readonly Verdict[];
  /** Reports of the parts, as Markdown. */
  readonly reports: readonly string[];
}

const list = (items: readonly string[]): readonly string[] => [
  ...items.map((item) => `- ${item}`),
  "",
];

/** What Dawn says of an adapter, as Markdown. */
export function adapterReport({
  line,
  info,
  limits,
  features,
}: NonNullable<Findings["device"]>): string {
  const lanes =
    info.subgroupMaxSize === 0
      ? "not reported"
      : `${info.subgroupMinSize} to ${info.subgroupMaxSize} lanes`;
  const matrices = info.subgroupMatrixConfigs;
  return [
    "# Adapter",
    "",
    line,
    "",
    ...list([
      `subgroups: ${lanes}`,
      `subgroupMatrixConfigs: ${matrices.length === 0 ? "none" : matrices.join(" ")}`,
      `features: ${features.join(", ")}`,
      ...Object.entries(limits).map(([name, value]) => `${name}: ${value}`),
    ]),
  ].join("\n");
}

export const markdownOf = ({ device, missing, verdicts, reports }: Findings): string =>
  [
    ...(device === null ? [] : [adapterReport(device)]),
    "# Goals",
    "",
    ...list(verdicts.length === 0 ? ["Nothing was measured."] : verdicts.map(sentenceOf)),
    ...(missing.length === 0 ? [] : ["# Missing", "", ...list(missing)]),
    ...reports,
  ].join("\n");

export function jsonOf({ device, missing, verdicts }: Findings): string {
  const adapter =
    device === null
      ? null
      : {
          adapter: device.line,
          driver: device.info.description,
          subgroup_min_size: device.info.subgroupMinSize,
          subgroup_max_size: device.info.subgroupMaxSize,
          subgroup_matrix_configs: device.info.subgroupMatrixConfigs,
          features: device.features,
          limits: device.limits,
        };
  return `${JSON.stringify({ adapter, missing, verdicts }, null, 2)}\n`;
}
