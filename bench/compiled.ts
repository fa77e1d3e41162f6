// A compiled objective as a provider, on the layout and with the options of a run, and what its results are held against.

import { builtIn, compile, type Batch, type Binding, type Compiled } from "../src/index.ts";
import { againstGpu, interpret } from "../src/check/compare.ts";
import { acceptedGpuError, gradientError, lossError } from "../src/check/error.ts";
import { PrefcError } from "../src/core/error.ts";
import type { Height } from "../src/core/inputs.ts";
import type { StepBytes } from "../src/explain/bytes.ts";
import { batchOf, hostPart } from "./data.ts";
import type { Layout } from "./layout.ts";
import type { Direction } from "./options.ts";
import {
  elapsed,
  gradientLeft,
  type Check,
  type Place,
  type Provider,
  type Sample,
} from "./provider.ts";

export interface Variant {
  readonly name: string;
  readonly metrics: boolean;
  readonly cachedReference: boolean;
}
const interpreter = "interpreter, float64";

/** Logits of a batch on which the interpreter takes the gradient as well. */
const smallEntries = 2 ** 17;

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);

/** At which height log-probabilities of the reference can be given: a sum per sequence, else per token, else not at all. */
function cachedHeight(objective: string): Height | null {
  const readsReference = compile(builtIn(objective)).program.inputs.some(({ name }) =>
    name.startsWith("ref.logits."),
  );
  if (!readsReference) return null;
  for (const height of ["logps", "logp"] as const) {
    try {
      compile(builtIn(objective), { heights: { ref: height } });
      return height;
    } catch (error) {
      if (!(error instanceof PrefcError && error.code === "input-too-high")) throw error;
    }
  }
  return null;
}

/** Log-probabilities of the reference as inputs, in float64 from the logits. */
function cached(
  { program }: Compiled,
  { layout, truth }: Place,
  whole: Batch,
): Readonly<Record<string, Binding>> {
  const bound = program.inputs.flatMap(({ name }): readonly (readonly [string, Binding])[] => {
    const match = /^ref\.(logps?)\.(.+)$/.exec(name);
    if (match === null) return [];
    const [, height, response] = match as unknown as [string, string, string];
    const tokens = truth.referenceLogp(response, whole);
    if (height === "logp") return [[name, { height: "token", values: tokens }]];
    const { offsets } = layout.responses[response]!;
    const values = Float64Array.from({ length: layout.examples }, (_, example) =>
      sum([...tokens.subarray(offsets[example], offsets[example + 1])]),
    );
    return [[name, { height: "example", values }]];
  });
  return Object.fromEntries(bound);
}

/** What the dispatches of each direction move, with the zeros that a gradient pass writes on rows outside completions. */
export function movesOf(
  compiled: Compiled,
  { rows, vocab, examples, responses, completionRows }: Layout,
): Readonly<Record<Direction, readonly StepBytes[]>> {
  const byResponse = compiled.program.responses.map(
    (response) => [response, responses[response]!.labels.length] as const,
  );
  const shape = { rows: Object.fromEntries(byResponse), examples, vocab };
  const { kernels } = compiled.explain(
    byResponse.length === 0 ? { examples, vocab } : shape,
  ).valueAndGrad;
  const passes = kernels.filter(({ kind }) => kind === "gradient pass");
  const zeros = ((rows - completionRows) * vocab * 4) / Math.max(1, passes.length);
  const backward = passes.map(({ bytes }) => ({ ...bytes, written: bytes.written + zeros }));
  const forward = kernels.flatMap(({ kind, bytes }) => (kind === "gradient pass" ? [] : [bytes]));
  return { forward, backward, full: [...forward, ...backward] };
}

/** Null when the objective has no such variant. */
export async function compiledProvider(
  place: Place,
  objective: string,
  { name, metrics, cachedReference }: Variant,
  witness: Float32Array | null,
): Promise<Provider | null> {
  const { device, held, layout } = place;
  const height = cachedReference ? cachedHeight(objective) : "logits";
  if (height === null) return null;
  const options = { device, metrics, heights: height === "logits" ? {} : { ref: height } };
  const compiled = compile(builtIn(objective), options);
  const { program } = compiled;
  const plain = batchOf(layout, compile(builtIn(objective)).program.inputs, held);
  const batch = batchOf(layout, program.inputs, held, cached(compiled, place, plain));
  const written = program.gradients.some(({ input }) => input.name.startsWith("policy.logits."));
  const into = {
    gradients: "keep",
    ...(written ? { into: { policy: held.gradient } } : {}),
  } as const;
  const backward = new Set(
    compiled
      .explain({ vocab: layout.vocab })
      .valueAndGrad.kernels.flatMap(({ kind, name: kernel }) =>
        kind === "gradient pass" ? [kernel] : [],
      ),
  );
  const moves = movesOf(compiled, layout);
  const visited = (steps: readonly StepBytes[]): number => sum(steps.map(({ read }) => read)) / 4;

  const { loss } = await compiled.valueAndGrad(batch, into);
  const beside = witness === null ? null : gradientError(await gradientLeft(device, held), witness);
  const afterFirst = compiled.memory().buffersCreated;
  const gpu = async (): Promise<Sample> => {
    const { times } = await compiled.valueAndGrad(batch, { ...into, profile: true });
    const total = sum(times!.map(({ milliseconds }) => milliseconds));
    const behind = sum(
      times!.flatMap(({ kernel, milliseconds }) => (backward.has(kernel) ? [milliseconds] : [])),
    );
    return { forward: total - behind, backward: behind, full: total };
  };
  const wall = async (): Promise<Sample> => ({
    forward: await elapsed(() => compiled.value(batch)),
    full: await elapsed(() => compiled.valueAndGrad(batch, into)),
  });
  return {
    name,
    objective,
    moves,
    entries: {
      forward: visited(moves.forward),
      backward: visited(moves.backward),
      full: visited(moves.full),
    },
    sample: { gpu, wall },
    check: await checkOf(compiled, place, batch, loss, beside),
    memory: () => {
      const { bytes, buffersCreated } = compiled.memory();
      return { bytes, created: buffersCreated - afterFirst };
    },
    padding: layout.padding,
    destroy: () => compiled.dispose(),
  };
}

/**
 * The loss against the interpreter's; the gradient against the interpreter's on few logits, else against the one that
 * hand-written kernels left. On logits past counting, the first examples alone.
 */
async function checkOf(
  compiled: Compiled,
  { layout, truth }: Place,
  batch: Batch,
  loss: number,
  beside: number | null,
): Promise<Check> {
  const { program } = compiled;
  const expected = truth.loss(program, batch);
  const small = layout.completionRows * layout.vocab <= smallEntries;
  const judged = (lossOff: number, gradientOff: number | null, against: string): Check => ({
    loss,
    lossError: lossOff,
    gradientError: gradientOff,
    against,
    ok: Math.max(lossOff, gradientOff ?? 0) <= acceptedGpuError(),
  });
  if (expected !== null && !small)
    return judged(
      lossError(loss, expected),
      beside,
      beside === null ? interpreter : `${interpreter}; gradient of expert`,
    );
  const examples = small ? layout.examples : Math.min(2, layout.examples);
  const part = hostPart(layout, program.inputs, batch, 0, examples);
  const errors = await againstGpu(compiled, part, {}, interpret(compiled, part, {}));
  return expected === null
    ? judged(errors.loss, errors.gradient, `${interpreter}, ${examples} examples`)
    : judged(lossError(loss, expected), errors.gradient, interpreter);
}
