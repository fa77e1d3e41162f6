// Puts names to the results of a run: scalars, the loss of each example, and gradients.

import { gradientName, type Program } from "../pipeline/pipeline.ts";
import { fail } from "../core/error.ts";
import type { Value, ValueAndGrad } from "./api.ts";
import type { Executed } from "../runtime/run/run.ts";
import { cite } from "../core/quote.ts";

/** The results of a run; `counts` is how many examples or tokens each of them is averaged over. @throws PrefcError value-not-finite */
export function valueOf(program: Program, done: Executed, counts: Value["counts"]): Value {
  const [loss, ...others] = [...done.scalars] as [number, ...number[]];
  const names = Object.keys(program.metrics);
  const metrics = Object.fromEntries(names.map((name, n) => [name, others[n]!]));
  const next = Object.keys(program.next);
  const state = Object.fromEntries(next.map((name, n) => [name, others[names.length + n]!]));
  const where = program.source.name;
  checkFinite(where, "The loss", loss);
  for (const [name, number] of Object.entries(metrics)) {
    checkFinite(where, `The metric ${cite(name)}`, number);
  }
  for (const [name, number] of Object.entries(state)) {
    checkFinite(where, `The next value of the state ${cite(name)}`, number);
  }
  return {
    loss,
    metrics,
    counts,
    state,
    ...(done.each.size === 0 ? {} : { metricsPerExample: Object.fromEntries(done.each) }),
    ...(done.perExample === null ? {} : { perExample: done.perExample }),
    ...(done.times === null ? {} : { times: done.times }),
  };
}

function checkFinite(objective: string, what: string, number: number): void {
  if (Number.isFinite(number)) return;
  fail(
    "value-not-finite",
    `${what} of ${cite(objective)} is ${number} in float32: a value left its range; check parameters and rewards, or run the reference interpreter for its float64 value.`,
  );
}

/** @throws PrefcError value-not-finite */
export function valueAndGradOf(
  program: Program,
  done: Executed,
  counts: Value["counts"],
): ValueAndGrad {
  const value = valueOf(program, done, counts);
  for (const [name, gradient] of done.highGradients) {
    const wrong = gradient.find((number) => !Number.isFinite(number));
    if (wrong !== undefined)
      checkFinite(program.source.name, `The gradient of ${cite(name)}`, wrong);
  }
  const first = done.scalars.length - program.paramGradients.length;
  const ofParams = program.paramGradients.map(({ param }, position) => {
    const slope = done.scalars[first + position]!;
    checkFinite(program.source.name, `The gradient of the parameter ${cite(param.name)}`, slope);
    return [gradientName(param), Float32Array.of(slope)] as const;
  });
  return {
    ...value,
    gradients: Object.fromEntries([...done.gradients, ...done.highGradients, ...ofParams]),
  };
}
