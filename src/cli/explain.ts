// `prefc explain OBJECTIVE`: what was compiled, what it moves, and why. No GPU is needed: without --adapter the
// kernels are laid out as for a typical one.

import { defineCommand, type CommandDef } from "citty";
import { explanationText } from "../explain/text.ts";
import { storageTypes } from "../core/storage.ts";
import { compile, openDevice } from "../index.ts";
import { PrefcError } from "../core/error.ts";
import { layoutKinds } from "../explain/shape.ts";
import { predict, type Rates } from "../explain/predict.ts";
import { storedRates } from "../measure/stored.ts";
import { finiteNumber, pairs, wholeNumber } from "./arguments.ts";
import { givenHeights, givenObjective, objectiveArgs, oneOf } from "./given.ts";
import { isTerminal, print, printJson } from "./output.ts";
import { cite, mention } from "../core/quote.ts";

const args = {
  ...objectiveArgs,
  rows: {
    type: "string",
    description: "completion tokens, in all (256) or by response: w=100,l=156",
    valueHint: "count",
  },
  examples: { type: "string", description: "examples; one for 64 rows", valueHint: "count" },
  vocab: { type: "string", description: "vocabulary entries; 32000", valueHint: "count" },
  dtype: {
    type: "string",
    description: "storage of logits and gradient: f32, f16 or bf16",
    valueHint: "type",
  },
  layout: {
    type: "string",
    description: "stacked: all responses of a model in one tensor; separate: a tensor for each",
    default: "stacked",
    valueHint: "kind",
  },
  adapter: {
    type: "string",
    description: "the adapter to lay kernels out for, instead of a typical GPU",
    valueHint: "name",
  },
  "read-gb-s": {
    type: "string",
    description: "how fast the adapter reads memory, for predicted times; else as measured",
    valueHint: "GB/s",
  },
  "copy-gb-s": {
    type: "string",
    description: "how fast it copies, bytes read and written together",
    valueHint: "GB/s",
  },
  wgsl: { type: "boolean", description: "print the kernels as well" },
  json: { type: "boolean", description: "as JSON" },
} as const;

const command = defineCommand({
  meta: {
    name: "explain",
    description: "Kernels, bytes against the floor, what is not differentiated, rewrites",
  },
  args,
  run: async ({ args: given, rawArgs }) => {
    const objective = await givenObjective(given.objective, rawArgs, args);
    const device =
      given.adapter === undefined ? undefined : await openDevice({ adapter: given.adapter });
    const heights = givenHeights(rawArgs, args);
    const compiled = compile(objective, { heights, ...(device === undefined ? {} : { device }) });
    const vocab = given.vocab === undefined ? undefined : wholeNumber("vocab", given.vocab, 1);
    const explanation = compiled.explain({
      ...(given.rows === undefined ? {} : { rows: rowsGiven(given.rows) }),
      ...(given.examples === undefined
        ? {}
        : { examples: wholeNumber("examples", given.examples, 1) }),
      ...(vocab === undefined ? {} : { vocab }),
      layout: oneOf("layout", given.layout, layoutKinds),
      ...(given.dtype === undefined ? {} : { dtype: oneOf("dtype", given.dtype, storageTypes) }),
    });
    const { dtype } = explanation.shape;
    const kernels = given.wgsl === true ? compiled.wgsl(explanation.shape.vocab, dtype) : [];
    const rates = ratesGiven(given["read-gb-s"], given["copy-gb-s"], device?.line ?? null);
    if (given.json === true) {
      const predicted = rates === null ? null : { ...rates, ...predict(explanation, rates) };
      const all = { ...explanation, predicted, ...(given.wgsl === true ? { kernels } : {}) };
      printJson(all, 2);
      return 0;
    }
    print(explanationText(explanation, { colour: isTerminal(), rates }));
    kernels.forEach(({ name, wgsl }, position) => print(`\n// ${position + 1}. ${name}\n${wgsl}`));
    return 0;
  },
});

/** Rates as given, else as measured on the adapter, or on the one measured last. @throws PrefcError option-value, option-without-value */
function ratesGiven(
  read: string | undefined,
  copy: string | undefined,
  adapter: string | null,
): (Rates & { readonly source: string }) | null {
  if (read === undefined && copy === undefined) {
    const stored = storedRates(adapter);
    if (stored === null) return null;
    const source = `measured on ${stored.adapter}, ${stored.measured.slice(0, 10)}`;
    return { readGbS: stored.read_gb_s, copyGbS: stored.copy_gb_s, source };
  }
  if (read === undefined || copy === undefined) {
    throw new PrefcError(
      "option-without-value",
      `explain: --${read === undefined ? "read" : "copy"}-gb-s is missing; a prediction needs both rates.`,
    );
  }
  return {
    readGbS: rateOf("read-gb-s", read),
    copyGbS: rateOf("copy-gb-s", copy),
    source: "given",
  };
}

function rateOf(option: string, text: string): number {
  const rate = finiteNumber(option, text);
  if (rate > 0) return rate;
  throw new PrefcError(
    "option-value",
    `--${option} is ${cite(text)}; give a rate above 0, in GB/s.`,
  );
}

const rowsGiven = (text: string): number | Readonly<Record<string, number>> =>
  text.includes("=")
    ? Object.fromEntries(
        pairs("rows", [text]).map(([name, count]) => [
          name,
          wholeNumber(`rows ${mention(name)}`, count, 1),
        ]),
      )
    : wholeNumber("rows", text, 1);

export default command as unknown as CommandDef;
