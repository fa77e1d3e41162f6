// What can be checked of a case without a device: that simplification and the derivation of a gradient change no value, and
// that gradients, and on a sample gradients of gradients, are those of central differences, and that many digits agree.
import { random as randomOf } from "../../src/sample/random.ts";
import { compileProgram, type Program } from "../../src/pipeline/pipeline.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";
import { simplify } from "../../src/rewrite/simplify.ts";
import { objectiveOf, type Case } from "./case.ts";
import { paramDifference } from "../../src/check/differences.ts";
import { stoppedValues } from "../../src/reference/differences.ts";
import { againstDifferences, secondOrder } from "./derivative.ts";
import { againstWitness } from "../witness/compare.ts";
import { rawGradients } from "./results.ts";

/** Rewriting reorders sums in float64, where every value here is of moderate size. */
const tolerance = 1e-9;

export interface Interpreted {
  readonly complaints: readonly string[];
  readonly compared: number;
  readonly rough: number;
  readonly second: boolean;
}

export interface InterpretOptions {
  /** Entries of each input at which differences are taken. */
  readonly entries: number;
  /** Whether the gradient of the gradient is taken as well, and many digits are asked. */
  readonly second: boolean;
}

export const programOf = (one: Case): Program =>
  compileProgram(objectiveOf(one), { heights: one.heights });

/** Values after rewriting against values before. */
function rewritten(one: Case, program: Program): readonly string[] {
  const scalars = [program.loss, ...Object.values(program.metrics), ...Object.values(program.next)];
  const raw = rawGradients(program);
  const { roots } = simplify(scalars);
  const params = { ...one.params, ...one.state };
  const inputs = program.gradients.map(({ input }) => input);
  const before = evaluate([...scalars, ...raw], one.batch, params);
  const slopes = [...program.gradients, ...program.paramGradients].map(({ node }) => node);
  const names = [...inputs, ...program.paramGradients.map(({ param }) => param)];
  const after = evaluate([...roots, ...slopes], one.batch, params);
  return before.flatMap((tensor, position) => {
    const axes = inputs[position - scalars.length]?.axes ?? [];
    const [x, y] = [tensor, after[position]!].map((given) => expand(given, axes, one.batch).data);
    const size = x!.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const entry = x!.findIndex(
      (value, n) => !(Math.abs(value - y![n]!) <= tolerance * size) && value !== y![n],
    );
    if (entry < 0) return [];
    const what =
      position < scalars.length
        ? `result ${position}`
        : `the gradient of ${names[position - scalars.length]!.name}`;
    return [`rewriting: ${what} is ${y![entry]} at entry ${entry} after, ${x![entry]} before`];
  });
}

/** Everything that the interpreter can say about a case. */
export function interpret(one: Case, program: Program, options: InterpretOptions): Interpreted {
  const params = { ...one.params, ...one.state };
  const random = randomOf(one.seed, 77);
  const own = { entries: options.entries, random };
  const first = againstDifferences(program.loss, program.gradients, one.batch, params, {
    ...own,
    what: "the derivative",
  });
  const held = stoppedValues(program.loss, one.batch, params);
  const derived = evaluate(
    program.paramGradients.map(({ node }) => node),
    one.batch,
    params,
  );
  const ofParams = program.paramGradients.flatMap(({ param }, n) => {
    const slope = derived[n]!.data[0]!;
    const right = paramDifference(program.loss, param, one.batch, params, held);
    return Math.abs(slope - right) <= 1e-3 * (1 + Math.abs(right))
      ? []
      : [
          `the derivative of the parameter ${param.name} is ${slope}, where differences give ${right}`,
        ];
  });
  const again = options.second ? secondOrder(program) : null;
  const second =
    again === null
      ? null
      : againstDifferences(again.combined, again.gradients, one.batch, params, {
          ...own,
          what: "the second derivative",
        });
  // many digits take their time
  const roots = [program.loss, ...program.gradients.map(({ node }) => node)];
  const exact = options.second ? againstWitness(roots, one.batch, params).complaints : [];
  return {
    complaints: [
      ...exact,
      ...rewritten(one, program),
      ...first.complaints,
      ...ofParams,
      ...(second?.complaints ?? []),
    ],
    compared: first.compared + (second?.compared ?? 0),
    rough: first.rough + (second?.rough ?? 0),
    second: second !== null,
  };
}
