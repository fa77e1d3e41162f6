// `prefc emit torch OBJECTIVE --from HEIGHT`: the objective as a file for another framework, on the standard output or where
// --out says. What a file was made with stands in its header.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { defineCommand, type CommandDef } from "citty";
import { PrefcError } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import type { Objective } from "../index.ts";
import { emitHeights, emitTorch, type EmitHeight, type EmitOptions } from "../torch/emit.ts";
import { emitTinker } from "../trainers/tinker.ts";
import { emitTrl } from "../trainers/trl.ts";
import { emitTriton, tritonHeights, type TritonHeight } from "../triton/emit.ts";
import { givenHeights, givenObjective, objectiveArgs, oneOf } from "./given.ts";
import { pairs, repeated } from "./arguments.ts";
import { print, printError } from "./output.ts";
import { write } from "./write.ts";

const args = {
  target: {
    type: "positional",
    description:
      "torch: a function in PyTorch; triton: the same with kernels, --from logits or hidden; trl: a trainer of TRL; tinker: a loss of Tinker",
    required: true,
  },
  ...objectiveArgs,
  from: {
    type: "string",
    description:
      "what the function is handed over: logits, statistics (of each token; the default) or logps; for triton logits (the default) or hidden (states, with heads)",
    valueHint: "height",
  },
  statistics: {
    type: "string",
    description: "the statistics that are handed out, such as log_probs,entropy; all by default",
    valueHint: "names",
  },
  metrics: {
    type: "string",
    description: "the metrics to compute, with commas, or none; all by default",
    valueHint: "names",
  },
  out: { type: "string", description: "the file to write", valueHint: "file" },
} as const;

/** What becomes of an objective, by target. */
type Made = { readonly text: string; readonly dropped: readonly string[] };
interface Target {
  readonly heights: readonly string[];
  /** The height that is taken where none is named. */
  readonly usual: string;
  readonly emit: (objective: Objective, options: EmitOptions, from: string) => Made;
}
const inTorch = (emit: (objective: Objective, options: EmitOptions) => Made): Target => ({
  heights: emitHeights,
  usual: "statistics",
  emit: (objective, options, from) => emit(objective, { ...options, from: from as EmitHeight }),
});
const targets: Readonly<Record<string, Target>> = {
  torch: inTorch((objective, options) => emitTorch(objective, options)),
  triton: {
    heights: tritonHeights,
    usual: "logits",
    emit: (objective, options, from) =>
      emitTriton(objective, { ...options, from: from as TritonHeight }),
  },
  trl: inTorch(emitTrl),
  tinker: inTorch(emitTinker),
};

const version = (): string =>
  (
    JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    }
  ).version;

const listed = (text: string): readonly string[] => text.split(",").map((one) => one.trim());

const command = defineCommand({
  meta: { name: "emit", description: "The objective as a file of PyTorch, for trainers" },
  args,
  run: async ({ args: given, rawArgs }) => {
    const target = targets[oneOf("target", given.target, Object.keys(targets))]!;
    const objective = await givenObjective(given.objective, rawArgs, args);
    const sequences = Object.entries(givenHeights(rawArgs, args)).map(([model, height]) => {
      if (height === "logps") return model;
      throw new PrefcError(
        "option-value",
        `--heights is ${cite(`${model}=${height}`)}; an emitted function takes logps of a model, as in ref=logps, and --from for the rest.`,
      );
    });
    const options = pairs("option", repeated(rawArgs, args, "option"));
    const from = oneOf("from", given.from ?? target.usual, target.heights);
    const settings = {
      from: "statistics",
      sequences,
      ...(given.statistics === undefined ? {} : { statistics: listed(given.statistics) }),
      ...(given.metrics === undefined
        ? {}
        : { metrics: given.metrics === "none" ? false : listed(given.metrics) }),
      options: options.map(([name, value]) => `${name}=${value}`).join(" "),
      version: version(),
      hash: (whole: string) =>
        `sha256 ${createHash("sha256").update(whole).digest("hex").slice(0, 16)}`,
    } as const;
    const { text, dropped } = target.emit(objective, settings, from);
    if (dropped.length > 0 && given.metrics === undefined)
      printError(`left out, as they need more than is handed over: ${dropped.join(", ")}`);
    if (given.out === undefined) print(text.trimEnd());
    else write(given.out, text, [given.objective]);
    return 0;
  },
});

export default command as unknown as CommandDef;
