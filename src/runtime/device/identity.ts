// What an adapter says of itself, as plain data and as the one line that goes with every measurement.
import type { AdapterKind } from "./adapter.ts";

/** A plain copy of GPUAdapterInfo, whose fields are getters. Subgroup sizes are in lanes; 0 where they are not known. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** True when the adapter computes on the CPU. */
  readonly software: boolean;
  readonly kind: AdapterKind;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  /** Matrix shapes that subgroups multiply in hardware, in words; empty where the adapter reports none. */
  readonly subgroupMatrixConfigs: readonly string[];
}

/** Fields that are getters, which JSON would leave out. */
interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}
const matrixText = ({ componentType, resultComponentType, M, N, K }: MatrixConfig): string =>
  `${componentType} to ${resultComponentType}, M ${M}, N ${N}, K ${K}`;

export const infoOf = (info: GPUAdapterInfo, kind: AdapterKind): AdapterInfo => {
  // Not every browser has these fields.
  const { subgroupMatrixConfigs, isFallbackAdapter } = info as {
    readonly subgroupMatrixConfigs?: Iterable<MatrixConfig>;
    readonly isFallbackAdapter?: boolean;
  };
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    software: isFallbackAdapter === true,
    kind,
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
    subgroupMatrixConfigs: [...(subgroupMatrixConfigs ?? [])].map(matrixText),
  };
};

/** What is known of an adapter that says nothing. */
export const unnamed = {
  vendor: "",
  architecture: "",
  device: "",
  description: "",
} as GPUAdapterInfo;

export const lineOf = ({
  vendor,
  architecture,
  device,
  description,
  software,
  kind,
}: AdapterInfo): string => {
  const maker = [vendor, architecture].filter((part) => part !== "").join(" ");
  const named = description === "" ? device : description;
  const nature =
    kind === "bundled" || (kind === "user's own" && software) ? `${kind}, software` : kind;
  return `${[maker, named].filter((part) => part !== "").join(", ") || "unnamed adapter"} [${nature}]`;
};
