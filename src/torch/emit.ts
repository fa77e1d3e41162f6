// An objective as one file of PyTorch: a function of what a trainer hands out, that returns loss and metrics and, where there
// is state, the next one. The formula is written from the nodes of the core; no objective is known here by name.

import { responsesNeeded } from "../batch/check.ts";
import { describeAxis, isList, responseAxis } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import { printExpression } from "../core/infix.ts";
import { isPrompt, type ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import type { Objective } from "../dsl/objective.ts";
import { bindStatistics, type Statistic } from "../seam/statistics.ts";
import { argumentsOf, type Arguments } from "./arguments.ts";
import { body, type TotalArgument } from "./body.ts";
import type { Uses } from "./formula.ts";
import { broken, checkLines, helperLines, importLines, shapeLines } from "./frame.ts";
import { averaged, enter, type Entered } from "./height.ts";
import { logitsPart, modelsOf, paramsOf, rowGroups, type LogitsPart } from "./operator.ts";
import { rowFunctions } from "./rows.ts";
import { namer } from "./names.ts";
import { spelledOut } from "./operators.ts";
import { checkEmit, type EmitOptions } from "./options.ts";
import { describing, heading } from "./heading.ts";
import { totalsOf } from "./totals.ts";

export type { EmitOptions } from "./options.ts";

export { emitHeights, type EmitHeight } from "./height.ts";

/** The file, and what a caller of its function has to know. */
export interface Emitted {
  readonly text: string;
  /** The name of the function. */
  readonly name: string;
  readonly arguments: Pick<Arguments, "tensors" | "params" | "states">;
  /** The local name of each statistic. */
  readonly nameOf: (statistic: Statistic) => string;
  /** Counts and sums of the whole batch that may be given; 0 means those of the call. */
  readonly totals: readonly TotalArgument[];
  /** The responses whose rows each tensor holds, in order. */
  readonly responses: readonly string[];
  readonly statistics: readonly Statistic[];
  /** Metrics that need what is not handed over. */
  readonly dropped: readonly string[];
  /** Terms that couple examples, so that parts of a batch do not add up; empty as a rule. */
  readonly coupled: readonly string[];
}

const results = ({ loss, next, metrics }: Entered): readonly Node[] => [
  loss,
  ...Object.values(next),
  ...Object.values(metrics),
];

/** @throws PrefcError emit-beyond-a-row where an example has any number of responses */
function refuseLists({ responses }: Objective): void {
  const list = responses.find(isList);
  if (list === undefined) return;
  fail(
    "emit-beyond-a-row",
    `emit: the objective ranges over ${describeAxis(responseAxis(list))}, of which an example has any number, and the rows of a file of PyTorch are one per example; compile it instead.`,
  );
}

/** What makes statistics of logits, and what the file and its function need for it. */
export interface FromLogits {
  readonly part: typeof logitsPart;
  /** How the header calls what the file is written in. */
  readonly language: string;
  readonly imports: readonly string[];
  /** Parameters of the function after all others, and what they mean. */
  readonly parameters: (models: readonly ModelName[]) => readonly string[];
  readonly meaning: string;
  /** What it is handed over, in words, and names that tensors and parameters of its own have. */
  readonly height: string;
  readonly reserved: (models: readonly ModelName[]) => readonly string[];
  /** What is handed over in the place of logits. */
  readonly handed: (given: Arguments, models: readonly ModelName[]) => Arguments;
  /** Where a number that is not finite is looked for. */
  readonly remedy: string;
}
const inTiles: FromLogits = {
  part: logitsPart,
  language: "PyTorch",
  imports: [],
  parameters: () => [],
  meaning: "",
  height: "logits",
  reserved: () => [],
  handed: (given) => given,
  remedy: "find the NaN",
};

/**
 * Emits an objective. @throws PrefcError emit-statistic where the height does not hand out what it needs, emit-beyond-a-row
 * for an expression that no function of rows can be
 */
export function emitTorch(
  objective: Objective,
  options: EmitOptions,
  how: FromLogits = inTiles,
): Emitted {
  checkEmit(objective, options);
  refuseLists(objective);
  const { from, statistics, sequences = [], metrics = true } = options;
  const written = [
    objective.loss,
    ...Object.values(objective.metrics),
    ...Object.values(objective.next),
  ];
  const all = [...new Set([...objective.responses, ...responsesNeeded(written)])];
  const responses = objective.responses.filter((response) => !isPrompt(response));
  const seam = bindStatistics(withSpellings(objective), all);
  const entered = enter(objective.name, seam, { from, statistics, sequences, metrics });
  const roots = results(entered);
  const names = namer();
  const name = names.fresh(objective.name);
  const models = from === "logits" ? modelsOf(entered.statistics) : [];
  how.reserved(models).forEach((own) => names.fresh(own));
  const given = how.handed(
    argumentsOf(roots, entered, responses, from, names, options.tiles === true),
    models,
  );
  const totals = totalsOf(averaged(entered.loss), Object.values(entered.next));
  const uses: Uses = { helpers: new Set(), modules: new Set(), logsigmoid: false };
  const inner = body(entered, responses, given, totals, names, uses);
  const low =
    from === "logits"
      ? fromLogits(entered, given, name, uses, how)
      : {
          definitions: options.tiles === true ? tileFunctions(entered, given, uses) : [],
          calls: [],
        };
  const coupled = totals.coupled.map((node) => printExpression(node, 12));
  const parameters = [
    ...given.tensors.map((tensor) => tensor.name),
    ...given.params.filter(({ initial }) => initial === undefined).map((one) => one.name),
    ...[...given.params, ...given.states]
      .filter(({ initial }) => initial !== undefined)
      .map((one) => `${one.name}=${numberText(one.initial!)}`),
    ...inner.totals.map((one) => `${one.name}=0`),
    ...how.parameters(models),
  ];
  const head = heading(
    objective,
    options,
    [how.language, how.height],
    coupled,
    entered,
    responses,
    given.of,
  ).join("\n");
  const text = [
    `"""${head}"""`,
    ...importLines(name, uses),
    ...how.imports,
    ...shapeLines(given.tensors),
    ...checkLines(
      given.tensors,
      responses,
      inner.totals.map((one) => one.name),
      how.remedy,
    ),
    "",
    ...helperLines(uses.helpers),
    ...low.definitions.flatMap((line) => broken(line.trimStart(), /^ */.exec(line)![0])),
    "@checked",
    ...broken(`def ${name}(${parameters.join(", ")}):`, ""),
    ...describing(
      given,
      responses,
      inner.totals.map((one) => one.name),
      how.meaning + (options.tiles === true ? ofTiles(entered, roots, given) : ""),
    ).map((line) => `    ${line}`),
    ...[...low.calls, ...inner.lines].flatMap((line) => broken(line, "    ")),
  ].join("\n");
  return {
    text: `${text}\n`,
    name,
    arguments: given,
    nameOf: given.statistic,
    totals: inner.totals,
    responses,
    statistics: entered.statistics,
    dropped: entered.dropped,
    coupled,
  };
}

/** The objective with operators that torch has no spelling for in terms of others. */
function withSpellings({ loss, metrics, next, ...rest }: Objective): Objective {
  const named = (of: Readonly<Record<string, Node>>): Readonly<Record<string, Node>> =>
    Object.fromEntries(Object.entries(of).map(([name, node]) => [name, spelledOut([node])[0]!]));
  return { ...rest, loss: spelledOut([loss])[0]!, metrics: named(metrics), next: named(next) };
}

/** What stands between logits and the formula. */
function fromLogits(
  entered: Entered,
  given: Arguments,
  name: string,
  uses: Uses,
  { part }: FromLogits,
): LogitsPart {
  const masks = given.tensors.filter(({ source }) => source.kind === "mask").map((one) => one.name);
  return part(
    rowGroups(entered.statistics),
    name,
    given.statistic,
    given.of,
    given.logits,
    masks,
    uses,
  );
}

/** Says which parameters the statistics are made with, and the formula is not. */
function ofTiles({ statistics }: Entered, roots: readonly Node[], given: Arguments): string {
  const read = new Set(topological(roots));
  const only = paramsOf(statistics).filter((node) => !read.has(node));
  return only.length === 0
    ? ""
    : ` ${only.map(given.of).join(", ")}: read by the statistics alone.`;
}

/** What makes statistics of a tile, for callers that bring the tiles. */
const tileFunctions = (entered: Entered, given: Arguments, uses: Uses): readonly string[] =>
  rowGroups(entered.statistics).flatMap(({ name, models, statistics }) => {
    const params = paramsOf(statistics).map((node) => ({ node, name: given.of(node) }));
    const made = rowFunctions(name, models, statistics, params, uses);
    const kept = `${name}_kept = ${made.kept}  # numbers of a row that are made after the statistics, for the slopes`;
    return [
      ...made.statistics,
      "",
      ...(made.slopes.length === 0 ? [] : [...made.slopes, ""]),
      kept,
      "",
    ];
  });

/** A default, which is a real number. */
const numberText = (value: number): string => (/[.e]/.test(`${value}`) ? `${value}` : `${value}.0`);
