// `prefc audit OBJECTIVE FILE`: a recorded training step held against the formula, in float64 and on the GPU. The exit code is 1 where
// something that was recorded departs from it. `--recorder trl` prints the Python that records a step.

import { readFileSync } from "node:fs";
import { defineCommand, type ArgsDef, type CommandDef } from "citty";
import { audit, type Audit } from "../audit/audit.ts";
import { readStep, type Step } from "../audit/step.ts";
import { auditText, type OnAdapter } from "../audit/text.ts";
import { entriesOf, mostEntries, wholeBatch } from "../audit/whole.ts";
import { PrefcError } from "../core/error.ts";
import { compile, openDevice, type Objective, type Params } from "../index.ts";
import { openTensors } from "../tensors/open.ts";
import { givenObjective, givenParams, objectiveArgs, oneOf } from "./given.ts";
import { print, printJson, printLine } from "./output.ts";

const recorders = { trl: "record_trl.py" } as const;

const args = {
  objective: { ...objectiveArgs.objective, required: false },
  file: {
    type: "positional",
    description: "a recorded step: safetensors or .npz",
    required: false,
  },
  option: objectiveArgs.option,
  param: {
    type: "string",
    description: "a run-time parameter as the trainer had it, such as beta=0.05; may be repeated",
    valueHint: "name=value",
  },
  dtype: {
    type: "string",
    description: "what numbers of two bytes are where the file does not say: bf16 or f16",
    valueHint: "type",
  },
  engine: {
    type: "string",
    description: "both, or reference to leave the GPU out",
    default: "both",
    valueHint: "name",
  },
  adapter: {
    type: "string",
    description: "auto, hardware, software, lavapipe or swiftshader; also PREFC_ADAPTER",
    valueHint: "name",
  },
  recorder: {
    type: "string",
    description: "prints the Python that records a step of a trainer, and does nothing else: trl",
    valueHint: "trainer",
  },
  json: { type: "boolean", description: "as JSON" },
} as const satisfies ArgsDef;

const command = defineCommand({
  meta: { name: "audit", description: "A recorded training step against the formula" },
  args,
  run: async ({ args: given, rawArgs }) => {
    if (given.recorder !== undefined) {
      const name = oneOf(
        "recorder",
        given.recorder,
        Object.keys(recorders) as (keyof typeof recorders)[],
      );
      const path = new URL(`../../python/${recorders[name]}`, import.meta.url);
      print(readFileSync(path, "utf8").trimEnd());
      return 0;
    }
    if (given.objective === undefined || given.file === undefined) {
      throw new PrefcError(
        "missing-argument",
        `audit: ${given.objective === undefined ? "OBJECTIVE" : "FILE"} is missing; give an objective and a recorded step, such as prefc audit dpo step.safetensors.`,
      );
    }
    const objective = await givenObjective(given.objective, rawArgs, args);
    const params = givenParams(rawArgs, args);
    const dtype = given.dtype === undefined ? null : oneOf("dtype", given.dtype, ["bf16", "f16"]);
    const engine = oneOf("engine", given.engine, ["both", "reference"]);
    const file = openTensors(given.file);
    try {
      const step = readStep(file, dtype);
      const found = audit(step, objective, params);
      const adapter =
        engine === "both" ? await onAdapter(step, objective, found, params, given.adapter) : null;
      if (given.json === true) printJson(asJson(step, objective, found, adapter), 2);
      else for (const line of auditText(step, objective.name, found, adapter)) printLine(line);
      return found.first === null ? 0 : 1;
    } finally {
      file.close();
    }
  },
});

/** The loss and metrics of the step on the adapter. */
async function onAdapter(
  step: Step,
  objective: Objective,
  { right, heights }: Audit,
  params: Params,
  name: string | undefined,
): Promise<OnAdapter> {
  const entries = entriesOf(right);
  if (entries > mostEntries)
    return {
      why: `the step has ${entries} logits that count, more than the ${mostEntries} that are held at once`,
    };
  const device = await openDevice(name === undefined ? {} : { adapter: name });
  try {
    const compiled = compile(objective, { device, heights });
    const { loss, metrics } = await compiled.valueAndGrad(wholeBatch(step, right), { params });
    compiled.dispose();
    return { line: device.line, loss, metrics };
  } finally {
    device.dispose();
  }
}

const asJson = (
  step: Step,
  objective: Objective,
  found: Audit,
  adapter: OnAdapter | null,
): object => ({
  file: step.file,
  objective: objective.name,
  examples: step.examples,
  comparisons: found.comparisons,
  first_departure: found.first,
  explanations: found.explanations,
  partly: found.partly,
  computed: Object.fromEntries(
    [...found.computation.quantities].map(([key, { values }]) => [key, Array.from(values)]),
  ),
  adapter,
});

export default command as unknown as CommandDef;
