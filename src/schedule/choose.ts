// Which schedule a compiled objective runs with: by hand, as measured by `prefc tune`, or the default for the adapter. The
// same choice is explained and run.

import { PrefcError } from "../core/error.ts";
import { checkScheduleOptions } from "./options.ts";
import {
  chooseSchedule,
  type AdapterTraits,
  type Schedule,
  type ScheduleOptions,
} from "./schedule.ts";
import { tunedFor, type TunedEntry, type TunedShape, type Tuning } from "./tuning.ts";

export interface ChosenSchedule {
  readonly schedule: Schedule;
  /** Where it comes from, in words. */
  readonly origin: string;
}

/** What schedules are chosen for: an adapter, how it is called, and what was measured on it. */
export interface Tuned {
  readonly traits: AdapterTraits;
  /** The adapter in a line, for explanations. */
  readonly adapter: string;
  readonly tuning: Tuning;
}

/** The schedule for a shape. @throws PrefcError schedule-option */
export function scheduler(
  { traits, adapter, tuning: measured }: Tuned,
  options: ScheduleOptions = {},
): (shape: TunedShape) => ChosenSchedule {
  checkScheduleOptions(options, traits);
  // a table may have been made for the same adapter with other limits, or be written by hand
  const { entries, ...rest } = measured;
  const tuning = { ...rest, entries: entries.filter((entry) => isLegal(entry, traits)) };
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
