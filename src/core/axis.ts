// Axes are named index variables. "batch" ranges over examples, "vocab" over vocabulary entries and "token.R" over the
// completion tokens of response R. A list is a response of which an example has any number: "response.R" ranges over them,
// "other.R" over the same ones a second time, and "token.R" over the tokens of each. The table below says what each kind of
// axis is; to add a kind is to add a row. An axis itself is known by its spelling, and only this file makes spellings.

import { fail } from "./error.ts";
import { cite } from "./quote.ts";

/** What is known of a kind of axis. */
interface Kind {
  /** Whether each response has an axis of this kind of its own. */
  readonly ofResponse: boolean;
  /** The axes that its extent depends on: it is ragged in them, so whatever ranges over it ranges over them as well. */
  readonly extent: (response: string) => readonly Axis[];
  /** How one is named in a sentence for a person; `response` is "" where responses have none of their own. */
  readonly describe: (response: string) => string;
}

/** A kind of axis, which is also its name in the surface language. */
export type AxisKind = "batch" | "response" | "other" | "token" | "vocab";
export type TokenAxis = `token.${string}`;
export type ResponseAxis = `response.${string}`;
export type OtherAxis = `other.${string}`;
export type Axis = "batch" | "vocab" | TokenAxis | ResponseAxis | OtherAxis;

const listMark = "[]";
/** The response of which an example has any number. */
export const listOf = <N extends string>(name: N): `${N}[]` => `${name}${listMark}`;
/** Whether an example has any number of a response. */
export const isList = (response: string): boolean => response.endsWith(listMark);
/** The name that its author gave a response. */
export const ownName = (response: string): string =>
  isList(response) ? response.slice(0, -listMark.length) : response;
const responsesMark = ".responses";
/** The responses of a list as rows of each example, as if they were the tokens of a response of their own. */
export const rowsOfList = (list: string): string => list + responsesMark;
/** The list whose responses such rows are, or null. */
export const listOfRows = (name: string): string | null =>
  name.endsWith(listMark + responsesMark) ? name.slice(0, -responsesMark.length) : null;

/** In the one order in which sets of axes are stored. */
const kinds: Readonly<Record<AxisKind, Kind>> = {
  batch: { ofResponse: false, extent: () => [], describe: () => "batch" },
  response: {
    ofResponse: true,
    extent: () => ["batch"],
    describe: (list) => `the responses of ${cite(ownName(list))}`,
  },
  other: {
    ofResponse: true,
    extent: () => ["batch"],
    describe: (list) => `the other responses of ${cite(ownName(list))}`,
  },
  token: {
    ofResponse: true,
    extent: (response) => (isList(response) ? ["batch", `response.${response}`] : ["batch"]),
    describe: (response) => `the tokens of ${cite(ownName(response))}`,
  },
  vocab: { ofResponse: false, extent: () => [], describe: () => "vocab" },
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

/** The axis over the responses of a list. */
export const responseAxis = (list: string): ResponseAxis => `response.${list}`;
/** The second axis over them. */
export const otherAxis = (list: string): OtherAxis => `other.${list}`;
export const isResponseAxis = (axis: Axis): axis is ResponseAxis => kindOf(axis) === "response";
export const isOtherAxis = (axis: Axis): axis is OtherAxis => kindOf(axis) === "other";
/** The list that an axis over responses belongs to. */
export const listAlong = (axis: ResponseAxis | OtherAxis): string => ownerOf(axis);

/** Whether two axes range over the same responses of a list, once each. */
export const isPairOf = (a: Axis, b: Axis): boolean =>
  ownerOf(a) === ownerOf(b) && [kindOf(a), kindOf(b)].toSorted().join() === "other,response";

/** The response whose tokens, or the list whose responses, are among these axes, or null where none are. */
export function responseAmong(axes: readonly Axis[]): string | null {
  const axis = axes.find((one) => isOfResponse(kindOf(one)));
  return axis === undefined ? null : ownerOf(axis);
}

/** The rows that an axis ranges over: the tokens of a response, or the responses of a list; null for other axes. */
export function rowsAlong(axis: Axis): string | null {
  if (isTokenAxis(axis)) return ownerOf(axis);
  return isResponseAxis(axis) ? rowsOfList(ownerOf(axis)) : null;
}

/** The innermost rows that an expression over these axes has a value for each of, or null where it has none. */
export function rowsAmong(axes: readonly Axis[]): string | null {
  const axis = axes.find(isTokenAxis) ?? axes.find(isResponseAxis);
  return axis === undefined ? null : rowsAlong(axis);
}

/** The axes that the extent of an axis depends on. */
export function extentAxes(axis: Axis): readonly Axis[] {
  return kinds[kindOf(axis)].extent(ownerOf(axis));
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

/** Two axes that belong to different responses, if there are such. */
export function differingAxes(axes: readonly Axis[]): readonly [Axis, Axis] | undefined {
  const owned = axes.filter((axis) => isOfResponse(kindOf(axis)));
  const second = owned.findIndex(
    (axis, position) => position > 0 && ownerOf(owned[position - 1]!) !== ownerOf(axis),
  );
  return second < 0 ? undefined : [owned[second - 1]!, owned[second]!];
}

/** Fails unless the set, in canonical order, could be the index space of an expression: tokens of one response at most. */
export function checkAxes(axes: readonly Axis[], where: string): void {
  if (axes.some(isTokenAxis) && axes.some(isOtherAxis)) {
    fail(
      "pairs-of-tokens",
      `${where}: the expression ranges over tokens and over the other responses of a list; reduce the tokens first, e.g. sum("token", …).`,
    );
  }
  const differing = differingAxes(axes);
  if (differing === undefined) return;
  const [first, second] = differing;
  const kind = kindOf(second);
  fail(
    "token-axes-differ",
    `${where}: ${kind} axes differ (one side ranges over ${describeAxis(first)}, the other over ${describeAxis(second)}); ` +
      `reduce one side first, e.g. sum(${cite(kind)}, …).`,
  );
}
