// The passes of the compiler as they ran, read aloud: what each was given and what it made, in sizes, and the rewrites that it
// applied.

import type { PassRecord } from "../pipeline/pass.ts";
import { aligned, wrapped } from "./units.ts";

/** One pass of the compiler. */
export interface PassExplanation {
  readonly name: string;
  /** "value", "value and gradient", or null for a pass that serves both. */
  readonly direction: string | null;
  /** What it was given and what it made: numbers by unit, such as nodes, fields, kernels, characters. */
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  /** Rewrites by rule. */
  readonly applied: Readonly<Record<string, number>>;
}

/** In the order in which they ran for each direction: those that serve both stand first. */
export const explainPasses = (records: readonly PassRecord[]): readonly PassExplanation[] =>
  [...new Set(records.map(({ direction }) => direction))]
    .flatMap((direction) => records.filter((record) => record.direction === direction))
    .map(({ applied, ...record }) => ({ ...record, applied: Object.fromEntries(applied) }));

const sizesText = (sizes: PassExplanation["before"]): string =>
  Object.entries(sizes)
    .map(([unit, count]) => `${count} ${count === 1 ? unit.replace(/(?<=ss)es$|s$/, "") : unit}`)
    .join(", ");

/** The passes in lines, those of a direction under its name. */
export function passLines(passes: readonly PassExplanation[], width: number): readonly string[] {
  const lines = aligned(
    passes.map(({ name, direction, before, after }) => [
      direction === null ? name : `  ${name}`,
      sizesText(before),
      "->",
      sizesText(after),
    ]),
    [],
  );
  return lines.flatMap((line, position) => {
    const { applied, direction } = passes[position]!;
    const rules = Object.entries(applied).map(([rule, count]) =>
      count === 1 ? rule : `${rule} x${count}`,
    );
    const isFirst = direction !== (passes[position - 1]?.direction ?? null);
    return [
      ...(isFirst && direction !== null ? [`  ${direction}`] : []),
      `  ${line}`,
      ...wrapped(rules, width - 8).map((rule) => `        ${rule}`),
    ];
  });
}
