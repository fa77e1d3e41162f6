// The explanation as text: what a person wants to know first stands first (dispatches and bytes against the
// floor), then kernel by kernel, then what is not differentiated, then what the compiler did.

import picocolors from "picocolors";
import { checkedElsewhere, checkOptions, type KindsOf } from "../core/options.ts";
import { visible } from "../core/quote.ts";
import { requireExplanation } from "./given.ts";
import type { Explanation, DirectionExplanation, KernelExplanation, SourceTerm } from "./json.ts";
import { passLines } from "./passes.ts";
import { predict, type PredictedDirection, type Rates } from "./predict.ts";
import { entry, list, margin, setting, width } from "./setting.ts";
import { kinkLines } from "./kinks.ts";
import { statisticLines } from "./statistics.ts";
import { aligned, broken, bytesText, timeText } from "./units.ts";

export interface TextOptions {
  /** Whether headings are coloured; false. */
  readonly colour?: boolean;
  /** Rates to predict times from, and where they come from; null says how to get them; nothing when left out. */
  readonly rates?: (Rates & { readonly source: string }) | null;
}

const textOptions: KindsOf<TextOptions> = { colour: "boolean", rates: checkedElsewhere };

/** The explanation in lines of about 100 columns, ending without a line break. */
export function explanationText(given: Explanation, options: TextOptions = {}): string {
  requireExplanation(given);
  checkOptions("explanationText", textOptions, options, { example: "{ colour: true }" });
  const explanation = shown(given);
  const colours = picocolors.createColors(options.colour ?? false);
  const title = (text: string): string => colours.bold(text);
  const { value, valueAndGrad } = explanation;
  const { rates = null } = options;
  const predicted = rates === null ? null : predict(explanation, rates);
  const lines = [
    title(explanation.objective),
    ...broken(`loss = ${explanation.loss}`, width - 2).map((line) => `  ${line}`),
    "",
    ...setting(explanation),
    ...(options.rates === undefined ? [] : entry("memory", ratesText(rates))),
    "",
    title(`value and gradient: ${summary(valueAndGrad)}`),
    ...predictedLine(predicted?.valueAndGrad),
    ...trafficLines(valueAndGrad),
    ...kernelLines(valueAndGrad.kernels, predicted?.valueAndGrad),
    ...extraLines(valueAndGrad),
    "",
    title(`value alone: ${summary(value)}`),
    ...predictedLine(predicted?.value),
    "",
    title("differentiated"),
    ...list("inputs", explanation.differentiated),
    title("not differentiated"),
    ...notDifferentiated(explanation),
    "",
    title("kinks at the first step"),
    ...kinkLines(explanation),
    "",
    title("what a trainer has to hand out of each token"),
    ...statisticLines(explanation),
    "",
    title("compiler passes"),
    ...passLines(explanation.passes, width),
  ];
  return lines.join("\n").replaceAll("\u00a0", " ");
}

/** The same data with every text in it, also of keys, as it may be seen on a line. */
function shown<T>(data: T): T {
  if (typeof data === "string") return visible(data) as T;
  if (Array.isArray(data)) return data.map(shown) as T;
  if (typeof data !== "object" || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [visible(key), shown(value as unknown)]),
  ) as T;
}

const ratioText = ({ ratio, moved, floor }: DirectionExplanation): string =>
  `${bytesText(moved)} moved, floor ${bytesText(floor)} (${Number.isFinite(ratio) ? `${ratio.toFixed(2)} x` : "no logits are needed"})`;

const summary = (direction: DirectionExplanation): string =>
  `${direction.dispatches} ${direction.dispatches === 1 ? "dispatch" : "dispatches"}, ${ratioText(direction)}`;

/** On a line of its own, so that the line of bytes is the same on every machine. */
const predictedLine = (predicted?: PredictedDirection): readonly string[] =>
  predicted === undefined ? [] : [`  predicted      ${timeText(predicted.total)} in all`];

/** What predictions rest on, or how to get it. */
const ratesText = (rates: TextOptions["rates"] | null): readonly string[] =>
  rates === null || rates === undefined
    ? [
        "no rates are known, so no time is predicted: `prefc env --measure` measures them once,",
        "or give --read-gb-s and --copy-gb-s",
      ]
    : [
        `read at ${rates.readGbS.toFixed(1)} GB/s, copied at ${rates.copyGbS.toFixed(1)} GB/s, which predictions rest on`,
        visible(rates.source),
      ];

/** How often each model's logits are moved; responses that are treated alike share a line. */
function trafficLines({ traffic, small, memory }: DirectionExplanation): readonly string[] {
  const groups = new Map<string, { cells: readonly string[]; responses: string[] }>();
  for (const { model, response, reads, floorReads, writes, floorWrites } of traffic) {
    const cells = [`${reads}`, `${floorReads}`, `${writes}`, `${floorWrites}`];
    const key = [model, ...cells].join();
    const group = groups.get(key) ?? { cells: [`${model} logits`, ...cells], responses: [] };
    group.responses.push(response);
    groups.set(key, group);
  }
  const rows = [...groups.values()].map(({ cells: [name, ...numbers], responses }) => [
    name!,
    responses.join(", "),
    ...numbers,
  ]);
  const table = aligned(
    [["", "responses", "reads", "floor", "gradient writes", "floor"], ...rows],
    [2, 3, 4, 5],
  );
  return [
    ...(rows.length === 0 ? ["  no logits are moved"] : table.map((line) => `  ${line}`)),
    `  beside the logits: ${bytesText(small)} moved; memory ${bytesText(memory.small)}, and ${bytesText(memory.gradient)} for the gradient`,
    ...(rows.length === 0
      ? []
      : [
          "  rows that are no completion token are not read; zeros written as their gradient are not counted",
        ]),
  ];
}

/** The responses of a term stay together where lines break: these spaces do not break. */
const termText = ({ text, responses }: SourceTerm): string =>
  responses.length > 1 ? `${text} \u00a0(y\u00a0=\u00a0${responses.join(",\u00a0")})` : text;

function kernelLines(
  kernels: readonly KernelExplanation[],
  predicted?: PredictedDirection,
): readonly string[] {
  return kernels.flatMap((kernel, position) => {
    const { name, kind, models, responses, leaves, serves, bytes, runs } = kernel;
    const over = models.length === 0 ? "" : `, ${models.join(" and ")} of ${responses.join(", ")}`;
    const moved = [
      ...(bytes.read > 0 ? [`${bytesText(bytes.read)} of logits read`] : []),
      ...(bytes.written > 0 ? [`${bytesText(bytes.written)} of gradient written`] : []),
      `${bytesText(bytes.small)} beside`,
      ...(predicted === undefined ? [] : [`${timeText(predicted.kernels[position]!)} predicted`]),
      ...(runs === 1 ? [] : [`in ${runs} dispatches`]),
    ];
    const terms = serves.flatMap((term) =>
      broken(termText(term), width - margin - 4).map((line, index) =>
        index === 0 ? line : `  ${line}`,
      ),
    );
    return [
      "",
      `  ${position + 1}. ${name === kind ? name : `${name}  (${kind}${over})`}`,
      ...entry("   moves", [moved.join(", ")]),
      ...list("   leaves", leaves),
      ...(terms.length === 0 ? [] : entry("   serves", terms)),
    ];
  });
}

function extraLines({ extraPasses, kernels }: DirectionExplanation): readonly string[] {
  // as a rule a gradient is made of the logits alone that it belongs to
  const again = kernels.filter(({ kind, models }) => kind === "gradient pass" && models.length > 1);
  const forced = [
    ...heading(extraPasses.length, "terms that no running pass can accumulate"),
    ...extraPasses.flatMap(({ terms, body }) => [
      ...terms.flatMap((term) => broken(termText(term), width - 4).map((line) => `    ${line}`)),
      ...broken(`as ${body}`, width - 6).map((line) => `      ${line}`),
    ]),
    ...heading(again.length, "gradients that are made of another model's logits too"),
    ...again.map(
      ({ models, responses }) =>
        `    ${models.slice(1).join(" and ")} logits of ${responses.join(", ")} are read a second time`,
    ),
  ];
  const none = "  extra passes: none; every term over the vocabulary has a running form";
  return ["", ...(forced.length === 0 ? [none] : forced)];
}
const heading = (count: number, reason: string): readonly string[] =>
  count === 0 ? [] : [`  extra passes: ${count}, forced by ${reason}`];

function notDifferentiated({
  notDifferentiated: { stopped, data },
}: Explanation): readonly string[] {
  const terms = stopped.flatMap((term) => broken(termText(term), width - margin - 2));
  return [...entry("stopGrad", terms.length === 0 ? ["none"] : terms), ...list("data", data)];
}
