// Ranges of numbers: what an option or a run-time parameter may be, and how that is said.

/** Numbers between bounds, of which there may be one. */
export interface NumberRange {
  readonly from?: number;
  /** A lower bound that is excluded. */
  readonly above?: number;
  readonly to?: number;
  /** An upper bound that is excluded. */
  readonly below?: number;
}

/** The bounds of a range in the order in which they are written. */
export const boundNames = ["from", "above", "to", "below"] as const;

/** Whether a number is finite and within the bounds. */
export const inRange = ({ from, above, to, below }: NumberRange, value: number): boolean =>
  Number.isFinite(value) &&
  value >= (from ?? -Infinity) &&
  value > (above ?? -Infinity) &&
  value <= (to ?? Infinity) &&
  value < (below ?? Infinity);

/** The bounds in words: "from 0 to below 0.5". */
export const rangeText = ({ from, above, to, below }: NumberRange): string => {
  const lower = from !== undefined ? `from ${from}` : above !== undefined ? `above ${above}` : "";
  const upper = to !== undefined ? `to ${to}` : below !== undefined ? `below ${below}` : "";
  if (lower === "" || upper === "") return lower + upper;
  return lower + (from === undefined ? " and " : to === undefined ? " to " : " ") + upper;
};

/** A range as it is kept: bounds that say nothing are left out, and of two on one side the stricter stays. */
export function narrowed(...ranges: readonly NumberRange[]): NumberRange {
  const most = (name: "from" | "above"): number =>
    Math.max(-Infinity, ...ranges.map((range) => range[name] ?? -Infinity));
  const least = (name: "to" | "below"): number =>
    Math.min(Infinity, ...ranges.map((range) => range[name] ?? Infinity));
  const [from, above, to, below] = [most("from"), most("above"), least("to"), least("below")];
  return {
    ...(above >= from ? bound("above", above) : bound("from", from)),
    ...(below <= to ? bound("below", below) : bound("to", to)),
  };
}

const bound = (name: (typeof boundNames)[number], value: number): NumberRange =>
  Number.isFinite(value) ? { [name]: value } : {};
