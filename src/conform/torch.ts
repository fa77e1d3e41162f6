// Emitted files as an engine: the function that is written for a height runs in PyTorch, in float64, and the gradient that its
// autograd gives is carried to the logits by prefc's derivative of what the height hands out.

import { gradient } from "../ad/gradient.ts";
import type { Batch, Params } from "../batch/batch.ts";
import { tokenAxis } from "../core/axis.ts";
import { binary, constant, reduce } from "../core/build.ts";
import {
  exampleInput,
  isDifferentiated,
  logitsOf,
  logpsFromLogits,
  promptOf,
  tokenInput,
} from "../core/inputs.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import type { Objective } from "../dsl/objective.ts";
import type { Call, Python } from "../python/worker.ts";
import { evaluate } from "../reference/interpret.ts";
import { expand, type Tensor } from "../reference/tensor.ts";
import { emitTorch, type EmitHeight, type Emitted } from "../torch/emit.ts";
import type { TensorArgument } from "../torch/tensors.ts";
import type { Engine } from "./engine.ts";
import { gathered, numbersOf, paddingOf, tensorsOf, type Padding } from "./padded.ts";
import { recordedGradient } from "./reference.ts";

/** What a function of PyTorch made of a batch. */
export interface TorchRun {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly state: Readonly<Record<string, number>>;
  /** The gradient of each differentiated input below the loss. */
  readonly gradients: ReadonlyMap<Input, Tensor>;
}
export type Mode = Pick<Call, "mode" | "backend" | "dtype">;

/** Whether a gradient with respect to a tensor is asked for. */
const isLive = ({ source }: TensorArgument): boolean =>
  (source.kind === "statistic" && source.statistic.differentiated) ||
  ((source.kind === "logits" || source.kind === "hidden" || source.kind === "logps") &&
    source.model === "policy") ||
  (source.kind === "data" && isDifferentiated({ datum: source.datum, learned: false }));

/** Emitted files by objective, which are loaded once. */
export interface Loaded {
  readonly of: (objective: Objective, from: EmitHeight) => Promise<Emitted>;
}
function loader(python: Python): Loaded {
  const known = new Map<string, Promise<Emitted>>();
  return {
    of: (objective, from) => {
      const nodes = [
        objective.loss,
        ...Object.values(objective.metrics),
        ...Object.values(objective.next),
      ];
      const key = `${from} ${objective.name} ${nodes.map(({ id }) => id).join()}`;
      const load = async (): Promise<Emitted> => {
        const emitted = emitTorch(objective, { from });
        await python.load(key, emitted.text);
        return { ...emitted, key } as Emitted;
      };
      const made = known.get(key) ?? load();
      known.set(key, made);
      return made;
    },
  };
}

/** Runs an emitted function on a batch. @throws PrefcError what the function raised */
export async function runTorch(
  python: Python,
  emitted: Emitted,
  key: string,
  loss: Node,
  batch: Batch,
  given: Params,
  mode: Mode = {},
): Promise<TorchRun> {
  const padding = paddingOf(emitted, batch);
  const live = emitted.arguments.tensors.filter(isLive);
  const { gradients, ...answer } = await python.call({
    key,
    function: emitted.name,
    tensors: tensorsOf(emitted, padding, batch, given),
    numbers: numbersOf(emitted, given),
    gradients: live.map(({ name }) => name),
    ...mode,
  });
  const inputs = topological([loss]).filter(
    (node): node is Input => node.tag === "input" && isDifferentiated(node),
  );
  return { ...answer, gradients: carried(emitted, padding, inputs, live, gradients, batch, given) };
}

/** Carries slopes with respect to what was handed over to the inputs of the objective. */
function carried(
  emitted: Emitted,
  padding: Padding,
  inputs: readonly Input[],
  live: readonly TensorArgument[],
  slopes: Readonly<Record<string, Float64Array>>,
  batch: Batch,
  given: Params,
): ReadonlyMap<Input, Tensor> {
  const { examples, vocab } = batch;
  const result = new Map<Input, Tensor>();
  const bindings: Record<string, Batch["inputs"][string]> = { ...batch.inputs };
  const terms: Node[] = [];
  const rowsOf = (response: string, data: Float64Array): Float64Array => {
    const position = emitted.responses.indexOf(response);
    return data.subarray(position * examples, (position + 1) * examples);
  };
  const perSequence = (name: string, values: Float64Array, of: Node): void => {
    const slope = exampleInput(name) as Input;
    bindings[slope.name] = { height: "example", values };
    terms.push(reduce("sum", "batch", binary("times", slope, of)));
  };
  for (const { name, source } of live) {
    const data = slopes[name]!;
    if (source.kind === "statistic") {
      for (const [response, definition] of Object.entries(source.statistic.definitions)) {
        const slope = tokenInput(`slope ${name}`, response) as Input;
        bindings[slope.name] = { height: "token", values: gathered(padding, response, data) };
        const sum = reduce("sum", tokenAxis(response), binary("times", slope, definition));
        terms.push(reduce("sum", "batch", sum));
      }
    }
    for (const response of source.kind === "logps" ? emitted.responses : []) {
      const own =
        source.kind === "logps" && source.family === "prompt" ? promptOf(response) : response;
      if (inputs.includes(logitsOf("policy", own) as Input))
        perSequence(`slope ${own}`, rowsOf(response, data), logpsFromLogits("policy", own));
    }
    for (const own of inputs) {
      const { datum } = own;
      if (datum.kind === "logits" && (source.kind === "logits" || source.kind === "hidden"))
        result.set(own, { axes: own.axes, data: gathered(padding, datum.response, data, vocab) });
      if (datum.kind === "logps" && source.kind === "logps")
        result.set(own, { axes: own.axes, data: rowsOf(datum.response, data) });
      if (datum.kind === "reward" && source.kind === "data")
        result.set(own, { axes: own.axes, data: rowsOf(datum.response, data) });
    }
  }
  const left = inputs.filter((own) => !result.has(own));
  if (left.length === 0) return result;
  const root = terms.reduce((sum, term) => binary("plus", sum, term), constant(0));
  const nodes = gradient(root, left);
  evaluate(nodes, { ...batch, inputs: bindings }, given).forEach((tensor, position) => {
    const own = left[position]!;
    result.set(own, expand(tensor, own.axes, batch));
  });
  return result;
}

/** The engine of one height; files that the height does not serve are said to be so. */
export function torchEngine(python: Python, from: EmitHeight): Engine {
  const loaded = loader(python);
  return {
    name: `torch ${from}`,
    run: async ({ objective, params, state }, batch) => {
      const emitted = await loaded.of(objective, from);
      const { key } = emitted as Emitted & { readonly key: string };
      const run = await runTorch(python, emitted, key, objective.loss, batch, {
        ...params,
        ...state,
      });
      const inputs = [...run.gradients.keys()];
      return {
        loss: run.loss,
        gradient: recordedGradient(
          inputs,
          inputs.map((own) => run.gradients.get(own)!),
          batch,
        ),
        perExample: undefined,
        quantities: {},
        metrics: {},
        averages: run.metrics,
      };
    },
    close: () => undefined,
  };
}
