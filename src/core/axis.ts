// Axes are named index variables. "batch" ranges over examples, "vocab" over vocabulary entries and "token.R" over the
// completion tokens of response R. The table below says what each kind of axis is; to add a kind is to add a row. An axis
// itself is known by its spelling, and only this file makes spellings and takes them apart.

import { fail } from "./error.ts";
import { cite } from "./quote.ts";

/** What is known of a kind of axis. */
interface Kind {
  /** Whether each response has an axis of this kind of its own. */
  readonly ofResponse: boolean;
  /** The axes that its extent depends on: it is ragged in them, so whatever ranges over it ranges over them as well. */
  readonly extent: readonly Axis[];
  /** How one is named in a sentence for a person; `response` is "" where responses have none of their own. */
  readonly describe: (response: string) => string;
}

/** A kind of axis, which is also its name in the surface language. */
export type AxisKind = "batch" | "token" | "vocab";
export type TokenAxis = `token.${string}`;
export type Axis = "batch" | "vocab" | TokenAxis;

/** In the one order in which sets of axes are stored. */
const kinds: Readonly<Record<AxisKind, Kind>> = {
  batch: { ofResponse: false, extent: [], describe: () => "batch" },
  token: {
    ofResponse: true,
    extent: ["batch"],
    describe: (response) => `the tokens of ${cite(response)}`,
  },
  vocab: { ofResponse: false, extent: [], describe: () => "vocab" },
};
export const axisKinds: readonly AxisKind[] = Object.keys(kinds) as AxisKind[];

/** The kind of an axis. */
export function kindOf(axis: Axis): AxisKind {
  const end = axis.indexOf(".");
  return (end < 0 ? axis : axis.slice(0, end)) as AxisKind;
}

/** The response that an axis belongs to; "" for one that belongs to none. */
const ownerOf = (axis: Axis): string => axis.slice(kindOf(axis).length + 1);

/** Whether each response has an axis of this kind of its own. */
export const isOfResponse = (kind: AxisKind): boolean => kinds[kind].ofResponse;

/** The axis of a kind; `response` says whose, where responses have axes of their own. */
export const axisOf = (kind: AxisKind, response: string): Axis =>
  (isOfResponse(kind) ? `${kind}.${response}` : kind) as Axis;

/** Whether a value is an axis. */
export function isAxis(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const kind = kindOf(value as Axis);
  return Object.hasOwn(kinds, kind) && isOfResponse(kind) === value.length > kind.length;
}

/** The token axis of a response. */
export function tokenAxis(response: string): TokenAxis {
  return `token.${response}`;
}

export function isTokenAxis(axis: Axis): axis is TokenAxis {
  return kindOf(axis) === "token";
}

/** The response whose tokens a token axis ranges over. */
export function responseOf(axis: TokenAxis): string {
  return ownerOf(axis);
}

/** The response whose tokens are among these axes, or null where none are. */
export function responseAmong(axes: readonly Axis[]): string | null {
  const axis = axes.find(isTokenAxis);
  return axis === undefined ? null : ownerOf(axis);
}

/** The axes that the extent of an axis depends on. */
export function extentAxes(axis: Axis): readonly Axis[] {
  return kinds[kindOf(axis)].extent;
}

/** The one order in which sets of axes are stored: by kind, then by the name of the response. */
export function compareAxes(a: Axis, b: Axis): number {
  const rank = (axis: Axis): number => axisKinds.indexOf(kindOf(axis));
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Union of sets of axes, closed under raggedness and in canonical order. */
export function unionAxes(...sets: readonly (readonly Axis[])[]): readonly Axis[] {
  const all = new Set<Axis>();
  for (const set of sets) {
    for (const axis of set) {
      all.add(axis);
      for (const needed of extentAxes(axis)) all.add(needed);
    }
  }
  return [...all].toSorted(compareAxes);
}

/** How an axis is named in a sentence for a person. */
export function describeAxis(axis: Axis): string {
  return kinds[kindOf(axis)].describe(ownerOf(axis));
}

/** How an axis is printed; `word` spells the name of a response. */
export function spellAxisWith(axis: Axis, word: (name: string) => string): string {
  const kind = kindOf(axis);
  return isOfResponse(kind) ? `${kind}.${word(ownerOf(axis))}` : kind;
}

/** Two axes of one kind that belong to different responses, if there are such. */
export function differingAxes(axes: readonly Axis[]): readonly [Axis, Axis] | undefined {
  const second = axes.findIndex(
    (axis, position) => position > 0 && kindOf(axes[position - 1]!) === kindOf(axis),
  );
  return second < 0 ? undefined : [axes[second - 1]!, axes[second]!];
}

/** Fails unless the set, in canonical order, could be the index space of an expression: tokens of one response at most. */
export function checkAxes(axes: readonly Axis[], where: string): void {
  const differing = differingAxes(axes);
  if (differing === undefined) return;
  const [first, second] = differing;
  const kind = kindOf(first);
  fail(
    "token-axes-differ",
    `${where}: ${kind} axes differ (one side ranges over ${describeAxis(first)}, the other over ${describeAxis(second)}); ` +
      `reduce one side first, e.g. sum(${cite(kind)}, …).`,
  );
}
