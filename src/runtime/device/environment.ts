// What a bug report or a measurement has to state about where it was made: versions, adapter, driver, features and limits,
// as data and as one block of plain text to paste.
import type { AdapterInfo, Device } from "./device.ts";
import { isNode, nodeHost } from "./host.ts";

/** Where the program runs and on what. Without a device, everything that only a device knows is absent. */
export interface Environment {
  /** Names and versions, in the order in which to print them. */
  readonly versions: Readonly<Record<string, string>>;
  readonly device?: {
    readonly line: string;
    readonly info: AdapterInfo;
    readonly features: readonly string[];
    readonly limits: Readonly<Record<string, number>>;
    /** In bytes. */
    readonly byteBudget: number;
    /** Classes of shapes that `prefc tune` measured, where they are kept, and why they cannot be used. */
    readonly schedules: {
      readonly measured: number;
      readonly path: string | null;
      readonly problem: string | null;
    };
  };
  /** Why there is no device. */
  readonly problem?: string;
}

const browserVersions = (): Readonly<Record<string, string>> => {
  const { navigator } = globalThis as { readonly navigator?: { readonly userAgent?: string } };
  return { browser: navigator?.userAgent ?? "unknown" };
};

/** Describes the environment: a device, or the reason why there is none. */
export const describeEnvironment = async (device: Device | string): Promise<Environment> => {
  const versions = isNode ? (await nodeHost()).versions() : browserVersions();
  if (typeof device === "string") return { versions, problem: device };
  const { line, info, features, limits, byteBudget, tuning } = device;
  const { entries, path, problem } = tuning;
  const schedules = { measured: entries.length, path, problem };
  return { versions, device: { line, info, features, limits, byteBudget, schedules } };
};

const sized = (name: string, value: number): string =>
  /Size$|Budget$/.test(name) && value >= 2 ** 20
    ? `${value} (${(value / 2 ** 20).toFixed(0)} MiB)`
    : String(value);

type Schedules = NonNullable<Environment["device"]>["schedules"];
const schedulesText = ({ measured, path, problem }: Schedules): string =>
  problem ??
  (measured === 0
    ? "the defaults; prefc tune measures better ones"
    : `${measured} ${measured === 1 ? "class" : "classes"} of shapes measured, in ${path}`);

const table = (rows: readonly (readonly [name: string, value: string])[]): readonly string[] => {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
};

/** The environment as a block of plain text, ending without a line break. */
export const environmentText = ({ versions, device, problem }: Environment): string => {
  const lines = ["versions", ...table(Object.entries(versions))];
  if (device === undefined) {
    return [...lines, "adapter", `  none: ${problem ?? "no device was opened"}`].join("\n");
  }
  const { info, line, features, limits, byteBudget, schedules } = device;
  const { subgroupMinSize, subgroupMaxSize } = info;
  return [
    ...lines,
    "adapter",
    ...table([
      ["line", line],
      ["vendor", info.vendor],
      ["architecture", info.architecture],
      ["device", info.device],
      ["driver", info.description],
      ["kind", info.kind],
      ["software", info.software ? "yes" : "no"],
      [
        "subgroup size",
        subgroupMaxSize === 0 ? "unknown" : `${subgroupMinSize} to ${subgroupMaxSize}`,
      ],
      ["byteBudget", sized("byteBudget", byteBudget)],
      ["schedules", schedulesText(schedules)],
    ]),
    "features",
    `  ${features.join(" ") || "none"}`,
    "limits",
    ...table(Object.entries(limits).map(([name, value]) => [name, sized(name, value)])),
    ...(info.subgroupMatrixConfigs.length === 0
      ? []
      : ["subgroupMatrixConfigs", ...info.subgroupMatrixConfigs.map((one) => `  ${one}`)]),
  ].join("\n");
};
