// An objective as a loss of Tinker's SDK, which hands over the log-probability of each token and takes the gradient back. A loss of
// pairs goes to forward_backward_custom; a loss of single data can also be traced by create_custom_loss and run on the server.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import type { Objective } from "../dsl/objective.ts";
import { emitTorch, type Emitted, type EmitOptions } from "../torch/emit.ts";
import { broken } from "../torch/frame.ts";
import { string } from "./string.ts";
import { wordOf } from "../torch/names.ts";

export type TinkerOptions = Pick<EmitOptions, "options" | "version" | "hash" | "metrics">;

/** Where an argument of the function is found in the loss_fn_inputs of a datum, and its rank there. */
interface Field {
  readonly argument: string;
  readonly field: string;
  readonly rank: 0 | 1;
}

/**
 * Emits a loss for Tinker. @throws PrefcError emit-statistic where the loss needs more than log-probabilities, emit-trainer
 * where it reads what a datum does not hold
 */
export function emitTinker(objective: Objective, options: TinkerOptions): Emitted {
  const made = emitTorch(objective, { ...options, from: "statistics", statistics: ["log_probs"] });
  const fields = made.arguments.tensors.flatMap(({ name, source }): readonly Field[] => {
    if (source.kind === "mask" && source.family === "completion")
      return [{ argument: name, field: "weights", rank: 1 }];
    if (source.kind === "statistic")
      return source.statistic.models[0] === "policy"
        ? []
        : [{ argument: name, field: "ref_logprobs", rank: 1 }];
    if (source.kind === "data" && source.datum.kind === "tokens")
      return [{ argument: name, field: name, rank: 1 }];
    if (source.kind === "data" && source.datum.kind === "example")
      return [{ argument: name, field: name, rank: 0 }];
    return fail(
      "emit-trainer",
      `emit tinker: ${cite(objective.name)} reads ${cite(name)}, which no datum of Tinker holds; emit it for torch and write the call.`,
    );
  });
  const policy = made.arguments.tensors.find(({ source }) => source.kind === "statistic")!.name;
  const single =
    made.responses.length === 1 && made.coupled.length === 0 && made.arguments.states.length === 0;
  const lines = [
    ...pairLines(made, policy, fields),
    ...(single ? ["", ...datumLines(made, policy, fields)] : []),
  ];
  const wrapped = lines.flatMap((line) => broken(line.trimStart(), /^ */.exec(line)![0]));
  return { ...made, text: `${made.text}\n${wrapped.join("\n")}\n` };
}

/** The loss of all data of a call. */
function pairLines(
  { name, responses, arguments: given }: Emitted,
  policy: string,
  fields: readonly Field[],
): readonly string[] {
  const words = responses.map((response) => wordOf(response));
  const count = responses.length;
  const order =
    count === 1
      ? `data are ${words[0]} completions`
      : `data are ${words.join(", ")} of the first example, then of the second, and so on`;
  const states = given.states.map((one) => `${string(one.name)}: ${(one.initial ?? 0).toFixed(1)}`);
  const dict = (rank: 0 | 1): string =>
    `{${fields
      .filter((one) => one.rank === rank)
      .map(({ argument, field }) => `${string(argument)}: ${string(field)}`)
      .join(", ")}}`;
  const hasState = states.length > 0;
  return [
    `TOKENS = ${dict(1)}  # arguments by the loss_fn_inputs that hold them: a number for each token`,
    `EXAMPLES = ${dict(0)}  # a number for each example, which the first datum of the example holds`,
    ``,
    `def loss_fn(**params):`,
    `    """The loss for training_client.forward_backward_custom(data, loss_fn(...)): ${order}.`,
    `    weights are 1 on the tokens of the completion and 0 elsewhere. Parameters are those of ${name}."""`,
    ...(hasState ? [`    params = {${states.join(", ")}, **params}`] : []),
    `    def call(data, logprobs):`,
    `        if len(data) % ${count}:`,
    `            raise ValueError(f"{len(data)} data are no examples of ${count}; give ${words.join(", ")} of each, in this order.")`,
    `        def column(field, datum, like):`,
    `            if field not in datum.loss_fn_inputs:`,
    `                raise ValueError(f"a datum has no loss_fn_inputs[{field!r}], which ${name} reads; add it.")`,
    `            return datum.loss_fn_inputs[field].to_torch().to(like)`,
    `        order = [at for first in range(${count}) for at in range(first, len(data), ${count})]`,
    `        rows = torch.nn.utils.rnn.pad_sequence([logprobs[at] for at in order], batch_first=True)`,
    `        given = {name: torch.nn.utils.rnn.pad_sequence([column(field, data[at], rows) for at in order], batch_first=True)`,
    `            for name, field in TOKENS.items()}`,
    `        given |= {name: torch.stack([column(field, one, rows).reshape(()) for one in data[::${count}]])`,
    `            for name, field in EXAMPLES.items()}`,
    `        loss, metrics, *state = ${name}(${policy}=rows, **given, **params)`,
    `        verify(metrics)`,
    ...(hasState
      ? [
          `        params.update({name: float(x) for name, x in state[0].items()})  # the state of the next step`,
        ]
      : []),
    `        # the SDK wants a gradient for every log-probability, also for those that the loss does not read`,
    `        loss = loss + 0 * sum(torch.sum(torch.nan_to_num(x, 0, 0, 0)) for x in logprobs)`,
    `        return loss, {name: float(x) for name, x in metrics.items() if name != "undefined"}`,
    `    return call`,
  ];
}

/** The loss of one datum, in the form that torch.fx traces. */
function datumLines(
  { name, totals }: Emitted,
  policy: string,
  fields: readonly Field[],
): readonly string[] {
  const given = fields.map(
    ({ argument, field, rank }) => `${argument}=${field}${rank === 1 ? "[None]" : ".reshape(1)"}`,
  );
  const takes = ["logprobs", ...fields.map(({ field }) => field)];
  const ranks = ["logprobs: 1", ...fields.map(({ field, rank }) => `${field}: ${rank}`)];
  return [
    `def datum_loss(**params):`,
    `    """The loss of one datum, for service_client.create_custom_loss(datum_loss(...), input_ranks=INPUT_RANKS). Tinker adds`,
    `    the losses of data up; given ${totals.map((one) => one.name).join(" and ")} of the whole batch, the sum is the loss of the batch."""`,
    `    def ${name}_datum(${takes.join(", ")}):`,
    `        loss, metrics = ${name}(${[`${policy}=logprobs[None]`, ...given].join(", ")}, **params)[:2]`,
    `        return loss, {"custom/" + name + ":mean": x for name, x in metrics.items() if name != "undefined"}`,
    `    return ${name}_datum`,
    ``,
    `INPUT_RANKS = {${ranks.map((rank) => rank.replace(/^(\w+)/, '"$1"')).join(", ")}}`,
  ];
}
