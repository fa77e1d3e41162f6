// What it means that the GPU agrees with the float64 interpreter. The tolerance is worked out from the batch at hand. A pass
// over the vocabulary leaves numbers per token that f32 knows only to the bound of `uncertainty` below, and functions such as
// the sigmoid are good to a few units. The interpreter evaluates loss, metrics and gradients again with those numbers moved by
// such bounds: along the margin, against it, all upward, and in random directions. What moves then is the conditioning of the objective on this batch (sums of
// log-probabilities, the sigmoid of a large margin, sigmoids that cancel), which no kernel in f32 can avoid. To that comes `relative`, for the arithmetic after the pass and for the entries of a gradient.
import { expect } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { smallestScale } from "../../src/check/error.ts";
import type { Program } from "../../src/compile/pipeline.ts";
import { topological, type Node } from "../../src/core/node.ts";
import {
  evaluate,
  type Batch,
  type Compiled,
  type Params,
  type ValueAndGrad,
} from "../../src/index.ts";
import { expand, scatterRows, type Tensor } from "../../src/reference/tensor.ts";
import { uniforms } from "./batches.ts";

/** Every result by name: "loss", "metric …", "perExample", "gradient …". */
export type Results = ReadonlyMap<string, ArrayLike<number>>;

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

const roots = ({ loss, metrics, perExample }: Program): readonly Node[] => [
  loss,
  ...Object.values(metrics),
  ...(perExample === null ? [] : [perExample]),
];

const rawGradients = new WeakMap<Program, readonly Node[]>();
/** The gradient as differentiation gives it, before any rewriting, so that no rule of the compiler can hide in it. */
const gradientsOf = (program: Program): readonly Node[] => {
  const known =
    rawGradients.get(program) ??
    gradient(
      program.loss,
      program.gradients.map(({ input }) => input),
    );
  rawGradients.set(program, known);
  return known;
};

/**
 * The numbers that a pass over the vocabulary leaves per token and that row-level terms read: entries and sums along it. An
 * entry or a maximum of the logits themselves is exact. A maximum of anything else is left out as well: moving it would part
 * it from its own entry, and its sensitivity is that of an entry.
 */
const leftByPasses = (program: Program): readonly Node[] => {
  const nodes = topological(roots(program));
  const read = new Set(
    nodes.filter((node) => !node.axes.includes("vocab")).flatMap(({ args }) => args),
  );
  return nodes.filter((node) => {
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

/** What the interpreter makes of a batch; `held` gives some nodes a value. */
export function interpreted(
  program: Program,
  batch: Batch,
  params: Params,
  held: ReadonlyMap<Node, Tensor> = new Map(),
): Results {
  const values = evaluate([...roots(program), ...gradientsOf(program)], batch, params, held);
  const results = new Map<string, ArrayLike<number>>();
  let next = 0;
  results.set("loss", values[next++]!.data);
  for (const name of Object.keys(program.metrics))
    results.set(`metric ${name}`, values[next++]!.data);
  if (program.perExample !== null)
    results.set("perExample", expand(values[next++]!, ["batch"], batch).data);
  const byTensor = new Map<string, Record<string, Tensor>>();
  for (const { input } of program.gradients) {
    const value = values[next++]!;
    const binding = batch.inputs[input.name]!;
    if (binding.height !== "logits") {
      results.set(`gradient ${input.name}`, expand(value, input.axes, batch).data);
      continue;
    }
    byTensor.set(binding.tensor.name, {
      ...byTensor.get(binding.tensor.name),
      [input.name]: value,
    });
  }
  for (const [name, gradients] of byTensor) {
    const binding = batch.inputs[Object.keys(gradients)[0]!]!;
    if (binding.height === "logits")
      results.set(`gradient ${name}`, scatterRows(binding.tensor, gradients, batch));
  }
  return results;
}

/** What a run gave, in the same form. */
export function computed({ loss, metrics, perExample, gradients }: ValueAndGrad): Results {
  return new Map<string, ArrayLike<number>>([
    ["loss", [loss]],
    ...Object.entries(metrics).map(([name, value]) => [`metric ${name}`, [value]] as const),
    ...(perExample === undefined ? [] : [["perExample", perExample] as const]),
    ...Object.entries(gradients).map(
      ([name, data]) => [`gradient ${name}`, data as Float32Array] as const,
    ),
  ]);
}

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let most = 0;
  for (let i = 0; i < b.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!);
    if (Object.is(a[i], b[i])) continue;
    if (Number.isNaN(distance)) return Infinity;
    most = Math.max(most, distance);
  }
  return most;
};
const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The functions that the row programs compute, which f32 gives to a few units in the last place: here 2^-21. */
const functions = (program: Program): readonly Node[] =>
  topological([...roots(program), ...gradientsOf(program)]).filter(
    (node) =>
      node.tag === "unary" &&
      !node.axes.includes("vocab") &&
      ["exp", "log", "log1p", "expm1", "sigmoid", "logSigmoid", "sqrt"].includes(node.op),
  );

/** How far each result may be from the interpreter's. */
export function tolerances(
  program: Program,
  batch: Batch,
  params: Params,
  right: Results,
): ReadonlyMap<string, number> {
  const moved = new Map([...right.keys()].map((name) => [name, 0]));
  const random = uniforms(batch.vocab * 7 + batch.examples);
  const anyhow = (): number => (random() < 0.5 ? -1 : 1);
  const move = (
    nodes: readonly Node[],
    off: (node: Node) => (value: number) => number,
    sign: (node: Node) => number,
  ): void => {
    if (nodes.length === 0) return;
    const base = evaluate(nodes, batch, params);
    const held = new Map(
      nodes.map((node, position): [Node, Tensor] => {
        const { axes, data } = base[position]!;
        return [node, { axes, data: data.map((value) => value + sign(node) * off(node)(value)) }];
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
  return new Map(
    [...right].map(([name, values]) => {
      const floor = name.startsWith("gradient") ? unresolved : relative * smallestScale;
      return [name, relative * largest(values) + floor + missed * moved.get(name)!];
    }),
  );
}

/** Fails unless every result is within its tolerance; says which is not, by how much, and at which entry. */
export function expectAgreement(
  program: Program,
  batch: Batch,
  params: Params,
  actual: Results,
): void {
  const right = interpreted(program, batch, params);
  const allowed = tolerances(program, batch, params, right);
  expect([...actual.keys()].sort()).toEqual([...right.keys()].sort());
  for (const [name, values] of right) {
    const given = actual.get(name)!;
    expect(given.length, `length of ${name}`).toBe(values.length);
    const error = farthest(given, values);
    const entry = Array.from(values).findIndex((value, i) => Math.abs(value - given[i]!) === error);
    const said = `${name}: ${given[entry]} at entry ${entry} where the interpreter has ${values[entry]} (largest ${largest(values)})`;
    expect(error, said).toBeLessThanOrEqual(allowed.get(name)!);
  }
}

/** Runs a compiled objective forward and back and compares everything it gives. */
export async function expectAgreementOf(
  compiled: Compiled,
  batch: Batch,
  params: Params = {},
): Promise<ValueAndGrad> {
  const result = await compiled.valueAndGrad(batch, { params, perExample: true });
  expectAgreement(compiled.program, batch, params, computed(result));
  return result;
}
