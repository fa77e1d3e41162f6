// The compiler, as one visible list. An objective goes through the passes below in order; each is recorded
// with what it was given and what it made, so that `explain` is this list read aloud, and each result is
// verified before the next pass sees it.

import { gradient } from "../ad/gradient.ts";
import { inOrder, responsesNeeded } from "../batch/check.ts";
import { binary, count, reduce } from "../core/build.ts";
import { isDifferentiated } from "../core/inputs.ts";
import { topological, type Input, type Node, type Param } from "../core/node.ts";
import type { Declared } from "../dsl/declared.ts";
import { verify } from "../core/verify.ts";
import { simplify } from "../rewrite/simplify.ts";
import { derive, type Derivation } from "../stream/derive.ts";
import { logitsOfInput } from "../stream/fields.ts";
import { stages, type Stages } from "../stream/stages.ts";
import { averagesOf, type Average } from "./averages.ts";
import { bindHeights, type Heights } from "./bind.ts";
import { nodesWithin } from "./limit.ts";

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
export interface PassRecord {
  readonly name: string;
  /** Nodes before and after. */
  readonly before: number;
  readonly after: number;
  /** Rewrites applied, by rule. */
  readonly applied: ReadonlyMap<string, number>;
}
/** The stages of one direction: the value alone, or the value with its gradient. */
export interface Lowered {
  readonly derivation: Derivation;
  readonly stages: Stages;
  /** Scalars by name: "loss", the metrics, the next values of the state, the gradients of parameters that are learned. */
  readonly scalars: readonly (readonly [name: string, node: Node])[];
  /** The loss of each example, when the objective has one. */
  readonly perExample: Node | null;
  /** Metrics that are one number per example, before they are averaged; empty unless asked for. */
  readonly each: readonly (readonly [name: string, node: Node])[];
  /** Gradients that are one number per token or example. */
  readonly highGradients: readonly { readonly input: Input; readonly node: Node }[];
}
export interface Program {
  /** Which values the numbers of a batch have, where the objective declares it. */
  readonly declared: Declared;
  readonly source: Source;
  /** The responses whose tokens are read: those that the objective declares, then the prompts that it uses. */
  readonly responses: readonly string[];
  /** The loss as one number, after binding: what the reference interprets. */
  readonly loss: Node;
  readonly perExample: Node | null;
  readonly metrics: Readonly<Record<string, Node>>;
  /** The next value of each state, over the state of this step and the batch. */
  readonly next: Readonly<Record<string, Node>>;
  readonly dropped: readonly string[];
  /** Every input that has a gradient, and the gradient on the core; an input of which it is always 0 is left out. */
  readonly gradients: readonly { readonly input: Input; readonly node: Node }[];
  /** The gradient of every parameter that is learned: one number each. */
  readonly paramGradients: readonly { readonly param: Param; readonly node: Node }[];
  readonly inputs: readonly Input[];
  readonly params: readonly Param[];
  readonly passes: readonly PassRecord[];
  readonly value: Lowered;
  readonly valueAndGrad: Lowered;
  /** The same directions with the metrics of each example, which are lowered when they are first asked for. */
  readonly withEach: (direction: "value" | "valueAndGrad") => Lowered;
  /** Over what the loss and each metric are averaged, and how parts of a batch are put together. */
  readonly averages: Readonly<Record<string, Average>>;
}
export interface ProgramOptions {
  readonly heights?: Heights;
  /** Whether metrics are computed; true. */
  readonly metrics?: boolean;
  /** Whether all that is accumulated over a model's logits shares one read of them; true. Otherwise it is slower, and the same. */
  readonly fusion?: boolean;
}

export function compileProgram(source: Source, options: ProgramOptions = {}): Program {
  const passes: PassRecord[] = [];
  const record = (
    name: string,
    before: readonly Node[],
    after: readonly Node[],
    applied: ReadonlyMap<string, number> = new Map(),
  ): readonly Node[] => {
    const size = nodesWithin(source.name, `after "${name}"`, after);
    verify(after, `after ${name}`);
    passes.push({ name, before: topological(before).length, after: size, applied });
    return after;
  };
  const simplified = (name: string, roots: readonly Node[]): readonly Node[] => {
    const result = simplify(roots);
    return record(name, roots, result.roots, result.applied);
  };

  const wanted = options.metrics === false ? {} : source.metrics;
  const following = source.next ?? {};
  const surface = [source.loss, ...Object.values(wanted), ...Object.values(following)];
  nodesWithin(source.name, "as it is written", surface);
  const responses = inOrder([...source.responses, ...responsesNeeded(surface)]);

  // 1 inputs enter at the height the batch brings them
  const bound = bindHeights(
    { loss: source.loss, metrics: wanted, next: following },
    responses,
    options.heights ?? {},
    ["policy", "ref", ...(source.models ?? [])],
  );
  const names = Object.keys(bound.metrics);
  const states = Object.keys(bound.next);
  const metrics = names.map((name) => bound.metrics[name]!);
  const next = states.map((name) => bound.next[name]!);
  record("bind inputs", surface, [bound.loss, ...metrics, ...next]);
  const perExample = bound.loss.axes.includes("batch") ? bound.loss : null;
  const scalars = [overBatch(bound.loss), ...metrics.map(overBatch), ...next];

  // 2 algebra and stability
  const forward = simplified("simplify", perExample === null ? scalars : [...scalars, perExample]);
  const [loss] = forward as readonly [Node];

  // 3 reverse mode
  const inputs = inputsOf(scalars);
  const differentiated = inputs.filter(isDifferentiated);
  const params = topological(scalars).filter((node): node is Param => node.tag === "param");
  const learned = params.filter((param) => param.learned);
  const raw = record("differentiate", [loss], gradient(loss, [...differentiated, ...learned]));
  const slopes = simplified("simplify the gradient", raw);
  // what the loss does not depend on, or only under a stopped gradient, is not read again and nothing is written for it
  const gradients = differentiated
    .map((input, position) => ({ input, node: slopes[position]! }))
    .filter(({ node }) => !(node.tag === "const" && node.value === 0));
  const paramGradients = learned.map((param, position) => ({
    param,
    node: slopes[differentiated.length + position]!,
  }));

  // 4 running passes over the vocabulary, 5 rows and stages
  const single = names.filter((name) => bound.metrics[name]!.axes.includes("batch"));
  const lower = (withGradient: boolean, withEach: boolean = false): Lowered => {
    const isHigh = (input: Input): boolean => logitsOfInput(input) === null;
    const pairs = withGradient ? gradients : [];
    const high = pairs.filter(({ input }) => isHigh(input));
    const low = pairs.filter(({ input }) => !isHigh(input));
    const ofParams = withGradient ? paramGradients : [];
    const eachNames = withEach ? single : [];
    const each = simplify(eachNames.map((name) => bound.metrics[name]!)).roots;
    const derivation = derive(
      [...forward, ...[...high, ...ofParams].map(({ node }) => node), ...each],
      low.map(({ input, node }) => ({ input, node })),
    );
    const label = withGradient ? "value and gradient" : "value";
    const rows = withEach
      ? simplify(derivation.rows).roots
      : simplified(`derive passes (${label})`, derivation.rows);
    const firstEach = forward.length + high.length + ofParams.length;
    const lowered = stages(
      derivation,
      low.map(({ input }, position) => ({
        ...logitsOfInput(input)!,
        form: derivation.forms[position]!,
      })),
      options.fusion,
    );
    return {
      derivation,
      stages: lowered,
      scalars: [
        ["loss", rows[0]!],
        ...[...names, ...states.map((name) => `next ${name}`)].map(
          (name, position) => [name, rows[1 + position]!] as const,
        ),
        ...ofParams.map(
          ({ param }, position) =>
            [gradientName(param), rows[forward.length + high.length + position]!] as const,
        ),
      ],
      perExample: perExample === null ? null : rows[scalars.length]!,
      each: eachNames.map((name, position) => [name, rows[firstEach + position]!] as const),
      highGradients: high.map(({ input }, position) => ({
        input,
        node: rows[forward.length + position]!,
      })),
    };
  };

  const lowered = { value: lower(false), valueAndGrad: lower(true) };
  const withEach = new Map<string, Lowered>();
  return {
    source,
    declared: source.declared ?? {},
    responses,
    loss: scalars[0]!,
    perExample,
    metrics: Object.fromEntries(names.map((name, position) => [name, scalars[1 + position]!])),
    next: bound.next,
    dropped: bound.dropped,
    gradients,
    inputs,
    paramGradients,
    params,
    ...lowered,
    withEach: (direction) => {
      const known = withEach.get(direction) ?? lower(direction === "valueAndGrad", true);
      withEach.set(direction, known);
      return known;
    },
    averages: averagesOf(
      Object.fromEntries(["loss", ...names].map((name, position) => [name, scalars[position]!])),
    ),
    passes,
  };
}

/** The name under which the gradient of a parameter is returned. */
export const gradientName = ({ name }: Pick<Param, "name">): string => `param.${name}`;

/** One number per example means their mean over the batch. */
function overBatch(node: Node): Node {
  return node.axes.includes("batch")
    ? binary("over", reduce("sum", "batch", node), count("batch"))
    : node;
}

function inputsOf(roots: readonly Node[]): readonly Input[] {
  return topological(roots).filter((node): node is Input => node.tag === "input");
}
