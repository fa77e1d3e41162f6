// Every number that a program gives, under a name, with the interpreter's value and how far the GPU may be from it: the loss,
// the loss of each example, metrics, the next state and the gradients, laid out as a run returns them.
import { gradient } from "../../src/ad/gradient.ts";
import type { Axis } from "../../src/core/axis.ts";
import type { Batch, Params } from "../../src/batch/batch.ts";
import { gradientName, type Program } from "../../src/pipeline/pipeline.ts";
import type { Node } from "../../src/core/node.ts";
import type { ValueAndGrad } from "../../src/index.ts";
import { expand, scatterRows, type Tensor } from "../../src/reference/tensor.ts";
import { runningErrors, type Bounded } from "../support/running.ts";
import { flushed, rounded } from "../support/rounding.ts";

export interface Expected {
  readonly values: ArrayLike<number>;
  /** How far each value may be off. */
  readonly bounds: ArrayLike<number>;
}
export type Named<T> = ReadonlyMap<string, T>;

/** The gradient of every differentiated input, and of every parameter that is learned, as differentiation leaves it, before any rewriting. */
export const rawGradients = (program: Program): readonly Node[] =>
  gradient(program.loss, [
    ...program.gradients.map(({ input }) => input),
    ...program.paramGradients.map(({ param }) => param),
  ]);

/** A bound for what is compiled: it may order its operations in another way than the formula, and rounds what it returns. */
const allowed = (value: number, error: number): number =>
  2 * error + rounded * Math.abs(value) + 2 * flushed;

/**
 * A gradient is measured against its largest entry (docs/notes/0004-tolerances.md): it is formed from logits less their maximum,
 * so that an entry is rounded at the size of others of its row.
 */
const ofLargest = 2 ** -19;

/**
 * What the interpreter gives, with bounds.
 * @throws PrefcError where a term is undefined on the batch
 */
export function expected(program: Program, batch: Batch, params: Params): Named<Expected> {
  const raw = rawGradients(program);
  const named: readonly (readonly [string, Node])[] = [
    ["loss", program.loss],
    ...Object.entries(program.metrics).map(([name, node]) => [`metric ${name}`, node] as const),
    ...Object.entries(program.next).map(([name, node]) => [`next ${name}`, node] as const),
    ...(program.perExample === null ? [] : [["perExample", program.perExample] as const]),
  ];
  const known = runningErrors([...named.map(([, node]) => node), ...raw], batch, params);
  const results = new Map<string, Expected>();
  const set = (name: string, values: Float64Array, errors: Float64Array): void => {
    const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const floor = name.startsWith("gradient ") ? ofLargest * size : 0;
    const bounds = values.map((value, n) => floor + allowed(value, errors[n]!));
    results.set(name, { values, bounds });
  };
  for (const [name, node] of named) {
    const { value, error } = known.get(node)!;
    const over = (tensor: Tensor): Float64Array =>
      name === "perExample" ? expand(tensor, ["batch"], batch).data : tensor.data;
    set(name, over(value), over(error));
  }
  const byTensor = new Map<string, Record<string, Bounded>>();
  program.gradients.forEach(({ input }, position) => {
    const bounded = known.get(raw[position]!)!;
    const binding = batch.inputs[input.name]!;
    if (binding.height === "logits") {
      const { name } = binding.tensor;
      byTensor.set(name, { ...byTensor.get(name), [input.name]: bounded });
    } else {
      const over = (tensor: Tensor): Float64Array => expand(tensor, input.axes, batch).data;
      set(`gradient ${input.name}`, over(bounded.value), over(bounded.error));
    }
  });
  program.paramGradients.forEach(({ param }, position) => {
    const { value, error } = known.get(raw[program.gradients.length + position]!)!;
    set(`gradient ${gradientName(param)}`, value.data, error.data);
  });
  for (const [name, parts] of byTensor) {
    const binding = batch.inputs[Object.keys(parts)[0]!]!;
    if (binding.height !== "logits") continue;
    const laidOut = (part: "value" | "error"): Float64Array => {
      const entries = Object.entries(parts).map(([key, bounded]) => [key, bounded[part]] as const);
      return scatterRows(binding.tensor, Object.fromEntries(entries), batch);
    };
    set(`gradient ${name}`, laidOut("value"), laidOut("error"));
  }
  return results;
}

/** The same with the gradient of each input apart, over the input's own axes. */
export function expectedByInput(program: Program, batch: Batch, params: Params): Named<Expected> {
  const raw = rawGradients(program);
  const named: readonly (readonly [string, Node, readonly Axis[]])[] = [
    ["loss", program.loss, []],
    ...Object.entries(program.metrics).map(([name, node]) => [`metric ${name}`, node, []] as const),
    ...Object.entries(program.next).map(([name, node]) => [`next ${name}`, node, []] as const),
    ...program.gradients.map(
      ({ input }, position) => [`gradient ${input.name}`, raw[position]!, input.axes] as const,
    ),
  ];
  const known = runningErrors(
    named.map(([, node]) => node),
    batch,
    params,
  );
  return new Map(
    named.map(([name, node, axes]) => {
      const { value, error } = known.get(node)!;
      const values = expand(value, axes, batch).data;
      const errors = expand(error, axes, batch).data;
      const bounds = values.map((one, n) => allowed(one, errors[n]!));
      return [name, { values, bounds }];
    }),
  );
}

/** What a run gave, under the same names. */
export const computed = (run: ValueAndGrad): Named<ArrayLike<number>> =>
  new Map<string, ArrayLike<number>>([
    ["loss", [run.loss]],
    ...Object.entries(run.metrics).map(([name, value]) => [`metric ${name}`, [value]] as const),
    ...Object.entries(run.state).map(([name, value]) => [`next ${name}`, [value]] as const),
    ...(run.perExample === undefined ? [] : [["perExample", run.perExample] as const]),
    ...Object.entries(run.gradients).map(
      ([name, data]) => [`gradient ${name}`, data as Float32Array] as const,
    ),
  ]);

/** How two results compare. */
export interface Comparison {
  /** Sentences about what is beyond its bound. */
  readonly complaints: readonly string[];
  /** The largest error in units of its bound. */
  readonly closeness: number;
  /** Numbers compared, and those of them that floats cannot know on this batch, which are compared with nothing. */
  readonly entries: number;
  readonly unbounded: number;
}

/** Compares a run with what is expected. */
export function compare(
  right: Named<Expected>,
  given: Named<ArrayLike<number>>,
  where: string,
): Comparison {
  const complaints: string[] = [];
  let [closeness, entries, unbounded] = [0, 0, 0];
  const names = [...new Set([...right.keys(), ...given.keys()])];
  for (const name of names) {
    const [wanted, got] = [right.get(name), given.get(name)];
    if (wanted === undefined || got === undefined || wanted.values.length !== got.length) {
      const [many, few] = [got?.length ?? "none", wanted?.values.length ?? "none"];
      complaints.push(`${where}: ${name} has ${many} entries where the interpreter has ${few}`);
      continue;
    }
    let worst = { ratio: 0, entry: 0 };
    for (let entry = 0; entry < got.length; entry++) {
      const [is, ought, bound] = [got[entry]!, wanted.values[entry]!, wanted.bounds[entry]!];
      entries++;
      if (bound === Infinity) unbounded++;
      if (Object.is(is, ought) || bound === Infinity) continue;
      const off = Math.abs(is - ought) / bound;
      const ratio = Number.isNaN(off) ? Infinity : off;
      if (ratio > worst.ratio) worst = { ratio, entry };
    }
    closeness = Math.max(closeness, worst.ratio);
    if (worst.ratio <= 1) continue;
    const lists: readonly ArrayLike<number>[] = [got, wanted.values, wanted.bounds];
    const [is, ought, bound] = lists.map((list) => list[worst.entry]!);
    complaints.push(
      `${where}: ${name} is ${is} at entry ${worst.entry} where the interpreter has ${ought}, ` +
        `off by ${Math.abs(is! - ought!).toExponential(2)} of ${bound!.toExponential(2)} allowed`,
    );
  }
  return { complaints, closeness, entries, unbounded };
}
