// Counters of what was exercised: operators (in programs and in their gradients), reductions by axis, rewrite rules, kinds of
// fields that passes accumulate, kinds of passes, paths, heights, and combinators. Printed at the end of a run.
import { topological } from "../../src/core/node.ts";
import { isTokenAxis } from "../../src/core/axis.ts";
import { binaryOps, reduceOps, sortOps, unaryOps } from "../../src/core/ops.ts";
import type { Program } from "../../src/pipeline/pipeline.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { simplification } from "../../src/rewrite/simplify.ts";
import { rootsOf, type Case } from "./case.ts";
import { pathNames } from "./paths.ts";

export type Kind =
  | "op"
  | "reduction"
  | "term"
  | "rule"
  | "field"
  | "pass"
  | "path"
  | "height"
  | "batch"
  | "origin"
  | "differences"
  | "entries"
  | "torch"
  | "refused";

export interface Coverage {
  readonly add: (kind: Kind, name: string, times?: number) => void;
  readonly of: (kind: Kind) => ReadonlyMap<string, number>;
  /** All counts, to be kept between runs. */
  readonly all: () => Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export function coverage(before: ReturnType<Coverage["all"]> = {}): Coverage {
  const counts = new Map<string, Map<string, number>>(
    Object.entries(before).map(([kind, names]) => [kind, new Map(Object.entries(names))]),
  );
  const of = (kind: Kind): Map<string, number> => {
    const known = counts.get(kind) ?? new Map<string, number>();
    counts.set(kind, known);
    return known;
  };
  return {
    of,
    add: (kind, name, times = 1) => of(kind).set(name, (of(kind).get(name) ?? 0) + times),
    all: () =>
      Object.fromEntries([...counts].map(([kind, names]) => [kind, Object.fromEntries(names)])),
  };
}

/** What must not stay at zero, by kind. */
export const expectedNames: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  op: [unaryOps, binaryOps, reduceOps, sortOps].flatMap((rows) => Object.keys(rows)),
  reduction: ["sum", "max", "logSumExp"].flatMap((op) =>
    ["batch", "token", "vocab"].map((axis) => `${op}[${axis}]`),
  ),
  term: ["const", "param", "state", "input", "iota", "count", "select", "at", "stop"],
  field: ["maximum", "label", "excess", "moment", "ties", "total sum", "total max"],
  pass: ["online", "total", "gradient", "row program"],
  batch: [
    "a token alone",
    "an empty prompt",
    "one example",
    "several responses",
    "three responses",
  ],
  path: pathNames,
  rule: simplification.map(({ name }) => name),
};

/** The names of a kind that were never met. */
export const missing = (from: Coverage, kind: Kind): readonly string[] =>
  (expectedNames[kind] ?? []).filter((name) => !from.of(kind).has(name));

/** Counts what a case and its plan exercise. */
export function count(into: Coverage, one: Case, program: Program, plan: Plan): void {
  const nodes = new Set(
    topological([...rootsOf(one), ...program.gradients.map(({ node }) => node)]),
  );
  for (const node of nodes) {
    if (node.tag === "unary" || node.tag === "binary" || node.tag === "sort")
      into.add("op", node.op);
    else if (node.tag === "reduce") {
      into.add("op", node.op);
      into.add("reduction", `${node.op}[${isTokenAxis(node.axis) ? "token" : node.axis}]`);
    } else into.add("term", node.tag === "param" ? node.kind : node.tag);
  }
  for (const { applied } of program.passes)
    for (const [rule, times] of applied) into.add("rule", rule, times);
  for (const { pass } of plan.steps) {
    into.add("pass", pass?.kind ?? "row program");
    if (pass?.kind === "total") into.add("field", `total ${pass.op}`);
    if (pass?.kind === "online") for (const { kind } of pass.fields) into.add("field", kind);
  }
  for (const height of Object.values(one.heights)) into.add("height", JSON.stringify(height));
  countBatch(into, one);
  into.add("origin", one.origin === "grown" ? "grown" : one.origin.replace(/[ ({].*$/s, ""));
}

function countBatch(into: Coverage, { batch }: Case): void {
  const responses = Object.entries(batch.responses);
  const lengths = responses.flatMap(([, { offsets }]) =>
    Array.from({ length: batch.examples }, (_, n) => offsets[n + 1]! - offsets[n]!),
  );
  if (lengths.includes(1)) into.add("batch", "a token alone");
  if (lengths.includes(0)) into.add("batch", "an empty prompt");
  if (batch.examples === 1) into.add("batch", "one example");
  if (responses.length > 1) into.add("batch", "several responses");
  if (responses.length > 2) into.add("batch", "three responses");
}

/** The counters as lines of text. */
export function coverageText(from: Coverage): string {
  const kinds = Object.keys(from.all()) as Kind[];
  return kinds
    .map((kind) => {
      const counted = [...from.of(kind)].toSorted(([, a], [, b]) => b - a);
      const never = missing(from, kind);
      const shown = counted.slice(0, 60).map(([name, times]) => `${name} ${times}`);
      const more =
        counted.length > shown.length ? `, and ${counted.length - shown.length} more` : "";
      const zero = never.length === 0 ? "" : `\n    never: ${never.join(", ")}`;
      return `  ${kind} (${counted.length}): ${shown.join(", ")}${more}${zero}`;
    })
    .join("\n");
}
