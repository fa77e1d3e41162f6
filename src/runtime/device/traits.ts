// What a device says of itself that decides how kernels are laid out on it.

import { typicalTraits, type AdapterTraits } from "../../schedule/schedule.ts";
import { untuned } from "../../schedule/tuning.ts";
import type { Tuned } from "../../schedule/choose.ts";
import type { Device } from "./device.ts";

/** What decides about schedules on a device. */
export function traitsOf(device: Device): AdapterTraits {
  return {
    software: device.info.software,
    subgroupSize: device.info.subgroupMaxSize > 0 ? device.info.subgroupMaxSize : 4,
    maxInvocations: device.limits["maxComputeInvocationsPerWorkgroup"] ?? 256,
    subgroups: device.features.includes("subgroups"),
    evenSubgroups: device.info.subgroupMinSize === device.info.subgroupMaxSize,
    // two cores read a split row no faster than one (measured), as merging takes a dispatch; of more, half should be busy.
    // A GPU does not say; a large one moves 5 TB/s and waits 0.7 µs for memory, so 3.5 MB must be under way, which is what
    // 220 workgroups of 256 lanes with four vectors each ask for at once
    workgroups: device.info.software ? Math.floor(device.cores / 2) : typicalTraits.workgroups,
    slowRegisterAllocation: device.info.architecture === "swiftshader",
  };
}

/** What schedules are chosen for on a device, or, without one, on a typical GPU. */
export const tunedOn = (device: Device | undefined): Tuned =>
  device === undefined
    ? {
        traits: typicalTraits,
        adapter: "a typical GPU, as no device is given",
        tuning: untuned,
      }
    : { traits: traitsOf(device), adapter: device.line, tuning: device.tuning };
