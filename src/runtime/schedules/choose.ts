// Which schedule a compiled objective runs with: by hand, as measured by `prefc tune`, or the default for the adapter. The
// same choice is explained and run.

import { PrefcError } from "../../core/error.ts";
import { checkScheduleOptions } from "../../kernel/options.ts";
import {
  chooseSchedule,
  typicalTraits,
  type AdapterTraits,
  type Schedule,
  type ScheduleOptions,
} from "../../kernel/schedule.ts";
import type { Device } from "../device/device.ts";
import { tunedFor, untuned, type TunedEntry, type TunedShape } from "./tuning.ts";

export interface ChosenSchedule {
  readonly schedule: Schedule;
  /** Where it comes from, in words. */
  readonly origin: string;
}

/** The schedule for a shape. @throws PrefcError schedule-option */
export function scheduler(
  device: Device | undefined,
  options: ScheduleOptions = {},
): (shape: TunedShape) => ChosenSchedule {
  const traits = traitsOf(device);
  checkScheduleOptions(options, traits);
  // a table may have been made for the same adapter with other limits, or be written by hand
  const { entries, ...rest } = device?.tuning ?? untuned;
  const tuning = { ...rest, entries: entries.filter((entry) => isLegal(entry, traits)) };
  const adapter = device?.line ?? "a typical GPU, as no device is given";
  return (shape) => {
    const tuned = tunedFor(tuning, shape);
    const source =
      tuned === undefined
        ? `chosen for ${adapter}`
        : `measured by prefc tune on ${tuned.measured} for ${adapter}`;
    const given = Object.keys(options);
    return {
      schedule: chooseSchedule(traits, shape, tuned?.schedule, options),
      origin: given.length === 0 ? source : `${given.join(", ")} given by hand, the rest ${source}`,
    };
  };
}

function isLegal({ schedule }: TunedEntry, traits: AdapterTraits): boolean {
  try {
    checkScheduleOptions(schedule, traits);
    return true;
  } catch (error) {
    if (error instanceof PrefcError) return false;
    throw error;
  }
}

export function traitsOf(device: Device | undefined): AdapterTraits {
  if (device === undefined) return typicalTraits;
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
