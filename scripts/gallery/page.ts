// The text of docs/gallery.md and its pictures, from the list of built-in objectives: nothing on that page is written by
// hand but the sentences here.

import { builtIns, type BuiltIn, type OptionKind } from "../../src/index.ts";
import { svg } from "../../src/draw/plot.ts";
import { agreements, type Agreement } from "./agreement.ts";
import { definitions, type Definition } from "./definition.ts";
import { forms, passesOf, type Passes } from "./passes.ts";
import { level, tokens } from "../../src/plots/against.ts";
import { sweep, type Sweep } from "./sweep.ts";

export interface Gallery {
  readonly page: string;
  /** SVG documents by the name of the objective. */
  readonly plots: Readonly<Record<string, string>>;
}

interface Entry {
  readonly name: string;
  readonly builtIn: BuiltIn;
  readonly source: string;
  readonly responses: readonly string[];
  readonly passes: Passes;
  readonly definition: Definition;
  readonly sweep: Sweep | string;
  readonly agreement: Agreement | undefined;
}

const fence = (info: string, text: string): string => `\`\`\`${info}\n${text}\n\`\`\``;
const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");

const isWords = (kind: OptionKind): kind is readonly string[] => Array.isArray(kind);

/** What an option accepts, in words. */
function accepted(kind: OptionKind): string {
  if (kind === "number") return "a number";
  if (kind === "boolean") return "true or false";
  if ("expected" in kind) return kind.expected;
  if (isWords(kind)) return kind.map((word) => `\`"${word}"\``).join(", ");
  if ("listOf" in kind)
    return kind.listOf === "number"
      ? "a list of numbers"
      : `${accepted(kind.listOf)}, or a list of them`;
  const { from, above, to, below } = kind;
  const bounds = [
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(to === undefined ? [] : [`to ${to}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  return `a number ${bounds.join(", ")}`;
}

const recorded = (agreement: Agreement | undefined): string =>
  agreement === undefined || agreement.files === 0
    ? "none here"
    : `${agreement.agreeing} of ${agreement.files}`;

function agreementText(agreement: Agreement | undefined): string {
  if (agreement === undefined) return "no recorded file in `spec/conformance` names it.";
  const { files, agreeing, defects, loss, gradient } = agreement;
  const apart =
    defects === 0 ? "" : `; ${defects} more with a defect of its source, reported apart`;
  const errors =
    agreeing === 0 ? "" : ` The errors are at most ${loss} (loss) and ${gradient} (gradient).`;
  return `${agreeing} of ${files} recorded files in \`spec/conformance\` agree with the float64 interpreter${apart}.${errors}`;
}

/** A table with columns of even width, as the formatter writes it. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const [head, ...body] = rows.map(line);
  return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}

const heading = [
  "objective",
  "policy reads",
  "reference reads",
  "gradient writes",
  "recorded files that agree",
] as const;

const row = ({ name, passes, agreement }: Entry): readonly string[] => [
  `[${name}](#${name})`,
  passes.reads.policy,
  passes.reads.ref,
  passes.writes,
  recorded(agreement),
];

function section({ name, builtIn, source, responses, passes, ...entry }: Entry): string {
  const { definition, agreement, sweep } = entry;
  const { explanation, accumulators, more } = passes;
  const inputs = [...explanation.differentiated, ...explanation.notDifferentiated.data];
  const options = Object.entries(builtIn.options).map(
    ([option, kind]) => `\`${option}\` (${accepted(kind)})`,
  );
  const states = Object.entries(explanation.state).map(
    ([state, value]) => `\`${state}\` (first ${value})`,
  );
  return [
    `## ${name}`,
    `${builtIn.summary}.`,
    fence("text", definition.formula ?? explanation.loss),
    `Source: ${source}.`,
    fence(`ts ${definition.file}`, definition.code),
    [
      `- Options: ${options.length === 0 ? "none" : options.join("; ")}.`,
      `- Responses: ${code(responses)}. Inputs: ${code(inputs)}.`,
      ...(states.length === 0 ? [] : [`- State: ${states.join(", ")}.`]),
      `- Accumulators per row: ${accumulators.length === 0 ? "none" : code(accumulators)}.`,
      `- Passes for loss and gradient: policy logits read ${passes.reads.policy}, reference logits read ${passes.reads.ref}, gradient written ${passes.writes}. ${more.length === 0 ? "Nothing beyond the floor." : `${more.join("; ")}.`}`,
      `- Recorded results: ${agreementText(agreement)}`,
    ].join("\n"),
    ...(typeof sweep === "string"
      ? [sweep]
      : [
          `![Loss and gradient of ${name} against the margin](gallery/${name}.svg)`,
          ...sweep.notes,
        ]),
    `<details><summary>The loss on the core, abbreviated</summary>\n\n${fence("text", explanation.loss)}\n\n</details>`,
  ].join("\n\n");
}

/** The forms that move more than the floor, a line each, and how many forms were looked at. */
function floorText(entries: readonly Entry[]): string {
  const looked = entries.flatMap(({ name, builtIn, passes }) => [
    { name, more: passes.more },
    ...forms(builtIn).map(([option, objective]) => ({
      name: `${name} with ${option}`,
      more: passesOf(objective).more,
    })),
  ]);
  const beyond = looked.filter(({ more }) => more.length > 0);
  const counted = `Of ${looked.length} forms (every objective by default, and with each of its words and booleans in turn)`;
  return beyond.length === 0
    ? `${counted} none needs more than the floor, for the loss alone or with its gradient.`
    : `${counted} these need more than the floor:\n\n${beyond.map(({ name, more }) => `- ${name}: ${more.join("; ")}.`).join("\n")}`;
}

const minus = String(level).replace("-", "−");

const introduction = `# The built-in objectives

This page is generated by \`npm run gallery\` from the objectives themselves; change those, not this page.

Each entry has the formula (the comment of the definition; the printed loss where there is none), the definition, its source, what
it reads, and what the compiler makes of it with default options. "2 of 2" counts passes over a model's logits against the
floor, the fewest that any kernel could make; the floor of a model is 0 where single entries are enough, and "none" stands
for a model whose logits are not read. Recorded results are values and gradients that published code computed, held against the
float64 interpreter; \`prefc conform spec/conformance\` compares the GPU as well.

Plots are of one pair with the default options. Both responses have ${tokens} tokens and, at margin 0, log π = ${minus}; the reference
keeps log π_ref = ${minus}, and so does every other response. The margin Δ is raised by Δ/2 on the chosen and lowered by Δ/2 on the
rejected response. Gradients are with respect to the log-probability of a whole response.`;

/** @throws Error where a definition is not found by the rules of definition.ts */
export async function gallery(root: string): Promise<Gallery> {
  const names = Object.keys(builtIns);
  const definition = definitions(root);
  const agreed = await agreements(`${root}spec/conformance`, names);
  const entries = Object.entries(builtIns).map(([name, builtIn]): Entry => {
    const objective = builtIn.make();
    const { source, responses } = objective;
    return {
      name,
      builtIn,
      source,
      responses,
      passes: passesOf(objective),
      definition: definition(name),
      sweep: sweep(name, objective),
      agreement: agreed.get(name),
    };
  });
  const parts = [
    introduction,
    floorText(entries),
    table([heading, ...entries.map(row)]),
    ...entries.map(section),
  ];
  const plots = entries.flatMap(({ name, sweep }) =>
    typeof sweep === "string" ? [] : [[name, svg(sweep.plot)] as const],
  );
  return { page: `${parts.join("\n\n")}\n`, plots: Object.fromEntries(plots) };
}
