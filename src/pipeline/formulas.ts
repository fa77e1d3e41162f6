// The first passes: an objective's formulas, from what its author wrote to its value and its gradient, simplified. All of it is
// terms of the core, over the inputs that a batch brings.

import { gradient } from "../ad/gradient.ts";
import { inOrder, responsesNeeded } from "../batch/check.ts";
import { binary, count, reduce } from "../core/build.ts";
import { isDifferentiated } from "../core/inputs.ts";
import { topological, type Input, type Node, type Param } from "../core/node.ts";
import type { Declared } from "../dsl/declared.ts";
import { simplify } from "../rewrite/simplify.ts";
import { bindHeights, type Heights, type Roots } from "./bind.ts";
import type { Pass } from "./pass.ts";
import { terms } from "./sizes.ts";

/** What the compiler reads of an objective. */
export interface Source {
  readonly name: string;
  readonly responses: readonly string[];
  /** Models beside "policy" and "ref"; none. */
  readonly models?: readonly string[];
  readonly loss: Node;
  readonly metrics: Readonly<Record<string, Node>>;
  /** The next value of each state; none. */
  readonly next?: Readonly<Record<string, Node>>;
  /** Which values the numbers of a batch have, where the objective declares it; none. */
  readonly declared?: Declared;
}
export interface ProgramOptions {
  readonly heights?: Heights;
  /** Whether metrics are computed; true. */
  readonly metrics?: boolean;
  /** Whether all that is accumulated over a model's logits shares one read of them; true. Otherwise it is slower, and the same. */
  readonly fusion?: boolean;
}

/** What is compiled of an objective. */
export interface Written {
  readonly source: Source;
  readonly options: ProgramOptions;
  readonly roots: Roots;
}
/** Over the inputs that the batch brings. */
export interface Bound extends Written {
  /** The responses whose tokens are read: those that the objective declares, then the prompts that it uses. */
  readonly responses: readonly string[];
  /** The loss as one number, after binding: what the reference interprets. */
  readonly loss: Node;
  readonly perExample: Node | null;
  readonly metrics: Readonly<Record<string, Node>>;
  /** Metrics that are one number per example, before they are averaged. */
  readonly each: readonly (readonly [name: string, node: Node])[];
  /** The next value of each state, over the state of this step and the batch. */
  readonly next: Readonly<Record<string, Node>>;
  /** Metrics that need something below the height at which the batch brings it. */
  readonly dropped: readonly string[];
}
export interface Simplified extends Bound {
  /** The loss, the metrics and the next state, and the loss of each example where there is one. */
  readonly forward: readonly Node[];
  readonly applied: ReadonlyMap<string, number>;
}
export interface Differentiated extends Simplified {
  readonly inputs: readonly Input[];
  readonly params: readonly Param[];
  /** What the gradient is taken with respect to, and its slopes in this order. */
  readonly differentiated: readonly Input[];
  readonly learned: readonly Param[];
  readonly slopes: readonly Node[];
}
/** Value and gradient. */
export interface Formulas extends Differentiated {
  /** Every input that has a gradient, and the gradient on the core; an input of which it is always 0 is left out. */
  readonly gradients: readonly { readonly input: Input; readonly node: Node }[];
  /** The gradient of every parameter that is learned: one number each. */
  readonly paramGradients: readonly { readonly param: Param; readonly node: Node }[];
}

export const written = (source: Source, options: ProgramOptions): Written => ({
  source,
  options,
  roots: {
    loss: source.loss,
    metrics: options.metrics === false ? {} : source.metrics,
    next: source.next ?? {},
  },
});

export const rootsOf = ({ loss, metrics, next }: Roots): readonly Node[] => [
  loss,
  ...Object.values(metrics),
  ...Object.values(next),
];

/** Inputs enter at the height at which the batch brings them. */
export const bindInputs: Pass<Written, Bound> = {
  name: "bind inputs",
  run: (given) => {
    const { source, options, roots } = given;
    const responses = inOrder([...source.responses, ...responsesNeeded(rootsOf(roots))]);
    const models = ["policy", "ref", ...(source.models ?? [])];
    const bound = bindHeights(roots, responses, options.heights ?? {}, models);
    return {
      ...given,
      ...bound,
      responses,
      loss: overBatch(bound.loss),
      perExample: bound.loss.axes.includes("batch") ? bound.loss : null,
      each: Object.entries(bound.metrics).filter(([, node]) => node.axes.includes("batch")),
      metrics: Object.fromEntries(
        Object.entries(bound.metrics).map(([name, node]) => [name, overBatch(node)]),
      ),
    };
  },
  ...terms((bound: Bound) => rootsOf(bound)),
};

/** Algebra and stability. */
export const simplifyFormulas: Pass<Bound, Simplified> = {
  name: "simplify",
  run: (given) => {
    const { perExample } = given;
    const { roots, applied } = simplify([
      ...rootsOf(given),
      ...(perExample === null ? [] : [perExample]),
    ]);
    return { ...given, forward: roots, applied };
  },
  applied: ({ applied }) => applied,
  ...terms(({ forward }) => forward),
};

/** Reverse mode. */
export const differentiate: Pass<Simplified, Differentiated> = {
  name: "differentiate",
  run: (given) => {
    const all = topological(rootsOf(given));
    const inputs = all.filter((node): node is Input => node.tag === "input");
    const params = all.filter((node): node is Param => node.tag === "param");
    const differentiated = inputs.filter(isDifferentiated);
    const learned = params.filter((param) => param.learned);
    const slopes = gradient(given.forward[0]!, [...differentiated, ...learned]);
    return { ...given, inputs, params, differentiated, learned, slopes };
  },
  ...terms(({ slopes }) => slopes),
};

/** What the loss does not depend on, or only under a stopped gradient, is not read again and nothing is written for it. */
export const simplifyGradient: Pass<Differentiated, Formulas> = {
  name: "simplify the gradient",
  run: (given) => {
    const { differentiated, learned } = given;
    const { roots: slopes, applied } = simplify(given.slopes);
    const isZero = (node: Node): boolean => node.tag === "const" && node.value === 0;
    return {
      ...given,
      slopes,
      applied,
      gradients: differentiated
        .map((input, position) => ({ input, node: slopes[position]! }))
        .filter(({ node }) => !isZero(node)),
      paramGradients: learned.map((param, position) => ({
        param,
        node: slopes[differentiated.length + position]!,
      })),
    };
  },
  applied: ({ applied }) => applied,
  ...terms(({ slopes }) => slopes),
};

/** One number per example means their mean over the batch. */
function overBatch(node: Node): Node {
  return node.axes.includes("batch")
    ? binary("over", reduce("sum", "batch", node), count("batch"))
    : node;
}
