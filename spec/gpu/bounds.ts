// How far the GPU may be from the float64 interpreter: worked out from the batch at hand, not chosen. A pass
// over the vocabulary leaves numbers per token that f32 knows only to the bound of `uncertainty` below, and functions such as
// the sigmoid are good to a few units. The interpreter evaluates loss, metrics and gradients again with those numbers moved by
// such bounds: along the margin, against it, all upward, and in random directions. What moves then is the conditioning of
// the objective on this batch (sums of log-probabilities, the sigmoid of a large margin, sigmoids that cancel), which no
// kernel in f32 can avoid. To that comes `relative`, for the arithmetic after the pass and the entries of a gradient.
import { smallestScale } from "../../src/check/error.ts";
import type { Program } from "../../src/pipeline/pipeline.ts";
import { reduce, unary } from "../../src/core/build.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { evaluate, type Batch, type Params } from "../../src/index.ts";
import type { Tensor } from "../../src/reference/tensor.ts";
import { uniforms } from "./batches.ts";
import { farthest, gradientsOf, interpreted, largest, roots, type Results } from "./results.ts";

/**
 * 1e-5 of the largest entry: WGSL lets exp be off by 3 + 2|x| units in the last place and log by 2^-21, a weight or a
 * sigmoid is a product or quotient of a few of them, and a probability e^x matters to a gradient where |x| is below ten.
 */
const relative = 1e-5;
/**
 * What the interpreter itself cannot resolve in a gradient: 1 − π is rounded to 2^-53, in units of the loss's slope, which is
 * below 2^8 here.
 */
const unresolved = 2 ** -45;
/** The factor by which the directions that are tried may miss the worst one. */
const missed = 4;

/**
 * The numbers per token that row-level terms read: what a pass over the vocabulary leaves (entries and sums along it), and
 * what the batch brings in their place. An entry or a maximum of the logits themselves is exact. A maximum of anything else
 * is left out as well: moving it would part it from its own entry, and its sensitivity is that of an entry.
 */
const leftByPasses = (program: Program): readonly Node[] => {
  const nodes = topological(roots(program));
  const read = new Set(
    nodes.filter((node) => !node.axes.includes("vocab")).flatMap(({ args }) => args),
  );
  return nodes.filter((node) => {
    if (node.tag === "input") return node.dtype === "f32" && !node.axes.includes("vocab");
    if ((node.tag !== "reduce" && node.tag !== "at") || node.axis !== "vocab" || !read.has(node))
      return false;
    const [body] = node.args;
    const exact = node.tag === "reduce" ? node.op === "max" : body.tag === "input";
    return body.axes.includes("vocab") && !exact;
  });
};

/**
 * How far f32 may be off such a number. A sum of positive terms: each exponential to 3 units and some hundred additions over
 * all lanes, 2^-20 of it; other sums as much of the size of their terms. The log of a sum near 1 comes from the excess over
 * 1 and is as good relatively (log(1 + p) to 2^-18, see kernels/prelude/log1p.wgsl); further away it has the 2^-21 of WGSL's
 * log and the error of the sum, and what it is subtracted from is rounded twice at its own size. The interpreter itself rounds
 * z − logSumExp at the size of z, at most 2^-45; a kernel that keeps more of a tiny log-probability may decide a tie.
 */
const uncertainty = (node: Node): ((value: number) => number) => {
  // exact as it comes, but rounded at its size wherever it is added up
  if (node.tag === "input") return (value) => 2 ** -22 * Math.abs(value);
  const [body] = node.args;
  const positive = body?.tag === "unary" && ["exp", "square", "sigmoid"].includes(body.op);
  if (node.tag === "reduce" && node.op === "sum")
    return (value) => 2 ** -20 * (positive ? Math.abs(value) : Math.max(1, Math.abs(value)));
  return (value) =>
    2 ** -45 + Math.min(2 ** -18 * Math.abs(value), 2 ** -20 + 2 ** -22 * Math.abs(value));
};

/** The sign with which a number enters the margin: policy against reference, chosen against rejected, entry against sum. */
const inMargin = (node: Node): number => {
  const reads = topological([node]).flatMap((part) => (part.tag === "input" ? [part.name] : []));
  const signs = [
    reads.some((name) => name.startsWith("ref.")),
    reads.some((name) => name.endsWith(".l")),
    node.tag === "reduce",
  ];
  return signs.filter(Boolean).length % 2 === 0 ? 1 : -1;
};

/** The functions that the row programs compute, which f32 gives to a few units in the last place: here 2^-21. */
const functions = (program: Program): readonly Node[] =>
  topological([...roots(program), ...gradientsOf(program)]).filter(
    (node) =>
      node.tag === "unary" &&
      !node.axes.includes("vocab") &&
      ["exp", "log", "log1p", "expm1", "sigmoid", "logSigmoid", "sqrt"].includes(node.op),
  );

/**
 * Whether sums over the vocabulary that only a gradient has are uncertain as well. Those of the built-in objectives are not:
 * the compiler adds them up as symbols, so that nothing is left to round where a label has nearly all the probability. Of
 * others they are numbers, known to 2^-20 of the sum of the magnitudes of their terms.
 */
export type Uncertain = "passes" | "gradient sums";
const gradientSums = (program: Program): readonly Node[] => {
  const known = new Set(topological(roots(program)));
  return topological(gradientsOf(program)).filter(
    (node) =>
      node.tag === "reduce" &&
      node.axis === "vocab" &&
      !known.has(node) &&
      node.args[0].axes.includes("vocab"),
  );
};

/** How far each result may be from the interpreter's. */
export function tolerances(
  program: Program,
  batch: Batch,
  params: Params,
  right: Results,
  uncertain: Uncertain,
): ReadonlyMap<string, number> {
  const moved = new Map([...right.keys()].map((name) => [name, 0]));
  const random = uniforms(batch.vocab * 7 + batch.examples);
  // of different sizes, because equal ones cancel exactly in a difference of averages
  const anyhow = (): number => (random() < 0.5 ? -1 : 1) * (0.5 + random() / 2);
  const move = (
    nodes: readonly Node[],
    off: (node: Node) => (value: number, entry: number) => number,
    sign: (node: Node) => number,
  ): void => {
    if (nodes.length === 0) return;
    const base = evaluate(nodes, batch, params);
    const held = new Map(
      nodes.map((node, position): [Node, Tensor] => {
        const { axes, data } = base[position]!;
        return [
          node,
          { axes, data: data.map((value, entry) => value + sign(node) * off(node)(value, entry)) },
        ];
      }),
    );
    for (const [name, values] of interpreted(program, batch, params, held)) {
      moved.set(name, Math.max(moved.get(name)!, farthest(values, right.get(name)!)));
    }
  };
  const left = leftByPasses(program);
  move(left, uncertainty, inMargin);
  move(left, uncertainty, (node) => -inMargin(node));
  move(left, uncertainty, () => 1);
  move(left, uncertainty, anyhow);
  for (let direction = 0; direction < 2; direction++)
    move(functions(program), () => (value) => 2 ** -21 * value, anyhow);
  if (uncertain === "gradient sums") {
    const sums = gradientSums(program);
    const sizes = evaluate(
      sums.map(({ args }) => reduce("sum", "vocab", unary("abs", args[0]))),
      batch,
      params,
    );
    const size = new Map(sums.map((node, position) => [node, sizes[position]!.data]));
    const off = (node: Node) => (_: number, entry: number) => 2 ** -20 * size.get(node)![entry]!;
    for (let direction = 0; direction < 2; direction++) move(sums, off, anyhow);
  }
  return new Map(
    [...right].map(([name, values]) => {
      const floor = name.startsWith("gradient") ? unresolved : relative * smallestScale;
      return [name, relative * largest(values) + floor + missed * moved.get(name)!];
    }),
  );
}
