// Over what a loss and each metric are averaged, so that parts of a batch can be put together exactly. A value is an average
// N/D where N adds up over examples and D counts what is known before the logits are read. What takes its value from the
// whole batch in another way, such as a sort or a mean inside a sigmoid, is none.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import { count } from "../core/build.ts";
import { printExpression } from "../core/infix.ts";
import { topological, type Node } from "../core/node.ts";

/** How a value of a batch follows from its parts. */
export type Average =
  /** Σ count · value / Σ count. */
  | { readonly kind: "average"; readonly over: string; readonly count: Node }
  /** The sum of other metrics, each times 1 or −1. */
  | {
      readonly kind: "sum";
      readonly over: string;
      readonly of: readonly (readonly [1 | -1, string])[];
    }
  /** Several averages over different counts, which the value alone does not tell apart. */
  | { readonly kind: "several"; readonly over: string }
  /** The whole batch, of which parts cannot know it. */
  | { readonly kind: "batch"; readonly over: string };

const isBatchWide = (node: Node): boolean =>
  (node.tag === "reduce" || node.tag === "count" || node.tag === "sort" || node.tag === "at") &&
  node.axis === "batch";

type Counts = ReadonlySet<Node>;

/** What is known of a node, given the same of its arguments. */
interface Known {
  /** It takes nothing from the whole batch. */
  readonly isLocal: boolean;
  /** It is made of constants and parameters, and so the same for every part. */
  readonly isFixed: boolean;
  /** It is known before any model has run. */
  readonly isGiven: boolean;
  /** Its value on a batch is the sum of its values on the parts. */
  readonly addsUp: boolean;
  /** What it counts as a divisor, without the guard that keeps it from being 0. */
  readonly counts: Node | null;
  /** The counts over which its terms are averages, none for what is fixed; null where a term is no average. */
  readonly alone: Counts | null;
  /** The same where it is one term of a mean over the examples. */
  readonly inMean: Counts | null;
}

const none: Counts = new Set();
const examples: Counts = new Set([count("batch")]);

/** All counts of two terms; null where one of them has none. */
function both(a: Counts | null, b: Counts | null): Counts | null {
  if (a === null || b === null) return null;
  return b.size === 0 ? a : new Set([...a, ...b]);
}

function addsUp(node: Node, args: readonly Known[]): boolean {
  const [a, b] = args as readonly [Known, Known];
  switch (node.tag) {
    case "count":
      return node.axis === "batch";
    case "reduce":
      return node.op === "sum" && node.axis === "batch" && a.isLocal;
    case "stop":
      return a.addsUp;
    case "unary":
      return node.op === "neg" && a.addsUp;
    case "binary":
      if (node.op === "plus" || node.op === "minus") return a.addsUp && b.addsUp;
      if (node.op === "times") return (a.isFixed && b.addsUp) || (b.isFixed && a.addsUp);
      return node.op === "over" && b.isFixed && a.addsUp;
    case "const":
    case "param":
    case "input":
    case "iota":
    case "select":
    case "at":
    case "sort":
      return false;
  }
}

/** The counts of a node by those of its arguments, as `alone` or as `inMean`. */
function countsOf(
  node: Node,
  args: readonly Known[],
  of: (known: Known) => Counts | null,
): Counts | null {
  const [a, b, c] = args as readonly [Known, Known, Known];
  if (node.tag === "stop" || (node.tag === "unary" && node.op === "neg")) return of(a);
  if (node.tag === "select") return a.isFixed ? both(of(b), of(c)) : null;
  if (node.tag !== "binary") return null;
  if (node.op === "plus" || node.op === "minus") return both(of(a), of(b));
  if (node.op === "times") return a.isFixed ? of(b) : b.isFixed ? of(a) : null;
  if (node.op !== "over") return null;
  if (b.isFixed) return of(a);
  if (b.counts === null) return null;
  return a.addsUp ? new Set([b.counts]) : null;
}

function knownOf(node: Node, args: readonly Known[]): Known {
  const every = (holds: (known: Known) => boolean): boolean => args.every(holds);
  const isInput = node.tag === "input";
  const isLocal = !isBatchWide(node) && every((one) => one.isLocal);
  const isFixed =
    !isInput &&
    node.tag !== "count" &&
    !(node.tag === "param" && node.kind === "state") &&
    every((one) => one.isFixed);
  const isGiven =
    !(isInput && ("model" in node.datum || node.datum.kind === "reward")) &&
    every((one) => one.isGiven);
  const adds = addsUp(node, args);
  const isGuarded =
    node.tag === "binary" && node.op === "maximum" && node.args.some(({ tag }) => tag === "const");
  const guarded = isGuarded ? args.find((one) => one.counts !== null)?.counts : undefined;
  const counts = adds && isGiven ? node : (guarded ?? null);
  const alone = isFixed ? none : countsOf(node, args, (one) => one.alone);
  const ofTerm = isLocal && node.axes.includes("batch") ? examples : null;
  const inMean = isFixed ? none : (ofTerm ?? countsOf(node, args, (one) => one.inMean));
  return { isLocal, isFixed, isGiven, addsUp: adds, counts, alone, inMean };
}

/** A mean over the examples, whose terms may be averages over something else. */
const meanOf = (node: Node): Node | null => {
  if (node.tag !== "binary" || node.op !== "over") return null;
  const [sum, divisor] = node.args;
  if (divisor.tag !== "count" || divisor.axis !== "batch") return null;
  const isSum = sum.tag === "reduce" && sum.op === "sum" && sum.axis === "batch";
  return isSum ? sum.args[0] : null;
};

/** What a count counts, in words. */
function wordsOf(counted: Node): string {
  if (counted.tag === "count") return "examples";
  const terms: Node[] = [];
  const stack: Node[] = [counted];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (node.tag === "binary" && node.op === "plus") stack.push(node.args[1], node.args[0]);
    else terms.push(node);
  }
  const tokens = terms.flatMap((term) => {
    const body = term.tag === "reduce" ? term.args[0] : term;
    return body.tag === "count" && isTokenAxis(body.axis) ? [responseOf(body.axis)] : [];
  });
  return tokens.length === terms.length
    ? `tokens of ${tokens.join(" and ")}`
    : printExpression(counted, 12);
}

/** Names of two metrics whose sum or difference a value is. */
function sumOf(node: Node, metrics: ReadonlyMap<Node, string>): Average | null {
  if (node.tag !== "binary" || (node.op !== "plus" && node.op !== "minus")) return null;
  const [first, second] = node.args.map((arg) => metrics.get(arg));
  if (first === undefined || second === undefined) return null;
  const sign = node.op === "plus" ? 1 : -1;
  const over = `${first} ${sign === 1 ? "+" : "−"} ${second}`;
  return {
    kind: "sum",
    over,
    of: [
      [1, first],
      [sign, second],
    ],
  };
}

/** Over what each of these values, which are one number each, is averaged. */
export function averagesOf(
  values: Readonly<Record<string, Node>>,
): Readonly<Record<string, Average>> {
  const names = new Map(Object.entries(values).map(([name, node]) => [node, name]));
  const known = new Map<Node, Known>();
  for (const node of topological(Object.values(values))) {
    const args = node.args.map((arg) => known.get(arg)!);
    const own = knownOf(node, args);
    const terms = meanOf(node);
    known.set(node, terms === null ? own : { ...own, alone: known.get(terms)!.inMean });
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, node]): readonly [string, Average] => {
      const counts = known.get(node)!.alone;
      if (counts === null) return [name, { kind: "batch", over: "the whole batch" }];
      const [first = count("batch"), ...others] = counts;
      if (others.length === 0)
        return [name, { kind: "average", over: wordsOf(first), count: first }];
      const over = [...counts].map(wordsOf).join(", and ");
      return [name, sumOf(node, names) ?? { kind: "several", over }];
    }),
  );
}
