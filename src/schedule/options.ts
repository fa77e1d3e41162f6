// Checks a schedule that is given by hand: every mistake in one sentence, before a kernel is made of it.

import { fail } from "../core/error.ts";
import { didYouMean, listNames } from "../core/names.ts";
import type { AdapterTraits, ScheduleOptions } from "./schedule.ts";

const isPower = (value: number): boolean => value >= 1 && Number.isInteger(Math.log2(value));
const isWhole = (value: number, most: number): boolean =>
  Number.isSafeInteger(value) && value >= 1 && value <= most;

/** What an option may be, and whether a value is that. */
interface Rule {
  readonly may: (most: number) => string;
  readonly holds: (value: unknown, most: number, allowed: Allowed) => boolean;
}
const number = (may: Rule["may"], holds: (value: number, most: number) => boolean): Rule => ({
  may,
  holds: (value, most) => typeof value === "number" && holds(value, most),
});
const powerOfTwo = number(
  (most) => `a power of two from 1 to ${most}`,
  (value, most) => isPower(value) && value <= most,
);

const mostUnroll = 16;
const mostSplit = 256;
const rowRules: Readonly<Record<string, Rule>> = {
  rowLanes: powerOfTwo,
  vector: number(
    () => "1 or 4",
    (value) => value === 1 || value === 4,
  ),
  unroll: number(
    () => `a whole number from 1 to ${mostUnroll}`,
    (value) => isWhole(value, mostUnroll),
  ),
  split: number(
    () => `a whole number from 1 to ${mostSplit}`,
    (value, most) => isWhole(value, Math.min(mostSplit, most)),
  ),
  groupRows: powerOfTwo,
};
const rules: Readonly<Record<string, Rule>> = {
  ...rowRules,
  programLanes: powerOfTwo,
  tokenLanes: powerOfTwo,
  shareMaxima: {
    may: () => "false, or, with subgroup operations, true",
    holds: (value, _, { subgroups = true }) => value === false || (value === true && subgroups),
  },
  combine: {
    may: () => '"shared", or, where all subgroups have one size, "subgroup"',
    holds: (value, _, { subgroups = true, evenSubgroups = true }) =>
      value === "shared" || (value === "subgroup" && subgroups && evenSubgroups),
  },
  blockLength: {
    may: () => "null or a whole number of at least 1",
    holds: (value) => value === null || (typeof value === "number" && isWhole(value, Infinity)),
  },
};

/** What decides whether an option may be had: every adapter where it is left out. */
export type Allowed = Partial<
  Pick<AdapterTraits, "maxInvocations" | "subgroups" | "evenSubgroups" | "subgroupSize">
>;

/**
 * Checks the options of a schedule for an adapter.
 * @throws PrefcError schedule-option
 */
export function checkScheduleOptions(options: ScheduleOptions, allowed: Allowed = {}): void {
  const { gradient, ...own } = record("schedule", options);
  check("schedule", own, rules, allowed);
  if (gradient !== undefined) {
    check("schedule.gradient", record("schedule.gradient", gradient), rowRules, allowed);
  }
  const { programLanes, tokenLanes, rowLanes, combine } = options;
  const { subgroupSize = rowLanes } = allowed;
  if (combine === "subgroup" && rowLanes !== undefined && rowLanes !== subgroupSize) {
    fail(
      "schedule-option",
      `schedule.combine is "subgroup", but a row has ${rowLanes} lanes and a subgroup of this adapter ${subgroupSize}; give as many lanes, or "shared".`,
    );
  }
  if (programLanes !== undefined && tokenLanes !== undefined && tokenLanes > programLanes) {
    fail(
      "schedule-option",
      `schedule.tokenLanes is ${tokenLanes}, but a row program has only ${programLanes} lanes; give at most as many.`,
    );
  }
}

function record(where: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  return fail("schedule-option", `${where} is ${String(value)}; give an object of options.`);
}

function check(
  where: string,
  given: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, Rule>>,
  allowed: Allowed,
): void {
  const { maxInvocations: most = Infinity } = allowed;
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(known, name) ? known[name] : undefined;
    if (rule === undefined) {
      const names = Object.keys(known);
      fail(
        "schedule-option",
        `${where} has no option ${JSON.stringify(name)}; it has ${listNames(names)}.${didYouMean(name, names)}`,
      );
    }
    if (!rule.holds(value, most, allowed)) {
      fail(
        "schedule-option",
        `${where}.${name} is ${JSON.stringify(value) ?? String(value)}; it may be ${rule.may(most)} on this adapter.`,
      );
    }
  }
}
