// The compiler, as one visible list. An objective goes through the passes below in order: once for its formula, once for each
// direction, and once for each layout of kernels that a batch asks for. Each result is verified by its level before the next
// pass sees it, and each pass leaves a record (pass.ts), so that `explain` is this list read aloud.

import type { Plan } from "../plan/plan.ts";
import type { Layout } from "../kernel/storage.ts";
import {
  derivePasses,
  directionOf,
  directions,
  simplifyRows,
  stage,
  type Direction,
  type Lowered,
} from "./direction.ts";
import {
  bindInputs,
  differentiate,
  rootsOf,
  simplifyFormulas,
  simplifyGradient,
  written,
  type Formulas,
  type ProgramOptions,
  type Source,
  type Written,
} from "./formulas.ts";
import {
  layOutValues,
  lowerToKernels,
  lowerToSteps,
  planned,
  printShaders,
  type Asked,
  type Shaders,
} from "./shaders.ts";
import type { Declared } from "../dsl/declared.ts";
import { averagesOf, type Average } from "./averages.ts";
import { nodesWithin } from "./limit.ts";
import { passes, type PassList, type PassRecord } from "./pass.ts";
import { nodesOf, stagesSizes } from "./sizes.ts";

export { gradientName, type Lowered } from "./direction.ts";
export type { ProgramOptions, Source } from "./formulas.ts";
export type { PassRecord } from "./pass.ts";

/** The list: what `compile` does in order. */
export const pipeline: {
  readonly formulas: PassList<Written, Formulas>;
  readonly stages: PassList<Direction, Lowered>;
  readonly shaders: PassList<Asked, Shaders>;
} = {
  /** Once for an objective: from what its author wrote to its value and gradient as formulas. */
  formulas: passes(({ roots }: Written) => nodesOf(rootsOf(roots)))
    .and(bindInputs)
    .and(simplifyFormulas)
    .and(differentiate)
    .and(simplifyGradient),
  /** Once for each direction: from formulas to passes over the vocabulary and the row programs between them. */
  stages: passes(({ rows, low }: Direction) => nodesOf([...rows, ...low.map(({ node }) => node)]))
    .and(derivePasses)
    .and(simplifyRows)
    .and(stage),
  /** Once for each layout of kernels: from stages to shaders, with a place for every value. */
  shaders: passes(({ lowered }: Asked) => stagesSizes(lowered.stages))
    .and(layOutValues)
    .and(lowerToSteps)
    .and(lowerToKernels)
    .and(printShaders),
};

/** Everything that does not depend on a layout. */
export interface Program extends Pick<
  Formulas,
  | "source"
  | "responses"
  | "loss"
  | "perExample"
  | "metrics"
  | "next"
  | "dropped"
  | "inputs"
  | "params"
  | "gradients"
  | "paramGradients"
> {
  /** Which values the numbers of a batch have, where the objective declares it. */
  readonly declared: Declared;
  readonly passes: readonly PassRecord[];
  readonly value: Lowered;
  readonly valueAndGrad: Lowered;
  /** The same directions with the metrics of each example, which are lowered when they are first asked for. */
  readonly withEach: (direction: Direction["name"]) => Lowered;
  /** Over what the loss and each metric are averaged, and how parts of a batch are put together. */
  readonly averages: Readonly<Record<string, Average>>;
}
/** The plan of a direction for one layout, and how it came about. */
export interface Planned {
  readonly plan: Plan;
  readonly passes: readonly PassRecord[];
}

/** Compiles an objective as far as no layout matters. @throws PrefcError input-too-high, unknown-height, too-large */
export function compileProgram(source: Source, options: ProgramOptions = {}): Program {
  const given = written(source, options);
  nodesWithin(source.name, "as it is written", rootsOf(given.roots));
  const { made: formulas, records } = pipeline.formulas.run(given, null);
  const lower = (
    name: Direction["name"],
    each: boolean = false,
  ): ReturnType<typeof pipeline.stages.run> =>
    pipeline.stages.run(directionOf(name, formulas, each), directions[name]);
  const [value, valueAndGrad] = [lower("value"), lower("valueAndGrad")];
  const withEach = new Map<string, Lowered>();
  return {
    source,
    declared: source.declared ?? {},
    responses: formulas.responses,
    loss: formulas.loss,
    perExample: formulas.perExample,
    metrics: formulas.metrics,
    next: formulas.next,
    dropped: formulas.dropped,
    inputs: formulas.inputs,
    params: formulas.params,
    gradients: formulas.gradients,
    paramGradients: formulas.paramGradients,
    passes: [...records, ...value.records, ...valueAndGrad.records],
    value: value.made,
    valueAndGrad: valueAndGrad.made,
    withEach: (direction) => {
      const known = withEach.get(direction) ?? lower(direction, true).made;
      withEach.set(direction, known);
      return known;
    },
    averages: averagesOf({ loss: formulas.loss, ...formulas.metrics }),
  };
}

/**
 * Compiles a direction of a program for one layout of kernels.
 * @param inPlace whether gradients may be asked for in the place of their logits
 * @param withEach whether the metrics of each example are wanted
 * @throws PrefcError constant-exceeds-f32, kernel-too-large
 */
export function compilePlan(
  program: Program,
  direction: Direction["name"],
  layout: Layout,
  inPlace: boolean = false,
  withEach: boolean = false,
): Planned {
  const { responses, inputs, params } = program;
  const given = { responses, inputs, params };
  const lowered = withEach ? program.withEach(direction) : program[direction];
  const asked: Asked = { lowered, given, layout, inPlace };
  const { made, records } = pipeline.shaders.run(asked, directions[direction]);
  return { plan: planned(made), passes: records };
}
