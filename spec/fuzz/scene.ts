// Where a program grows: a random batch that brings everything that a program may read, values of parameters and a state, and
// the leaves over them. Every number is a float32 of ordinary size, so that all engines read the same inputs.
import type { Batch, Binding, LogitsTensor, Params } from "../../src/batch/batch.ts";
import { randomBatch } from "../../src/sample/batch.ts";
import type { Random } from "../../src/sample/random.ts";
import { tokenAxis, type Axis } from "../../src/core/axis.ts";
import { constant, count, iota, param, state, unary } from "../../src/core/build.ts";
import {
  exampleInput,
  idsOf,
  logitsOf,
  logpFromLogits,
  logpInput,
  logpsFromLogits,
  logpsInput,
  logSoftmaxOf,
  promptOf,
  rewardInput,
  tokenInput,
} from "../../src/core/inputs.ts";
import type { Input, Node } from "../../src/core/node.ts";

export interface Scene {
  readonly random: Random;
  readonly responses: readonly string[];
  /** The prompts that may be read, whose tokens may be none. */
  readonly prompts: readonly string[];
  readonly batch: Batch;
  readonly params: Params;
  readonly state: Params;
}

const responseLists: readonly (readonly string[])[] = [
  ["w", "l"],
  ["w", "l"],
  ["y"],
  ["y", "kl"],
  ["a", "b", "c"],
];

export const pick = <T>(random: Random, list: readonly T[]): T =>
  list[random.integer(0, list.length - 1)]!;

/** A number with few digits, so that what is printed can be read. */
export const short = (random: Random, from: number, to: number): number =>
  Math.round((from + (to - from) * random.uniform()) * 20) / 20;

/** The policy, the reference and a further model, which is data as well. */
const models: readonly string[] = ["policy", "ref", "teacher"];

const everyInput = (responses: readonly string[]): readonly Input[] =>
  [
    ...responses.flatMap((y) => [
      ...models.flatMap((model) => [logitsOf(model, y), logpInput(model, y), logpsInput(model, y)]),
      rewardInput(y),
      tokenInput("given", y),
      tokenInput("mask", y, true),
    ]),
    exampleInput("given"),
    exampleInput("desirable"),
    exampleInput("weight", true),
  ] as readonly Input[];

/** Some prompts without a token. */
function withShortPrompts(batch: Batch, prompts: readonly string[], random: Random): Batch {
  let changed = batch;
  for (const name of prompts) {
    const example = random.integer(0, batch.examples - 1);
    const { offsets, labels } = changed.responses[name]!;
    const [from, to] = [offsets[example]!, offsets[example + 1]!];
    const kept = <T extends Float32Array | Float64Array | Uint32Array>(values: T): T =>
      values.filter((_, token) => token < from || token >= to) as T;
    const inputs = Object.entries(changed.inputs).map(([input, binding]): [string, Binding] => {
      if (!input.endsWith(`.${name}`) || binding.height === "example") return [input, binding];
      return binding.height === "logits"
        ? [input, { ...binding, rowIndex: kept(binding.rowIndex) }]
        : [input, { ...binding, values: kept(binding.values) }];
    });
    changed = {
      ...changed,
      inputs: Object.fromEntries(inputs),
      responses: {
        ...changed.responses,
        [name]: {
          offsets: offsets.map((offset, n) => (n > example ? offset - (to - from) : offset)),
          labels: kept(labels),
        },
      },
    };
  }
  return changed;
}

const withFlags = (batch: Batch, random: Random): Batch => ({
  ...batch,
  inputs: {
    ...batch.inputs,
    "example.desirable": {
      height: "example",
      values: new Float32Array(batch.examples).map(() => random.integer(0, 1)),
    },
  },
});

/** Logits that are apart as those of a trained model are: most entries are next to nothing beside the largest. */
function peaked(batch: Batch): Batch {
  const made = new Map<LogitsTensor, LogitsTensor>();
  const sharper = (tensor: LogitsTensor): LogitsTensor => {
    const known = made.get(tensor) ?? {
      ...tensor,
      data: (tensor.data as Float32Array).map((z) => 5 * z),
    };
    made.set(tensor, known);
    return known;
  };
  const inputs = Object.entries(batch.inputs).map(([name, binding]): [string, Binding] => [
    name,
    binding.height === "logits" ? { ...binding, tensor: sharper(binding.tensor) } : binding,
  ]);
  return { ...batch, inputs: Object.fromEntries(inputs) };
}

export interface SceneOptions {
  readonly responses?: readonly string[];
  /** Rows longer than a workgroup visits at once; now and then. */
  readonly wide?: boolean;
}

/** A scene drawn at random. */
export function scene(random: Random, options: SceneOptions = {}): Scene {
  const responses = options.responses ?? pick(random, responseLists);
  const prompts = random.uniform() < 0.2 ? [promptOf(responses[0]!)] : [];
  const wide = options.wide ?? random.uniform() < 0.04;
  const vocab = wide ? ([60, 140] as const) : ([2, 13] as const);
  const all = [...responses, ...prompts];
  const drawn = randomBatch(
    { responses: all, inputs: everyInput(all) },
    { examples: wide ? 2 : 4, tokens: wide ? 2 : 4, vocab },
    random,
  );
  const batch = random.uniform() < 0.1 ? peaked(drawn) : drawn;
  return {
    random,
    responses,
    prompts,
    batch: withFlags(withShortPrompts(batch, prompts, random), random),
    params: {
      beta: short(random, 0.05, 1.5),
      shift: short(random, -1, 1),
      gamma: short(random, 0.1, 1),
    },
    state: { mean: short(random, -1, 1) },
  };
}

/** The leaves of a scene; each is a chance, so the list says how likely a leaf is. */
export function leaves({ responses, prompts, random }: Scene): readonly (() => Node)[] {
  const response = (): string =>
    pick(random, random.uniform() < 0.15 && prompts.length > 0 ? prompts : responses);
  const model = (): string =>
    random.uniform() < 0.7 ? "policy" : pick(random, ["ref", "ref", "teacher"]);
  const axis = (): Axis => pick(random, ["batch", "vocab", tokenAxis(response())]);
  return [
    () => logitsOf(model(), response()),
    () => logSoftmaxOf(logitsOf(model(), response())),
    () => unary("exp", logSoftmaxOf(logitsOf(model(), response()))),
    () => logpFromLogits(model(), response()),
    () => logpsFromLogits(model(), response()),
    () => logpsFromLogits(model(), response()),
    () => tokenInput("given", response()),
    () => exampleInput("given"),
    () => exampleInput("desirable"),
    () => exampleInput("weight", true),
    () => tokenInput("mask", response(), true),
    () => param("gamma", 0.5, {}, true),
    () => rewardInput(pick(random, responses)),
    () => iota(axis()),
    () => count(axis()),
    () => idsOf(response()),
    () => constant(short(random, -3, 3)),
    () => constant(pick(random, [0, 1, -1, 2, 0.5])),
    () => constant(random.integer(0, 3), "i32"),
    () => constant(random.integer(0, 1), "bool"),
    () => param("beta", 0.1),
    () => param("shift"),
    () => state("mean", 0.25),
  ];
}
