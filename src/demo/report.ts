// What `npm start` prints for one objective: its plan, and then one table in which a recorded batch and a large one stand
// side by side, each number beside the number that it has to agree with.
import type { Batch, Compiled } from "../index.ts";
import type { DirectionBytes } from "../explain/bytes.ts";
import type { Step, Work } from "../plan/plan.ts";
import { describeField } from "../stream/fields.ts";
import {
  bad,
  bytes as inBytes,
  count,
  error,
  faint,
  good,
  heading,
  milliseconds,
  number,
  table,
} from "./layout.ts";
import type { Errors, Measured } from "./measure.ts";
import type { Recorded } from "./recorded.ts";

/** One objective on one batch. */
export interface Column extends Measured {
  readonly title: string;
  readonly batch: Batch;
  /** Of logits read and gradient written, for completion rows. */
  readonly bytes: DirectionBytes;
  /** Against TRL, where it recorded this batch, and against the interpreter; with what is accepted of each. */
  readonly checks: readonly Check[];
}
export interface Check {
  readonly against: string;
  readonly errors: Errors;
  readonly accepted: Errors;
}
export interface Section {
  readonly title: string;
  readonly compiled: Compiled;
  readonly compileTime: number;
  readonly recorded: Recorded;
  readonly columns: readonly [trl: Column, large: Column];
}

export const isAccepted = ({ errors, accepted }: Check): boolean =>
  errors.loss <= accepted.loss && errors.gradient <= accepted.gradient;

/** What a dispatch leaves behind. */
function purpose({ pass, work }: Step): string {
  if (pass === null) return purposeOf(work!);
  if (pass.kind === "gradient")
    return "one exponential per entry; zeros on rows outside completions";
  if (pass.kind === "total") return "a reduction that needs the results of an earlier pass";
  return pass.fields.map((field) => describeField(field).replace(/ ?\(\w+\)/, "")).join(", ");
}

/** What a step of a row program is for, in the words of an objective. */
function purposeOf({ step }: Work): string {
  if (step.kind === "order") return "examples in their order";
  if (step.kind === "reduce") return "added up over the batch";
  switch (step.over) {
    case "token":
      return step.results.some(({ place }) => place.kind === "field")
        ? "coefficients of the gradient"
        : "log-probabilities of responses";
    case "example":
      return "loss and metrics of each example";
    case "scalar":
      return "loss and metrics";
  }
}

/** The dispatches of value and gradient, with the bytes of logits and gradient that each moves for the large batch. */
function planOf(compiled: Compiled, { batch, bytes }: Column): string {
  const lines = compiled.plan("valueAndGrad", batch.vocab).steps.map((step, position) => {
    const { read, written } = bytes.steps[position]!;
    const moved = read + written === 0 ? "" : inBytes(read + written);
    const name = `${position + 1}  ${step.kernel.name}`;
    return `  ${name.padEnd(38)}${moved.padStart(8)}   ${faint(purpose(step))}`;
  });
  return [
    `  ${lines.length} dispatches in one submission; x = z − max z, z the logits:`,
    ...lines,
  ].join("\n");
}

const verdict = (value: number, accepted: number): string =>
  value <= accepted ? good(error(value)) : bad(`${error(value)} > ${error(accepted)}`);

/** The section as text. */
export function report({ title, compiled, compileTime, recorded, columns }: Section): string {
  const [trl, large] = columns;
  const metric = (name: string): readonly string[] => [
    name,
    number(trl.gpu.metrics[name]!),
    number(recorded.metrics[name]!),
    number(large.gpu.metrics[name]!),
    number(large.interpreter.metrics[name]!),
  ];
  const errors = (against: string): readonly string[] =>
    columns.flatMap(({ checks }) => {
      const check = checks.find((candidate) => candidate.against === against);
      if (check === undefined) return ["–", "–"];
      const { errors, accepted } = check;
      return [verdict(errors.loss, accepted.loss), verdict(errors.gradient, accepted.gradient)];
    });
  const each = (
    name: string,
    show: (column: Column) => readonly [string, string],
  ): readonly string[] => [name, ...columns.flatMap(show)];
  return [
    `${heading(title)}${faint(`  (formula to WGSL in ${milliseconds(compileTime)})`)}`,
    planOf(compiled, large),
    "",
    table([
      each("", ({ title }) => [heading(title), ""]),
      each("", ({ batch }) => [`${batch.examples} pairs`, `V = ${count(batch.vocab)}`]),
      ["", "GPU, f32", "TRL, f64", "GPU, f32", "interpreter, f64"].map(faint),
      [
        "loss",
        number(trl.gpu.loss),
        number(recorded.loss),
        number(large.gpu.loss),
        number(large.interpreter.loss),
      ],
      ...Object.keys(trl.gpu.metrics).map(metric),
      [],
      ["relative error", "of the loss", "of the gradient", "of the loss", "of the gradient"].map(
        faint,
      ),
      ["against TRL", ...errors("TRL")],
      ["against the interpreter", ...errors("interpreter")],
      [],
      ["logits and gradient", "bytes moved", "least possible", "bytes moved", "least possible"].map(
        faint,
      ),
      each("value and gradient", ({ bytes }) => [inBytes(bytes.moved), inBytes(bytes.floor)]),
      ["time of value and gradient", "first run", "median of 5", "first run", "median of 5"].map(
        faint,
      ),
      each("with shaders built in the first", ({ first, median }) => [
        milliseconds(first),
        milliseconds(median),
      ]),
    ]),
  ].join("\n");
}
