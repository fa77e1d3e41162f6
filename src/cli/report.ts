// `prefc report OBJECTIVE --out FILE.html`: formula, plots, plan, kernels, a check and the adapter in one page that needs nothing
// but itself, to attach to a pull request.

import { defineCommand, type ArgsDef, type CommandDef } from "citty";
import { checkObjective } from "../check/check.ts";
import { PrefcError } from "../core/error.ts";
import { visible } from "../core/quote.ts";
import { page, type Part } from "../draw/page.ts";
import { svg } from "../draw/plot.ts";
import { explanationText } from "../explain/text.ts";
import { compile, openDevice, type Device, type Objective, type Params } from "../index.ts";
import { describeEnvironment, environmentText } from "../runtime/device/environment.ts";
import { againstOf } from "../plots/against.ts";
import { plotOf } from "../plots/plot.ts";
import { curvesOf } from "../plots/sweep.ts";
import { wholeNumber } from "./arguments.ts";
import { givenHeights, givenObjective, givenParams, objectiveArgs, oneOf } from "./given.ts";
import { write } from "./write.ts";

const args = {
  ...objectiveArgs,
  param: {
    type: "string",
    description: "a run-time parameter, such as beta=0.05; may be repeated",
    valueHint: "name=value",
  },
  batches: {
    type: "string",
    description: "batches of the check",
    default: "5",
    valueHint: "count",
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
  out: { type: "string", description: "the HTML file to write; needed", valueHint: "file" },
} as const satisfies ArgsDef;

const command = defineCommand({
  meta: { name: "report", description: "Everything about an objective as one page" },
  args,
  run: async ({ args: given, rawArgs }) => {
    if (given.out === undefined) {
      throw new PrefcError(
        "missing-argument",
        "report: --out is missing; give the HTML file to write.",
      );
    }
    const objective = await givenObjective(given.objective, rawArgs, args);
    const params = givenParams(rawArgs, args);
    const heights = givenHeights(rawArgs, args);
    const batches = wholeNumber("batches", given.batches, 1);
    const engine = oneOf("engine", given.engine, ["both", "reference"]);
    const device =
      engine === "reference"
        ? null
        : await openDevice(given.adapter === undefined ? {} : { adapter: given.adapter });
    try {
      const compiled = compile(objective, { heights, ...(device === null ? {} : { device }) });
      const explanation = compiled.explain();
      const kernels = compiled.wgsl(explanation.shape.vocab, explanation.shape.dtype);
      const parts: readonly Part[] = [
        {
          heading: "Formula",
          text: visibleLines(`loss = ${explanation.loss}\nsource: ${objective.source}`),
        },
        ...plots(objective, params),
        { heading: "Plan", text: explanationText(explanation) },
        {
          heading: "Check",
          text: visibleLines(await checked(objective, { batches, params, heights, device })),
        },
        ...kernels.map(({ name, wgsl }) => ({
          heading: `Kernel: ${name}`,
          text: wgsl,
          folded: true,
        })),
        {
          heading: "Where it was made",
          text: visibleLines(
            environmentText(await describeEnvironment(device ?? "no adapter: --engine reference")),
          ),
        },
      ];
      write(given.out, page(visible(objective.name), parts), [given.objective]);
    } finally {
      device?.dispose();
    }
    return 0;
  },
});

const visibleLines = (text: string): string => text.split("\n").map(visible).join("\n");

/** A picture against each thing that a pair of this objective has; a sentence where it has none. */
function plots(objective: Objective, params: Params): readonly Part[] {
  return ["margin", "probability"].map((text): Part => {
    const heading = `Loss, gradient and weight against the ${text}`;
    try {
      const against = againstOf(text, [objective.loss], params);
      const curves = curvesOf(objective, against);
      const fixed = [against.fixed, ...(curves.fromLogits === null ? [] : [curves.fromLogits])];
      return {
        heading,
        picture: svg(plotOf([{ name: visible(objective.name), curves }], against)),
        text: fixed.join("\n"),
      };
    } catch (error) {
      if (!(error instanceof PrefcError)) throw error;
      return { heading, text: visibleLines(error.message) };
    }
  });
}

/** What a check says, a line for each batch. */
async function checked(
  objective: Objective,
  given: {
    readonly batches: number;
    readonly params: Params;
    readonly heights: ReturnType<typeof givenHeights>;
    readonly device: Device | null;
  },
): Promise<string> {
  const lines: string[] = [];
  let failed = 0;
  for await (const { batch, examples, tokens, vocab, failures } of checkObjective(objective, {
    ...given,
    seed: 1,
  })) {
    if (failures.length > 0) failed++;
    const verdict = failures.length === 0 ? "ok" : `FAIL ${failures.join("; ")}`;
    lines.push(
      `batch ${batch}: ${examples} examples, ${tokens} tokens, vocabulary ${vocab}: ${verdict}`,
    );
  }
  return [
    ...lines,
    failed === 0
      ? `all ${lines.length} batches passed`
      : `${failed} of ${lines.length} batches FAILED`,
  ].join("\n");
}

export default command as unknown as CommandDef;
